"""What a person can do about a refusal of their mail server.

Pure. By the enhanced status code (RFC 3463 §3, registered codes of RFC 5248) where the server gives
one, else by the reply code (RFC 5321 §4.2.3). The class digit is left out: a temporary refusal is
tried again by itself and comes here only when that was given up.
"""

from django.utils.translation import gettext as _


def advice(code: int | None, enhanced: str) -> str:
    """Return a sentence that says what to do. code: 0 or None if no server answered."""
    detail = enhanced.partition(".")[2]  # "1.1" of "5.1.1"
    return _by_enhanced(detail) or _by_code(code or 0)


def _by_enhanced(detail: str) -> str:
    match detail.split("."):
        case ["1", "1" | "2" | "3" | "6" | "10"]:
            return _address()
        case ["1", "7" | "8"]:
            return _sender()
        case ["2", "3"] | ["3", "4"]:
            return _too_large()
        case ["5", "3"]:
            return _("Send it to fewer people at once.")
        case ["7", "8" | "9"]:
            return _password()
        case ["7", _]:
            return _not_allowed()
    return _beyond_their_server(detail)


def _beyond_their_server(detail: str) -> str:
    match detail.split("."):
        case ["2", "1"]:
            return _("Their mailbox takes no mail at present. Reach them by another way.")
        case ["2", "2"]:
            return _("Their mailbox is full. Try again later, or reach them by another way.")
        case ["4", _]:
            return _("The way to their mail server is disturbed. Send it again later.")
        case ["6", _]:
            return _("Their server does not take this kind of content. Send it in another form.")
        case _:
            return ""


def _by_code(code: int) -> str:
    match code:
        case 530 | 534 | 535 | 538:
            return _password()
        case 550 | 551 | 553:
            return _address()
        case 552:
            return _too_large()
        case 554:
            return _not_allowed()
        case _:
            return _(
                "Open the draft and send it again. Ask your administrator if it keeps failing."
            )


def _address() -> str:
    return _("Check the address for typing errors, then send it again.")


def _sender() -> str:
    return _("Your server does not let you write from this address. Choose another one as From.")


def _too_large() -> str:
    return _("It is too large. Remove a file or make it smaller, then send it again.")


def _password() -> str:
    return _("Your mail server no longer takes your password. Sign out and in again, then send it.")


def _not_allowed() -> str:
    return _("Your mail server does not allow this mail. Ask your administrator why.")
