"""The session against Dovecot, by capability profile, and against pymap."""

import threading
import time
from datetime import UTC, datetime

import pytest

from webmail.imap import (
    AuthFailed,
    CommandRefused,
    Credentials,
    Deadlines,
    Exists,
    Flagged,
    Header,
    LimitExceeded,
    MessageGone,
    ServerUnavailable,
    Session,
    Since,
    Text,
    UidSet,
    Vanished,
)
from webmail.sasl.mechanisms import PREFERENCE

pytestmark = pytest.mark.live

PROFILES = {
    "full": (),
    "no-qresync": ("QRESYNC",),
    "no-condstore": ("QRESYNC", "CONDSTORE"),
    "no-uidplus": ("UIDPLUS",),
    "no-move": ("MOVE",),
    "bare": ("QRESYNC", "CONDSTORE", "UIDPLUS", "MOVE", "ESEARCH", "LIST-STATUS", "LITERAL+", "SASL-IR", "ID"),
}  # fmt: skip
DATE = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)


def letter(number, body="hello\r\n", subject=None):
    subject = subject or f"letter {number}"
    return (
        f"From: Zo <zo@example.test>\r\nTo: alice@example.test\r\nSubject: {subject}\r\n"
        f"Message-ID: <m{number}@example.test>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
        f"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n"
        "--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n"
        'Content-Disposition: attachment; filename="ä (1).pdf"\r\n\r\nAAAA\r\n--b--\r\n'
    ).encode()


@pytest.fixture(params=[*PROFILES, "pymap"])
def session(request, mail_servers):
    """A session on an empty account, for each profile and for pymap."""
    if request.param == "pymap":
        server = request.getfixturevalue("pymap_server")
        opened = Session.open(server.endpoint(), Credentials("alice", server.users["alice"]))
        opened.select("INBOX", readonly=False)
        if found := opened.uids(1):
            opened.store(found, add=["\\Deleted"])
            opened.expunge(found)
        with opened:
            yield opened
        return
    names = "".join(c for c in request.node.name if c.isalnum())[-40:].lower()
    user = mail_servers.add_user(f"u{names}{time.monotonic_ns() % 10**6}")
    with Session.open(
        mail_servers.dovecot.endpoint(), user.credentials, without=PROFILES[request.param]
    ) as opened:
        yield opened


def filled(session, count=5):
    for number in range(count):
        session.append("INBOX", letter(number), internal_date=DATE)
    return session.select("INBOX", readonly=False)


def test_rows(session):
    selected = filled(session)
    assert selected.exists == 5
    rows = session.rows_by_sequence(1, 5)
    assert rows == session.rows((1, None))
    assert [r.uid for r in rows] == list(session.uids(1))
    row = rows[0]
    if not session.has("OBJECTID"):
        assert row.size == len(letter(0))
    assert row.internal_date == DATE
    assert b"letter 0" in row.header
    assert b"Message-ID: <m0@example.test>" in row.header
    assert row.structure.content_type == "multipart/mixed"
    text, pdf = row.structure.children
    assert (text.path, text.content_type, text.charset) == ("1", "text/plain", "utf-8")
    assert (pdf.path, pdf.content_type, pdf.encoding) == ("2", "application/pdf", "base64")
    if not session.has("OBJECTID"):  # pymap 0.36 leaves out a disposition with raw UTF-8
        assert pdf.disposition == "attachment"
        assert "(1).pdf" in pdf.filename
    assert (row.modseq is not None) == session.has("CONDSTORE")
    assert (row.email_id is not None) == session.has("OBJECTID")
    assert session.rows([rows[1].uid, 4_000_000]) == [rows[1]]
    assert session.rows((4_000_000, None)) == []
    assert session.rows([]) == []


def test_counting_and_searching(session):
    filled(session)
    uids = session.uids(1)
    assert session.count(1) == 5
    assert session.count(1, 4_000_000_000) == 5
    assert session.count(4_000_000) == 0
    assert session.uids(4_000_000) == UidSet()
    assert len(session.uids(uids.ranges[0][0], uids.ranges[0][0])) == 1
    assert session.find_message_id("m3@example.test") == [list(uids)[3]]
    assert session.find_message_id("absent@example.test") == []
    assert session.search(Text("subject", "letter 2")) == UidSet.of([list(uids)[2]])
    assert session.search(~Flagged("\\Seen") & Header("Subject", "letter")) == uids
    assert session.search(Text("body", "hello") | Flagged("\\Draft")) == uids
    assert session.search(Since(DATE.date())) == uids
    assert session.search(Text("subject", 'x" OR "ALL')) == UidSet()
    assert session.search(Text("subject", "ünfindbar")) == UidSet()


