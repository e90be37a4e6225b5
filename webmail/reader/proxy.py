"""The web's side of the image proxy: ask for an image, wait for the workers' word."""

from django.http import HttpRequest

from accounts import lanes, late_replies, sealed_cache, tickets
from webmail.reader import images

PATIENCE = images.DEADLINE + 3.0  # seconds
FAILED_FOR = 120  # seconds before a broken address is tried again
_FAILED = b"failed"


def picture(request: HttpRequest, url: str) -> images.Picture | None:
    """Return the finished image of `url`; None if there is none to show.

    A host may take seconds: raises accounts.late_replies.LateReply, so that no thread waits.
    """
    found = images.cached(url)
    if found is not None or _failed_lately(url):
        return found

    def post(reply: str) -> None:
        lanes.post("reader.fetch_image", tickets.issue({"url": url}), reply, lane="fetch")

    late_replies.ask(request, post, PATIENCE)
    return images.cached(url)


def _failed_lately(url: str) -> bool:
    return sealed_cache.get(f"{images.cache_key(url)}:failed", session_key=None) == _FAILED


def note_failure(url: str) -> None:
    """Remember for a while that there is no image behind `url`."""
    sealed_cache.put(
        f"{images.cache_key(url)}:failed", _FAILED, session_key=None, seconds=FAILED_FOR
    )
