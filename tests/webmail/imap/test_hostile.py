"""Hostile and broken servers once somebody is signed in: reliability checks 33-36, 45."""

import time
import tracemalloc

import pytest

from tests.fakes.imap import FakeImap
from tests.webmail.imap.hostile import connect, serve
from webmail.imap import (
    CommandRefused,
    ConnectionLost,
    DeadlineExceeded,
    ImapError,
    LimitExceeded,
    ProtocolViolation,
    Text,
)


@pytest.fixture
def fake(server_context, test_authority):
    """A function: commands → an open session with a fake in TLS."""
    servers = []

    def start(*, commands=None, **fields):
        script = FakeImap(commands=commands or {}, **fields)
        server = serve(script, server_context).__enter__()
        servers.append(server)
        session = connect(server, test_authority)
        sessions.append(session)
        session.script, session.server = script, server
        return session

    sessions = []
    yield start
    for session in sessions:
        session.abandon()
    for server in servers:
        server.__exit__()


def fetch_reply(content):
    return {b"UID FETCH": content + b"TAG OK done\r\n"}


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (
            lambda p, t, r: p.send(b"* 1 FETCH (UID 1 BODY[] {4000000000}\r\n") or p.hang(),
            LimitExceeded,
        ),
        (
            lambda p, t, r: (
                p.send(b"* 1 FETCH (UID 1 BODY[] {99999999999999999999999}\r\n") or p.hang()
            ),
            ImapError,
        ),
        (lambda p, t, r: p.flood(b"x", megabytes=100), LimitExceeded),
        (lambda p, t, r: p.flood(b"* 1 FOO\r\n", megabytes=400), LimitExceeded),
        (
            lambda p, t, r: (
                p.send(b"* 1 FETCH (" + b"(" * 10_000 + b")" * 10_000 + b")\r\n") or p.hang()
            ),
            ProtocolViolation,
        ),
        (lambda p, t, r: p.send(b"X99 OK done\r\n") or p.hang(), ProtocolViolation),
        (lambda p, t, r: p.send(t + b" WHAT done\r\n") or p.hang(), ProtocolViolation),
        (lambda p, t, r: p.send(b"+ go on\r\n") or p.hang(), ProtocolViolation),
        (lambda p, t, r: p.send(b"garbage\r\n") or p.hang(), ProtocolViolation),
        (lambda p, t, r: p.trickle(b"* 1 FETCH (" + b"x" * 500, every=0.05), DeadlineExceeded),
        (
            lambda p, t, r: p.send(b"* 1 FETCH (UID 1 BODY[] {100}\r\nhalf") or p.close(),
            ConnectionLost,
        ),
        (lambda p, t, r: p.hang(), DeadlineExceeded),
    ],
    ids=[
        "4GB",
        "huge",
        "line",
        "lines",
        "parens",
        "tag",
        "word",
        "plus",
        "noise",
        "trickle",
        "cut",
        "silence",
    ],
)
def test_hostile_replies_end_the_connection_with_bounded_memory(fake, reply, kind):
    session = fake(commands={b"UID FETCH": reply})
    session.select("INBOX")
    tracemalloc.start()
    started = time.monotonic()
    try:
        with pytest.raises(kind):
            session.body(1, limit=1_000_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 64 * 1024 * 1024
    assert time.monotonic() - started < 20
    assert not session.is_open
    with pytest.raises(ConnectionLost):
        session.noop()


def test_refused_commands_keep_the_connection(fake):
    session = fake(commands={b"UID STORE": b"TAG NO [OVERQUOTA] full\r\n"})
    session.select("INBOX", readonly=False)
    with pytest.raises(CommandRefused) as caught:
        session.store([1], add=["\\Seen"])
    assert caught.value.code == "OVERQUOTA"
    assert not caught.value.is_bad
    assert session.noop() == []


def test_a_lying_server_gives_only_what_was_asked(fake):
    row = b'* 1 FETCH (UID %d FLAGS () INTERNALDATE "07-Feb-2026 02:44:25 +0000" RFC822.SIZE 5 BODYSTRUCTURE ("text" "plain" NIL NIL NIL "7bit" 1 1) BODY[HEADER.FIELDS (FROM)] {2}\r\n\r\n)\r\n'
    lies = b"".join(row % uid for uid in (9, 5, 0, 3, 3, 4294967296))
    session = fake(
        commands=fetch_reply(
            lies + b"* 4000000 EXISTS\r\n* 1 FETCH (FLAGS (\\Seen))\r\n* 0 EXPUNGE\r\n"
        )
    )
    session.select("INBOX")
    assert [r.uid for r in session.rows([3, 4, 5])] == [3, 5]
    assert len(session.take_events()) >= 3


@pytest.mark.parametrize("refuses_headers", [False, True])
def test_a_message_the_server_cannot_read_hides_no_other(fake, refuses_headers):
    head = b'* %d FETCH (UID %d FLAGS () INTERNALDATE "07-Feb-2026 02:44:25 +0000" RFC822.SIZE 5 %bBODY[HEADER.FIELDS (FROM)] {2}\r\n\r\n)\r\n'
    structure = b'BODYSTRUCTURE ("text" "plain" NIL NIL NIL "7bit" 1 1) '

    def fetch(peer, tag, rest):
        has_structure = b"BODYSTRUCTURE" in rest
        broken = {2} if has_structure or refuses_headers else set()
        for uid in {1, 2, 3} - broken:
            peer.send(head % (uid, uid, structure if has_structure else b""))
        peer.send(tag + (b" NO [SERVERBUG] broken\r\n" if broken else b" OK done\r\n"))

    session = fake(commands={b"UID FETCH": fetch})
    session.select("INBOX")
    rows = {row.uid: row for row in session.rows((1, 3))}
    assert set(rows) == ({1, 3} if refuses_headers else {1, 2, 3})
    assert all((row.structure is None) == (uid == 2) for uid, row in rows.items())


def test_a_message_that_is_gone(fake):
    session = fake(commands=fetch_reply(b""))
    session.select("INBOX")
    with pytest.raises(ImapError) as caught:
        session.body(1, limit=10)
    assert type(caught.value).__name__ == "MessageGone"
    assert session.is_open


@pytest.mark.parametrize("feature", ["ESEARCH", "MOVE", "CONDSTORE", "UIDPLUS", "LIST-STATUS"])
def test_an_advertised_feature_that_fails_is_done_without(fake, feature):
    def search(peer, tag, rest):
        if b"RETURN" in rest:
            peer.send(tag + b" BAD no such thing\r\n")
        else:
            peer.send(b"* SEARCH 1 2 3\r\n" + tag + b" OK done\r\n")

    def select(peer, tag, rest):
        if b"CONDSTORE" in rest:
            peer.send(tag + b" BAD no such thing\r\n")
        else:
            peer.send(b"* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n" + tag + b" OK done\r\n")

    def listing(peer, tag, rest):
        if b"RETURN" in rest:
            peer.send(tag + b" BAD no such thing\r\n")
        else:
            peer.send(b'* LIST (\\noselect) "/" "a"\r\n' + tag + b" OK done\r\n")

    session = fake(
        capabilities=b"AUTH=PLAIN SASL-IR " + feature.encode(),
        commands={
            b"UID SEARCH": search, b"SELECT": select, b"LIST": listing,
            b"UID MOVE": b"TAG BAD no\r\n", b"UID EXPUNGE": b"TAG BAD no\r\n",
            b"UID COPY": b"TAG OK [COPYUID 7 1:3 11:13] done\r\n",
            b"UID STORE": b"TAG OK done\r\n", b"EXPUNGE": b"TAG OK done\r\n",
        },
    )  # fmt: skip
    session.select("INBOX", readonly=False)
    assert list(session.uids(1, 100)) == [1, 2, 3]
    assert session.move([1, 2, 3], "Trash") == {1: 11, 2: 12, 3: 13}
    assert session.folders()[0].attributes == {"\\Noselect"}
    assert session.refused == {feature}


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        (b"* OK [PERMANENTFLAGS (\\Seen \\*)] any\r\n", {"$Junk", "$MDNSent", "\\Seen"}),
        (b"* OK [PERMANENTFLAGS (\\Seen $junk)] some\r\n", {"$Junk", "\\Seen"}),
        (b"* OK [PERMANENTFLAGS (\\Seen)] none\r\n", {"\\Seen"}),
        (b"", {"$Junk", "$MDNSent", "\\Seen"}),  # RFC 9051 §7.1: then all can be
    ],
)
def test_which_keywords_a_folder_keeps(fake, told, kept):
    select = b"* 0 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n" + told + b"TAG OK [READ-WRITE] done\r\n"
    session = fake(capabilities=b"AUTH=PLAIN SASL-IR", commands={b"SELECT": select})
    selected = session.select("INBOX", readonly=False)
    assert {name for name in ("$Junk", "$MDNSent", "\\Seen") if selected.keeps(name)} == kept