def test_flags(session):
    filled(session)
    uids = list(session.uids(1))
    session.store(uids[:2], add=["\\Seen", "\\Flagged"])
    session.store(uids[:1], remove=["\\Flagged"])
    flags = {r.uid: r.flags for r in session.flags((1, None))}
    assert flags[uids[0]] == {"\\Seen"}
    assert flags[uids[1]] == {"\\Seen", "\\Flagged"}
    assert flags[uids[2]] == set()


def test_changes_since_a_mod_sequence(session):
    selected = filled(session)
    if not session.has("CONDSTORE"):
        assert len(session.flags((1, None), changed_since=1)) == 5
        assert session.select("INBOX", qresync=(selected.uidvalidity, 1)).vanished is None
        return
    uids = list(session.uids(1))
    assert session.flags((1, None), changed_since=selected.highestmodseq) == []
    session.store(uids[3:4], add=["\\Seen"])
    session.store(uids[:1], add=["\\Deleted"])
    session.expunge(uids[:1])
    assert [r.uid for r in session.flags((1, None), changed_since=selected.highestmodseq)] == [
        uids[3]
    ]
    again = session.select("INBOX", qresync=(selected.uidvalidity, selected.highestmodseq))
    assert again.highestmodseq > selected.highestmodseq
    if session.has("QRESYNC"):
        assert again.vanished == UidSet.of(uids[:1])
        assert [(r.uid, r.flags) for r in again.flag_changes] == [(uids[3], {"\\Seen"})]
        rows, gone = session.changes((1, None), since=selected.highestmodseq)
        assert [r.uid for r in rows] == [uids[3]]
        assert gone == UidSet.of(uids[:1])
    else:
        assert again.vanished is None


def test_bodies(session):
    big = letter(9, body="x" * 70 + "\r\n" + ("0123456789" * 7 + "\r\n") * 9_000)
    session.append("INBOX", big)
    session.append("INBOX", letter(1))
    session.select("INBOX", readonly=False)
    first, second = session.uids(1)
    sent = session.commands_sent
    assert session.body(second, limit=10_000) == letter(1)
    assert session.commands_sent == sent + 1
    assert session.body(first, limit=1_000_000) == big
    assert session.body(second, "1", limit=100).strip() == b"hello"
    assert session.body(second, "2", limit=100).strip() == b"AAAA"
    assert session.body(second, "2.MIME", limit=1000).startswith(b"Content-Type: application/pdf")
    assert session.body(second, "HEADER", limit=1000).endswith(b"\r\n\r\n")
    assert session.beginnings([first, second], "1", octets=5) == {first: b"x" * 5, second: b"hello"}
    with pytest.raises(LimitExceeded):
        session.body(first, limit=300_000)
    with pytest.raises(MessageGone):
        session.body(4_000_000, limit=10)
    assert session.flags([first])[0].flags == set()


def test_moving_and_copying(session):
    filled(session)
    name = f"Ablage{time.monotonic_ns()}"  # other tests file things, too
    session.create(f'Büro/{name} & "Rest"' if session.server_id else name)
    target = next(f for f in session.folders() if name in f.path)
    uids = list(session.uids(1))
    copied = session.copy(uids[:1], target.raw)  # pymap 0.36 copies an empty message
    moved = session.move(uids[1:3], target.path)
    assert set(session.uids(1)) == set(uids) - set(uids[1:3])
    there = session.select(target.path)
    assert there.exists == 3
    rows = session.rows_by_sequence(1, 3)
    found = [int(r.header.split(b"letter ")[1][:1]) for r in rows if b"letter" in r.header]
    assert sorted(found) == ([0, 1, 2] if not session.has("OBJECTID") else [1, 2])
    if moved is not None:
        assert list(moved) == uids[1:3]
        assert set(copied.values()) | set(moved.values()) == set(session.uids(1))
    else:
        assert not session.has("UIDPLUS")
    session.select("INBOX")
    session.delete_folder(target.raw)
    assert not any(name in f.path and f.is_selectable for f in session.folders())


def test_expunge_leaves_what_others_marked(session):
    filled(session)
    uids = list(session.uids(1))
    session.store(uids[:2], add=["\\Deleted"])
    done = session.expunge(uids[:1])
    assert done is session.has("UIDPLUS")
    assert set(session.uids(1)) == set(uids[1:] if done else uids)
    assert session.expunge(uids[:2]) is True
    assert set(session.uids(1)) == set(uids[2:])


def test_append(session):
    session.select("INBOX", readonly=False)
    uid = session.append("INBOX", letter(1), flags=["\\Seen", "\\Draft"], internal_date=DATE)
    session.noop()
    (row,) = session.rows((1, None))
    assert uid == row.uid or not session.capabilities & {"UIDPLUS"}
    assert row.flags == {"\\Seen", "\\Draft"}
    with pytest.raises(CommandRefused):
        session.append("No such folder", letter(1))
    assert session.noop() is not None


