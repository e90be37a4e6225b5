"""Mails of which a part is signed or encrypted."""

from collections.abc import Iterator

from smime.cms import AES_256_CBC
from tests.browser.pane_mails import Mail
from tests.smime.cms.messages import HEAD, PLAIN, mixed, opaque
from tests.smime.pki.people import context, world
from tests.webmail.reader.test_framing import FOOTER, LINKED, LIST, encrypted, signed

FORWARDED = b"Content-Type: message/rfc822\r\n\r\n" + HEAD.replace(b"Invoice 1", b"The plan")


def mails() -> Iterator[Mail]:
    raw = {
        "whole": HEAD + signed(),
        "list": LIST + HEAD + mixed(signed(), FOOTER),
        "mailman": LIST + HEAD + mixed(FOOTER, signed(LINKED), FOOTER),
        "altered": HEAD + mixed(FOOTER, signed().replace(b"100", b"900")),
        "nested": HEAD + mixed(FOOTER, opaque(mixed(PLAIN, encrypted(LINKED), PLAIN))),
        "closed": HEAD + mixed(FOOTER, encrypted(to=world().mallory)),
        "malleable": HEAD + mixed(LINKED, encrypted(LINKED, AES_256_CBC)),
        "forwarded": HEAD + mixed(PLAIN, FORWARDED + signed()),
    }
    for name, each in raw.items():
        yield Mail(name, each, context(), keys=(world().bob,), themes=("light", "dark"))