def test_plain_expunge_never_touches_what_others_marked(fake):
    session = fake(
        capabilities=b"AUTH=PLAIN SASL-IR",
        commands={
            b"UID SEARCH": b"* SEARCH 1 2 9\r\nTAG OK done\r\n",
            b"EXPUNGE": b"TAG OK done\r\n",
        },
    )
    session.select("INBOX", readonly=False)
    assert session.expunge([1, 2]) is False
    assert not any(b"EXPUNGE" in line for line in session.server.log)
    assert session.expunge([1, 2, 9]) is True


@pytest.mark.parametrize(
    "code",
    [
        b"",
        b"[COPYUID 7 1 1:4000000000]",
        b"[COPYUID 7 1,2 5]",
        b"[COPYUID 7]",
        b"[COPYUID x y z]",
        b"[COPYUID 7 1:2 0:1]",
    ],
)
def test_malformed_copyuid_counts_as_none(fake, code):
    session = fake(commands={b"UID COPY": b"TAG OK " + code + b" done\r\n"})
    session.select("INBOX")
    assert session.copy([1, 2], "Trash") is None


def test_sets_are_compressed_and_cut(fake):
    session = fake(commands={b"UID STORE": b"TAG OK done\r\n"})
    session.select("INBOX", readonly=False)
    session.store(range(1, 50_001), add=["\\Seen"])
    session.store(range(1, 50_001, 2), add=["\\Seen"])
    lines = [line for line in session.server.log if b"STORE" in line]
    assert lines[0].endswith(b"UID STORE 1:50000 +FLAGS.SILENT (\\Seen)")
    assert len(lines) > 10
    assert max(map(len, lines)) < 8_192


