"""The key of one browser session: half in the server-side session, half in a cookie of the browser.

What came out of encrypted mail is cached under this key, and the unlocked vault is split the same
way: neither the database nor the browser alone can open it. The cookie is SameSite=Strict, so a
request that another site starts comes without it; such a request gets a key that opens nothing.
"""

import base64
import binascii
import hashlib
import secrets

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse

HALF_SIZE = 32  # bytes
_SESSION_HALF = "session-half"
_NEW_HALF = "_signet_new_half"


def cookie_name() -> str:
    """Return the cookie's name; `__Host-` keeps subdomains from setting it (RFC 6265bis §4.1.3)."""
    return "__Host-signet-half" if settings.IS_HTTPS else "signet-half"


def session_key(request: HttpRequest) -> bytes:
    """Return the 32-byte key of this session, making both halves when there are none."""
    browser_half = _browser_half(request)
    server_half = request.session.get(_SESSION_HALF)
    if browser_half is None and server_half and _is_cross_site(request):
        return secrets.token_bytes(HALF_SIZE)
    if browser_half is None or not server_half:
        browser_half, server_half = renew(request)
    material = base64.b64decode(server_half) + browser_half
    return HKDF(
        algorithm=hashes.SHA256(), length=HALF_SIZE, salt=None, info=b"signet session key"
    ).derive(material)


def stamp_of(session: SessionBase) -> str:
    """Return a word that is another once the session's key is, and from which no key follows."""
    half = str(session.get(_SESSION_HALF) or "")
    return hashlib.sha256(b"session stamp\x00" + half.encode()).hexdigest()[:16]


def forget(session: SessionBase) -> None:
    """Give up the server's half: what the key sealed can no longer be opened."""
    session.pop(_SESSION_HALF, None)


def renew(request: HttpRequest) -> tuple[bytes, str]:
    """Make new halves (at sign-in): what the old key sealed can no longer be opened."""
    browser_half = secrets.token_bytes(HALF_SIZE)
    server_half = base64.b64encode(secrets.token_bytes(HALF_SIZE)).decode()
    request.session[_SESSION_HALF] = server_half
    setattr(request, _NEW_HALF, browser_half)
    return browser_half, server_half


def write_cookie(request: HttpRequest, response: HttpResponse) -> None:
    """Give the browser its half, if this request made one (SessionLimitsMiddleware calls this)."""
    half = getattr(request, _NEW_HALF, None)
    if half is not None:
        response.set_cookie(
            cookie_name(),
            base64.urlsafe_b64encode(half).decode(),
            max_age=settings.SESSION_COOKIE_AGE,
            secure=settings.IS_HTTPS,
            httponly=True,
            samesite="Strict",
        )


def drop_cookie(response: HttpResponse) -> None:
    """Take the browser's half away (at sign-out)."""
    response.delete_cookie(cookie_name(), samesite="Strict")


def _browser_half(request: HttpRequest) -> bytes | None:
    made = getattr(request, _NEW_HALF, None)
    if made is not None:
        return bytes(made)
    try:
        half = base64.urlsafe_b64decode(request.COOKIES.get(cookie_name(), ""))
    except (binascii.Error, ValueError):
        return None
    return half if len(half) == HALF_SIZE else None


def _is_cross_site(request: HttpRequest) -> bool:
    return request.headers.get("Sec-Fetch-Site") in {"cross-site", "same-site"}
