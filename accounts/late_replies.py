"""Views that wait for a worker's word without holding a thread of the web meanwhile.

    view ─LateReply─▶ middleware ─202 + key─▶ webmail.live.waiting awaits the word (no thread)
         ◀────────── the same request once more, with the word ──────────┘

Where nobody waits outside (Django's test client, another server), the view waits in its thread.
For GET requests only: the request comes twice. A view waits once.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from accounts import replies

# Set by webmail.live.waiting, which drops what a browser sends under this name.
HEARD = "X-Signet-Heard"  # "" on the first way, then "=" and the word; absent: no one waits outside
WAITS_FOR = "X-Signet-Waits-For"  # key and seconds; never leaves the web process


class LateReply(Exception):  # noqa: N818 - no error: the request goes on later
    """The worker's word is to be awaited outside of this thread."""

    def __init__(self, key: str, patience: float) -> None:
        super().__init__(key)
        self.key = key
        self.patience = patience


def ask(request: HttpRequest, post: Callable[[str], object], patience: float) -> str | None:
    """Call `post` with a reply key and return the word; None after `patience` seconds.

    Raises LateReply, for the middleware, when the word can be awaited without this thread.
    """
    heard = request.headers.get(HEARD)
    if heard:
        return heard[1:] or None
    key = replies.reply_key()
    post(key)
    if heard is None:
        return replies.wait(key, patience)
    raise LateReply(key, patience)


class LateReplyMiddleware:
    """Turns LateReply into the sign that webmail.live.waiting understands."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on."""
        return self._get_response(request)

    def process_exception(self, _request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer for a view that waits."""
        if not isinstance(error, LateReply):
            return None
        return HttpResponse(status=202, headers={WAITS_FOR: f"{error.key} {error.patience}"})