def test_a_pair_is_a_range_to_read_and_two_uids_to_change(fake):
    session = fake(commands={b"UID FETCH": b"TAG OK done\r\n", b"UID STORE": b"TAG OK done\r\n"})
    session.select("INBOX", readonly=False)
    session.flags((3, 9))
    session.store((3, 9), add=["\\Seen"])
    assert b"UID FETCH 3:9 " in session.server.log[-2]
    assert b"UID STORE 3,9 " in session.server.log[-1]


@pytest.mark.parametrize("bad", ["x\r\nT2 CREATE evil", "x\nT2 CREATE evil", "x\0"])
def test_nothing_a_person_types_becomes_a_command(fake, bad):
    session = fake()
    session.select("INBOX", readonly=False)
    sent = len(session.server.log)
    for attempt in (
        lambda: session.select(bad),
        lambda: session.create(bad),
        lambda: session.search(Text("subject", bad)),
        lambda: session.store([1], add=[bad]),
        lambda: session.body(1, bad, limit=1),
        lambda: session.find_message_id(bad),
        lambda: session.append(bad, b"x", flags=[]),
        lambda: session.append("INBOX", b"x", flags=[bad]),
        lambda: session.move([1], bad),
    ):
        with pytest.raises(ValueError):
            attempt()
    session.noop()
    assert len(session.server.log) == sent + 1


def test_words_travel_as_literals(fake):
    session = fake(commands={b"UID SEARCH": b"* SEARCH\r\nTAG OK done\r\n"})
    session.select("INBOX")
    session.search(Text("subject", 'a" OR ALL') & Text("body", "ü"))
    assert session.script.literals == [b'a" OR ALL', "ü".encode()]
    assert b"UID SEARCH CHARSET UTF-8 (SUBJECT {9+}" in session.server.log[-3]


def test_no_secret_is_logged(fake, caplog):
    caplog.set_level(1)
    fake().select("INBOX")
    assert not any(word in caplog.text for word in ("s3cret", "AGFsaWNl", "INBOX"))


def test_quirks_switch_features_off(server_context, test_authority):
    script = FakeImap(
        capabilities=b"AUTH=PLAIN SASL-IR ID UIDPLUS MOVE",
        commands={b"ID": b'* ID ("name" "Proton Mail Bridge")\r\nTAG OK done\r\n'},
    )
    with (
        serve(script, server_context) as server,
        connect(server, test_authority, without=["move"]) as session,
    ):
        assert not session.has("UIDPLUS")
        assert not session.has("MOVE")
        assert "UIDPLUS" in session.capabilities
