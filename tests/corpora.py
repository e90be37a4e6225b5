"""Where the mail corpora are: `SIGNET_CORPORA`, else `../shared/corpora` beside the project."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def corpora_root() -> Path:
    """The directory of the corpora; it may not exist."""
    return Path(os.environ.get("SIGNET_CORPORA") or ROOT.parent / "shared" / "corpora")


def corpus(*parts: str) -> Path:
    """A file or directory of the corpora; the test is skipped where they are absent."""
    path = corpora_root().joinpath(*parts)
    if not path.exists():
        pytest.skip(f"corpora: {path} is absent (set SIGNET_CORPORA)")
    return path
