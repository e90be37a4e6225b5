"""Signed addresses of the things a message's page loads: frames, parts, images, marked links.

A token binds person, message and position; it holds no mail text (no remote address, no file
name), so that nothing of a message stands in an access log. Tokens live as long as a page may
stand open.
"""

from dataclasses import dataclass

from django.core import signing
from django.http import Http404
from django.urls import reverse

LIFETIME = 24 * 3600  # seconds


@dataclass(frozen=True, slots=True)
class Target:
    """What a token points at."""

    user_id: int
    message_id: int
    # Which rendering of the message: webmail.reader.variants.Variant.key
    variant: str
    # A frame's, image's or link's position, or a part's "layer/path".
    position: str


def _token(kind: str, target: Target) -> str:
    payload = [target.user_id, target.message_id, target.variant, target.position]
    return signing.dumps(payload, salt=f"reader.{kind}")


def address(kind: str, target: Target) -> str:
    """Return the URL of a `kind`: frame, part, img or go."""
    return reverse(f"reader:{kind}", args=[_token(kind, target)])


def read(kind: str, token: str, *, user_id: int) -> Target:
    """Return what `token` points at; Http404 alike for forged, old and other people's tokens."""
    try:
        payload = signing.loads(token, salt=f"reader.{kind}", max_age=LIFETIME)
        target = Target(int(payload[0]), int(payload[1]), str(payload[2]), str(payload[3]))
    except (signing.BadSignature, ValueError, TypeError, IndexError) as error:
        raise Http404 from error
    if target.user_id != user_id:
        raise Http404
    return target
