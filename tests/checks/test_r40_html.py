"""Check 40: hostile HTML. Nothing runs and nothing loads, in the frame and bare.

The rows of the attack checklist, one by one, are in tests/browser/test_rendering_rows.py.
"""

import json

import pytest

from tests.browser.rendering_mails import attacked
from tests.browser.rendering_site import MODES, Watched
from tests.corpora import corpus

pytestmark = pytest.mark.browser


@pytest.mark.corpus
@pytest.mark.parametrize("mode", MODES)
def test_r40_hostile_corpora(mode: str, tab: Watched) -> None:
    """Check 40: every vector of the corpora, in the frame and alone."""
    sources = []
    for name in ("html5sec/vectors.json", "signet-own/attack-html.json"):
        sources += json.loads((corpus("mime") / name).read_text(encoding="utf-8"))
    assert len(sources) > 200
    for source in sources:
        assert tab.problems(attacked(source), mode) == [], source