def test_folders(session):
    folders = {f.path: f for f in session.folders()}
    inbox = folders["INBOX"]
    assert inbox.status.uidvalidity
    assert inbox.status.messages == 0
    assert session.status("INBOX") == inbox.status
    if session.has("SPECIAL-USE"):
        assert "\\Sent" in folders["Sent"].attributes
    session.create("Entwürfe 日本")
    session.create("Entwürfe 日本")
    assert "Entwürfe 日本" in [f.path for f in session.folders()]
    session.rename("Entwürfe 日本", "Other")
    assert "Other" in [f.path for f in session.folders(with_status=False)]
    session.delete_folder("Other")
    with pytest.raises(CommandRefused):
        session.select("Other")


def test_idle_without_news(session):
    session.select("INBOX")
    assert session.idle(0.05) == []
    assert session.noop() == []


# --- Dovecot only ----------------------------------------------------------------------------------


@pytest.fixture
def carol(mail_servers):
    return mail_servers.add_user(f"carol{time.monotonic_ns() % 10**8}")


def test_idle_and_a_second_client(mail_servers, carol):
    endpoint = mail_servers.dovecot.endpoint()
    with (
        Session.open(endpoint, carol.credentials) as watcher,
        Session.open(endpoint, carol.credentials) as other,
    ):
        watcher.select("INBOX")
        timer = threading.Timer(0.2, other.append, ("INBOX", letter(1)))
        timer.start()
        events = watcher.idle(10)
        timer.join()
        assert Exists(1) in events
        with watcher.idling() as idle:
            assert idle.fileno() > 0
            assert idle.events(timeout=0) == []
            other.select("INBOX", readonly=False)
            other.store([1], add=["\\Flagged"])
            events = idle.events(timeout=10)
        assert [e.row.flags for e in events] == [{"\\Flagged"}]
        watcher.select("INBOX", qresync=(watcher.selected.uidvalidity, 1))
        other.store([1], add=["\\Deleted"])
        other.expunge([1])
        events = watcher.noop()
        assert Vanished(UidSet.of([1])) in events


def test_first_paint_takes_few_commands(mail_servers, carol):
    with Session.open(mail_servers.dovecot.endpoint(), carol.credentials) as session:
        before = session.commands_sent
        session.folders()
        session.select("INBOX")
        assert session.commands_sent - before == 2
        assert session.tls.version == "TLSv1.3"
        assert session.tls.certificate


@pytest.mark.parametrize("mechanism", PREFERENCE)
@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_every_mechanism(mail_servers, mechanism, security):
    user = mail_servers.add_user("pat", 'pä"ss\\ wörd')
    with Session.open(
        mail_servers.dovecot.endpoint(security), user.credentials, mechanisms=[mechanism]
    ) as session:
        assert session.select("INBOX").exists == 0
    assert f"method={mechanism}" in mail_servers.imap_log()
    with pytest.raises(AuthFailed):
        Session.open(
            mail_servers.dovecot.endpoint(security),
            Credentials("pat", "wrong"),
            mechanisms=[mechanism],
        )


def test_changed_password(mail_servers, carol):
    mail_servers.add_user(carol.username, "another one")
    with pytest.raises(AuthFailed):
        Session.open(mail_servers.dovecot.endpoint(), carol.credentials)


def test_total_budget_and_renewal(mail_servers, carol):
    deadlines = Deadlines(total=0.5)
    with Session.open(
        mail_servers.dovecot.endpoint(), carol.credentials, deadlines=deadlines
    ) as session:
        session.noop()
        time.sleep(0.3)
        session.renew()
        time.sleep(0.3)
        session.noop()
        time.sleep(0.6)
        with pytest.raises(Exception, match="too long"):
            session.noop()


def test_connection_limit(test_authority):
    from tests.servers.dovecot import Dovecot
    from tests.servers.fixtures import required

    with required("Dovecot"), Dovecot(test_authority, connections=2) as dovecot:
        user = dovecot.add_user("dave")
        with (
            Session.open(dovecot.endpoint(), user.credentials),
            Session.open(dovecot.endpoint(), user.credentials),
            pytest.raises(ServerUnavailable),
        ):
            Session.open(dovecot.endpoint(), user.credentials)


def test_uidvalidity_change(mail_servers, carol):
    with Session.open(mail_servers.dovecot.endpoint(), carol.credentials) as session:
        first = filled(session, 1)
        session.select("INBOX", qresync=(first.uidvalidity, 1))
    mail_servers.dovecot.doveadm(
        "mailbox", "update", "-u", carol.username, "--uid-validity", "12345", "INBOX"
    )
    with Session.open(mail_servers.dovecot.endpoint(), carol.credentials) as session:
        again = session.select("INBOX", qresync=(first.uidvalidity, first.highestmodseq))
        assert again.uidvalidity == 12345
        assert again.vanished is None
