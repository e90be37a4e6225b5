"""Other programs read what Signet writes, and the other way round; the page says how it went."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.fixtures import required
from tests.smime.interop.programs import Peer, made
from tests.smime.interop.table import COMMAND, YES, introduce, page

pytestmark = pytest.mark.slow  # half a minute of other programs
PAGE = Path(__file__).resolve().parents[3] / "docs" / "interoperability.md"


@pytest.fixture(scope="module")
def peers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Peer]]:
    # A socket of gpg-agent lies in the directory: its path must be short.
    directory = tmp_path_factory.mktemp("i")
    with required("Other S/MIME programs"), made(directory) as found:
        yield [introduce(peer) for peer in found]


def programs(text: str) -> str:
    match = re.search(r"^Programs: (.*)$", text, re.MULTILINE)
    assert match, "the page does not name the programs"
    return match.group(1)


def cells(text: str) -> dict[tuple[str, int], str]:
    """Each cell by its algorithm and column."""
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {(row[0], at): cell for row in rows for at, cell in enumerate(row[1:])}


def test_the_page_is_what_the_programs_do(peers):
    kept = PAGE.read_text()
    now = page(peers)
    if now != kept:
        now = page(peers)  # an agent that did not start in time is asked once more
    if programs(now) == programs(kept):
        assert now == kept, f"Look at what changed; `{COMMAND}` writes the page anew."
        return
    # With other versions the words differ; what was understood must still be.
    told, before = cells(now), cells(kept)
    lost = [where for where, cell in before.items() if cell == YES and told.get(where) != YES]
    assert lost == []
