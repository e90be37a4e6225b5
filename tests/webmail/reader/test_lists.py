"""Mail that a list changed: what its receiving server found counts once an administrator says so."""

from dataclasses import asdict

import pytest

from accounts.mail_servers import ServerDescription, save_server
from tests.webmail.reader.judged import plain, signed
from webmail.mailbox.models import Message

_LIST = (
    b"Authentication-Results: mx.example.test; dkim=pass header.d=club.example\r\n"
    b"Received: from out.club.example (out.club.example [198.51.100.4]) by mx.example.test;"
    b" Mon, 23 Nov 2026 12:00:01 +0000\r\n"
)
_NAMED = b"List-Id: Club <talk.club.example>\r\n"


def _changed(raw: bytes) -> bytes:
    assert raw.count(b"100 EUR") == 1
    return raw.replace(b"100 EUR", b"100 EUR [Club]")


@pytest.fixture
def trust_server(mail, django_capture_on_commit_callbacks, monkeypatch):
    monkeypatch.setattr("accounts.lanes.post_later", lambda *_args, **_more: None)

    def change(names):
        server = mail.account.server
        server.refresh_from_db()
        fields = {name: getattr(server, name) for name in asdict(ServerDescription(**_ADDRESSES))}
        description = ServerDescription(**{**fields, "authserv_ids": names})
        with django_capture_on_commit_callbacks(execute=True):
            save_server(server.domain, description, actor=None)
        mail.account.refresh_from_db()

    return change


_ADDRESSES = {
    "imap_host": "imap.example.test", "imap_port": 993, "imap_security": "tls",
    "submission_host": "smtp.example.test", "submission_port": 587, "submission_security": "tls",
}  # fmt: skip


def _arrives(mail, day, raw):
    message = mail.arrives(day, raw)
    Message.objects.filter(pk=message.pk).update(list_id="talk.club.example")
    return message


def test_the_verdict_turns_when_a_server_is_trusted_and_back(
    mail, petra, trust_server, nothing_is_rendered
):
    """From kept facts alone: no mail is read again."""
    by_list = _arrives(mail, 1, _LIST + _NAMED + _changed(signed(1, petra)))
    forged = _arrives(
        mail, 2, b"Received: from a by b; x\r\n" + _LIST + _NAMED + _changed(signed(2, petra))
    )
    direct = mail.arrives(3, _LIST + _changed(signed(3, petra)))
    assert [mail.code(each) for each in (by_list, forged, direct)] == ["altered"] * 3
    nothing_is_rendered()
    trust_server("MX.example.test")
    mail.sweep()
    assert [mail.code(each) for each in (by_list, forged, direct)] == [
        "altered-by-list",
        "altered",
        "altered",
    ]
    assert mail.drawn(by_list) == ("", "")  # nothing is drawn of what proves nothing
    trust_server("")
    mail.sweep()
    assert mail.code(by_list) == "altered"


def test_it_is_judged_so_when_it_is_read(mail, petra, trust_server):
    """The first verdict knows the server, too."""
    trust_server("mx.example.test")
    message = _arrives(mail, 1, _LIST + _NAMED + _changed(signed(1, petra)))
    assert mail.code(message) == "altered-by-list"


def test_other_lists_mail_is_left_alone(mail, petra, trust_server):
    """Only what reads otherwise is due."""
    from webmail.reader.models import Reading

    whole = _arrives(mail, 1, _LIST + _NAMED + signed(1, petra))
    unsigned = _arrives(mail, 2, _LIST + _NAMED + plain(2))
    before = dict(Reading.objects.values_list("message_id", "turns_at"))
    trust_server("mx.example.test")
    assert dict(Reading.objects.values_list("message_id", "turns_at")) == before
    assert mail.code(whole) != "altered"
    assert mail.code(unsigned) == "unsigned"
