"""Write docs/interoperability.md anew: `.venv/bin/python -m tests.smime.interop`."""

import sys
import tempfile
from pathlib import Path

from tests.smime.interop.programs import made
from tests.smime.interop.table import introduce, page

PAGE = Path(__file__).resolve().parents[3] / "docs" / "interoperability.md"

if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="signet-interop-") as name, made(Path(name)) as peers:
        PAGE.write_text(page([introduce(peer) for peer in peers]))
    sys.stdout.write(f"{PAGE} is written.\n")
