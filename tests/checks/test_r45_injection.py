"""Check 45, rows 20 and 21: CR, LF and NUL in any field reach no wire and no header.

What the servers saw is looked at, not what the client meant to send: each call is one command with
one tag, or it is refused before anything is sent.
"""

import contextlib
import email
import email.policy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.imap import FakeImap
from tests.fakes.scripted import ScriptedServer
from tests.webmail.imap.hostile import connect
from webmail.html import attachment_headers
from webmail.imap import Deadlines, Header, ImapError, Text
from webmail.mime import Address, parse_message
from webmail.mime.write import Attachment, Composition, assemble, build_entity, header_fields

PATIENT = Deadlines(greeting=30, login=30, command=30, total=120)
ATTACK = "x\r\nA666 LOGOUT\r\nBcc: victim@example.test\r\n\r\n<script>"
ENDS = st.sampled_from(["\r\n", "\n", "\r", "\0", "\x85", "\u2028", "\v", "{3+}\r\n", '"', "\\"])
VALUES = st.builds(
    lambda start, end, rest: f"{start}{end}{rest}",
    st.text(max_size=8),
    ENDS,
    st.sampled_from(["A666 LOGOUT", "Bcc: v@e.example", "", " x", "* OK", "."]),
)
CALLS = {
    "search text": lambda session, value: session.search(Text("subject", value)),
    "search header": lambda session, value: session.search(Header("Message-ID", value)),
    "search field": lambda session, value: session.search(Header(value, "x")),
    "message-id": lambda session, value: session.find_message_id(value),
    "create": lambda session, value: session.create(value),
    "rename": lambda session, value: session.rename("INBOX", value),
    "delete": lambda session, value: session.delete_folder(value),
    "select": lambda session, value: session.select(value),
    "status": lambda session, value: session.status(value),
    "flag": lambda session, value: session.store([1], add=[value]),
    "copy": lambda session, value: session.copy([1], value),
    "section": lambda session, value: session.body(1, value, limit=10),
}


@pytest.fixture(scope="module")
def talk(server_context, test_authority):
    """A session with a server that says yes to everything, and the lines it saw."""
    with ScriptedServer(_Yes(), context=server_context) as running:
        opened = []

        def session():
            if not opened or not opened[-1].is_open:
                opened.append(connect(running, test_authority, deadlines=PATIENT))
                opened[-1].select("INBOX")
            return opened[-1], running.log

        yield session
        for each in opened:
            each.abandon()


class _Yes(FakeImap):
    def __init__(self) -> None:
        yes = b"TAG OK done\r\n"
        names = (
            "SEARCH CREATE RENAME DELETE SELECT EXAMINE STATUS ENABLE NOOP SUBSCRIBE UNSUBSCRIBE"
        )
        commands = {name.encode(): yes for name in names.split()}
        commands |= {f"UID {name}".encode(): yes for name in ("SEARCH", "STORE", "COPY", "FETCH")}
        opened = b"* 1 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n* OK [UIDNEXT 2] x\r\n" + yes
        super().__init__(commands=commands | {b"SELECT": opened, b"EXAMINE": opened})


@pytest.mark.parametrize("call", CALLS)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(value=VALUES)
def test_r45_no_call_makes_a_second_imap_command(call: str, talk, value: str) -> None:
    _one_command(call, talk, value)


@pytest.mark.parametrize("call", CALLS)
def test_r45_the_known_attack(call: str, talk) -> None:
    _one_command(call, talk, ATTACK)


def _one_command(call: str, talk, value: str) -> None:
    session, log = talk()
    before, sent = len(log), session.commands_sent
    with contextlib.suppress(ImapError, ValueError):
        CALLS[call](session, value)
    commands = session.commands_sent - sent
    lines = [line for line in log[before:] if line]
    # A literal's octets are read by their count; every other line is one that we counted.
    assert not any(b"LOGOUT" in line.upper().split(b" ")[1:2] for line in lines), lines
    tagged = [line for line in lines if line.split(b" ")[0].isalnum() and b" " in line]
    assert len(tagged) <= commands, lines


FIELDS = [
    "subject",
    "from name",
    "from address",
    "to name",
    "to address",
    "message-id",
    "filename",
    "type",
]


def _written(field: str, value: str) -> bytes:
    mail = {
        "from_": Address("Alice", "alice@example.test"),
        "to": (Address("Bob", "bob@example.test"),),
        "subject": "Plans",
        "message_id": "one@example.test",
        "text": "Hello.\n",
    }
    match field:
        case "subject":
            mail["subject"] = value
        case "from name":
            mail["from_"] = Address(value, "alice@example.test")
        case "from address":
            mail["from_"] = Address("Alice", value)
        case "to name":
            mail["to"] = (Address(value, "bob@example.test"),)
        case "to address":
            mail["to"] = (Address("Bob", value),)
        case "message-id":
            mail["message_id"] = value
        case "filename":
            mail["attachments"] = (Attachment(value, "text/plain", b"x"),)
        case "type":
            mail["attachments"] = (Attachment("a.txt", value, b"x"),)
    from datetime import UTC, datetime

    made = Composition(**{"date": datetime(2026, 11, 20, tzinfo=UTC), **mail})
    return assemble(header_fields(made), build_entity(made))


@pytest.mark.parametrize("field", FIELDS)
@settings(max_examples=40, deadline=None)
@given(value=VALUES)
def test_r45_no_value_makes_a_second_header_field(field: str, value: str) -> None:
    _no_second_field(field, value)


@pytest.mark.parametrize("field", FIELDS)
def test_r45_the_known_attack_on_headers(field: str) -> None:
    _no_second_field(field, ATTACK)


def _no_second_field(field: str, value: str) -> None:
    sound = _written("subject", "Plans")
    try:
        raw = _written(field, value)
    except (ValueError, UnicodeError):
        return  # refused before anything is written
    names = {name.lower() for name, _ in parse_message(sound).root.headers}
    for part in parse_message(raw).walk():
        found = {name.lower() for name, _ in part.headers}
        assert found <= names | {"content-disposition", "content-transfer-encoding", "content-type"}
    # Another reader than ours sees no other field either.
    other = email.message_from_bytes(raw, policy=email.policy.compat32)
    assert "bcc" not in {name.lower() for name, _ in other.items()}
    assert "\0" not in raw.decode("latin-1")


@settings(max_examples=200, deadline=None)
@given(name=VALUES, kind=VALUES)
def test_r45_no_value_makes_a_second_response_field(name: str, kind: str) -> None:
    for value in attachment_headers(name, kind, inline=True, content_start=b"x").values():
        assert not set("\r\n\0") & set(value)
        assert value.isascii()
