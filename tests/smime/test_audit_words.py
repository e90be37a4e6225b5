"""Every act that is written down has its sentence in the panel."""

import re
from pathlib import Path

from accounts import admin_words

ROOT = Path(__file__).resolve().parents[2]
_ACTION = re.compile(r'_?record\(\s*"([a-z.-]+)"')
_CHOSEN = re.compile(r'action = "([a-z.-]+)" if \w+ else "([a-z.-]+)"')


def test_every_act_has_words() -> None:
    written = set()
    for room in ("accounts", "smime", "webmail"):
        for path in (ROOT / room).rglob("*.py"):
            source = path.read_text("utf-8")
            written |= set(_ACTION.findall(source))
            written |= {name for pair in _CHOSEN.findall(source) for name in pair}
    assert len(written) > 20
    assert written - set(admin_words._sayings) == set()
