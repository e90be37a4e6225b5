"""Check 41: nothing remote before consent.

What comes after it, through the proxy, is in tests/webmail/reader/test_image_proxy.py and
tests/webmail/remote.
"""

import pytest

from tests.browser.rendering_mails import attacked
from tests.browser.rendering_site import MODES, Watched

pytestmark = pytest.mark.browser


def test_r41_nothing_remote_before_consent(tab: Watched) -> None:
    """Check 41: images, fonts, prefetch, DNS, redirectors; and the count is said."""
    raw = attacked(
        "<link rel=dns-prefetch href=//evil.example><link rel=prefetch href=https://evil.example/p>"
        "<style>@font-face{font-family:a;src:url(https://evil.example/f)}p{font-family:a}</style>"
        "<img src=https://evil.example/open.gif width=1 height=1><img src=https://evil.example/a.png>"
        "<img src=https://evil.example/redirect?to=https://evil.example/b.png>"
        "<p background=https://evil.example/c>x<a href=https://evil.example/click>y</a>"
    )
    for mode in MODES:
        assert tab.problems(raw, mode) == []
    made = tab.site.show(raw).made
    assert made.page["images"]["remote"] >= 2
    assert made.page["images"]["trackers"] == 1
    assert made.documents.images == ()
