"""The way of a message: hops, delays, and whose Authentication-Results count."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from webmail.mime import trace
from webmail.mime.headers import read_headers
from webmail.mime.trace import (
    Hop,
    ReceivingServers,
    parse_received,
    read_trace,
    steps,
    trusted_results,
)

_AT = datetime(2026, 11, 2, 9, 11, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "hop"),
    [
        (
            ("from mail.nordlys.example (mail.nordlys.example [203.0.113.7]) by mx.example.org "
            "(Postfix) with ESMTPS id 4XyZ for <mira@example.org>; Mon, 2 Nov 2026 09:11:05 +0000"),
            Hop(
                "mail.nordlys.example",
                "mail.nordlys.example [203.0.113.7]",
                "mx.example.org",
                "ESMTPS",
                _AT,
            ),
        ),
        (
            "by 2002:a05:6358:1 with SMTP id ab; Mon, 02 Nov 2026 01:11:05 -0800 (PST)",
            Hop("", "", "2002:a05:6358:1", "SMTP", _AT),
        ),
        (
            "from unknown (HELO x) (203.0.113.7) by mx; Mon, 2 Nov 2026 09:11:05 +0000",
            Hop("unknown", "HELO x 203.0.113.7", "mx", "", _AT),
        ),
        ("(qmail 1 invoked by uid 89); 2 Nov 2026 09:11:05 -0000", Hop(at=_AT)),
        # a date in a comment or in a quote is none
        ("from a (x; 2 Nov 2026 09:11:05 +0000) by b", Hop("a", "x; 2 Nov 2026 09:11:05 +0000", "b")),
        ("from a by b; not a date", Hop("a", "", "b")),
        ("FROM a BY b WITH smtp", Hop("a", "", "b", "smtp")),
        # a clause counts once
        ("from a by b from c by d; 2 Nov 2026 09:11:05 +0000", Hop("a", "", "b", "", _AT)),
        ("from by b", Hop("", "", "b")),
        ("", Hop()),
        ("\0;\0", Hop()),
        ("((((", Hop()),
    ],
)  # fmt: skip
def test_a_hop_is_read(value, hop):
    """Clauses and time, of whatever was written."""
    found = parse_received(value.encode())
    assert found == hop


def _headers(*fields: str):
    return read_headers(("\r\n".join(fields) + "\r\n\r\n").encode())


def _received(by: str, at: str) -> str:
    return f"Received: from x.example by {by}; {at}"


def test_delays_are_those_between_the_servers():
    """Oldest first; clocks that cannot be believed are said, and not counted on."""
    way = steps(
        read_trace(
            _headers(
                _received("f", "2 Nov 2026 10:05:00 +0000"),
                _received("e", "2 Nov 2026 09:59:00 +0000"),
                _received("d", "2 Nov 1999 10:00:00 +0000"),
                _received("c", "soon"),
                _received("b", "2 Nov 2026 12:00:30 +0200"),
                _received("a", "2 Nov 2026 10:00:00 +0000"),
            )
        )
    )
    assert [(each.hop.by, each.delay, each.oddity) for each in way] == [
        ("a", None, ""),
        ("b", timedelta(seconds=30), ""),
        ("c", None, "no-time"),
        ("d", None, "absurd"),
        ("e", timedelta(seconds=-90), "backwards"),
        ("f", timedelta(minutes=6), ""),
    ]


def test_a_wrong_first_clock_spoils_no_other():
    """The newest server's clock is the reader's own: the others are measured by it."""
    way = steps(
        read_trace(
            _headers(
                _received("c", "2 Nov 2026 10:00:05 +0000"),
                _received("b", "2 Nov 2026 10:00:00 +0000"),
                _received("a", "1 Jan 1970 00:00:00 +0000"),
            )
        )
    )
    assert [(each.delay, each.oddity) for each in way] == [
        (None, "absurd"),
        (None, ""),
        (timedelta(seconds=5), ""),
    ]


# --- whose results count --------------------------------------------------------------------------

_TRUE = "Authentication-Results: mx.ours.example; dmarc=fail header.from=bank.example"
_FORGED = "Authentication-Results: mx.ours.example; dmarc=pass header.from=bank.example"
_TRUE_SPF = "Authentication-Results: mx.ours.example; spf=fail smtp.mailfrom=bank.example"
_OTHERS = "Authentication-Results: mx.evil.example; dmarc=pass header.from=bank.example"
_BORDER = "Received: from evil (evil.example [198.51.100.9]) by mx.ours.example with ESMTP; x"
_INSIDE = "Received: from mx.ours.example (mx.ours.example [203.0.113.2]) by box.ours.example; x"
_LMTP = "Received: from mx.ours.example by box.ours.example with LMTP id 1; x"
_LOOPBACK = "Received: from localhost (localhost [127.0.0.1]) by mx.ours.example; x"
_HANDOVER = "Received: by 2002:a05:6358:1 with SMTP id a; x"
_FOREIGN = "Received: from a (a [192.0.2.1]) by mail.evil.example; x"
_FORGED_HOP = "Received: from a (a.ours.example [192.0.2.1]) by mx.ours.example; x"


def _is_ours(host: str) -> bool:
    return host == "ours.example" or host.endswith(".ours.example")


def _said(*fields: str) -> list[str]:
    servers = ReceivingServers(frozenset({"mx.ours.example"}), _is_ours)
    found = trusted_results(read_trace(_headers(*fields)), servers)
    return [f"{each.method}={each.result}" for _, each in found]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        # where servers put theirs: on top, above or below their own Received field
        ([_TRUE, _BORDER, _FOREIGN], ["dmarc=fail"]),
        ([_BORDER, _TRUE, _FOREIGN], ["dmarc=fail"]),
        ([_LMTP, _LOOPBACK, _TRUE, _BORDER, _FOREIGN], ["dmarc=fail"]),
        ([_INSIDE, _TRUE, _BORDER, _FOREIGN], ["dmarc=fail"]),
        ([_HANDOVER, _BORDER, _TRUE, _FOREIGN], ["dmarc=fail"]),
        # below what came from outside nothing counts, whatever it says
        ([_BORDER, _FOREIGN, _FORGED], []),
        ([_BORDER, _FORGED_HOP, _FORGED], []),
        ([_INSIDE, _BORDER, _INSIDE, _FORGED], []),
        ([_FOREIGN, _FORGED], []),
        # the topmost of a method counts alone
        ([_BORDER, _TRUE, _FORGED], ["dmarc=fail"]),
        ([_TRUE, _FORGED, _BORDER], ["dmarc=fail"]),
        # below the last Received field of ours a stranger may write: only where no field of a
        # trusted name stands above it
        ([_TRUE_SPF, _BORDER, _FORGED], ["spf=fail"]),
        ([_TRUE_SPF, _BORDER, _FORGED, _FOREIGN], ["spf=fail"]),
        ([_INSIDE, _TRUE_SPF, _BORDER, _FORGED], ["spf=fail"]),
        ([_TRUE_SPF, _INSIDE, _BORDER, _FORGED], ["spf=fail"]),
        ([_TRUE_SPF, _LMTP, _FORGED], ["spf=fail"]),
        ([_TRUE_SPF, _LMTP, _FORGED, _FOREIGN], ["spf=fail"]),
        (["Authentication-Results: mx.ours.example; none", _BORDER, _FORGED], []),
        ([_OTHERS, _BORDER, _TRUE], ["dmarc=fail"]),
        ([_TRUE_SPF, _LOOPBACK, _TRUE, _BORDER, _FORGED], ["spf=fail", "dmarc=fail"]),
        # other servers' words
        ([_OTHERS, _BORDER], []),
        ([f"ARC-{_FORGED}", _BORDER], []),
        (["Received-SPF: pass", "X-Authentication-Results: mx.ours.example; spf=pass"], []),
        # the other side names itself: that proves nothing
        (["Received: from mx.ours.example by mx.ours.example; x", _LOOPBACK, _FORGED], []),
        (["Received: from mx.ours.example (evil [198.51.100.9]) by mx.ours.example; x", _LOOPBACK, _FORGED], []),
        (["Received: from [127.0.0.1] (evil.example [198.51.100.9]) by mx.ours.example; x", _LOOPBACK, _FORGED], []),
        (["Received: from [127.0.0.1] by mx.ours.example; x", _LOOPBACK, _FORGED], []),
        (["Received: from [198.51.100.9] (helo=[127.0.0.1]) by mx.ours.example; x", _LOOPBACK, _FORGED], []),
        (["Received: from unknown (HELO [127.0.0.1]) (198.51.100.9) by mx.ours.example; x", _LOOPBACK, _FORGED], []),
        (["Received: from x (10.0.0.1-x.evil.example [198.51.100.9]) by mx.ours.example; x", _LOOPBACK, _FORGED], []),
        (["Received: from x (mx.ours.example [198.51.100.9] (may be forged)) by mx.ours.example; x", _LOOPBACK, _FORGED], []),
        (["Received: from x ([127.0.0.1]@evil [198.51.100.9]) by mx.ours.example; x", _LOOPBACK, _FORGED], []),
        # Exim's and Microsoft's way to write an inner hop
        (["Received: from localhost ([127.0.0.1] helo=x) by mx.ours.example; x", _TRUE], ["dmarc=fail"]),
        (["Received: from x (fd00::7) by mx.ours.example; x", _BORDER, _TRUE], ["dmarc=fail"]),
    ],
)  # fmt: skip
def test_only_our_own_servers_fields_count(fields, said):
    """RFC 8601 §5: the place in the trace decides, not the name in the field."""
    assert _said(*fields) == said


def test_without_a_trusted_server_nothing_counts():
    """The default: no field is anybody's word."""
    assert trusted_results(read_trace(_headers(_TRUE, _BORDER)), ReceivingServers()) == ()


def test_several_signatures_of_one_field_stand_together():
    """A field may tell of several DKIM signatures; one below it adds none."""
    assert _said(
        "Authentication-Results: mx.ours.example; dkim=fail header.d=a.example;"
        " dkim=pass header.d=b.example",
        "Authentication-Results: mx.ours.example; dkim=pass header.d=c.example; spf=pass",
    ) == ["dkim=fail", "dkim=pass", "spf=pass"]


def test_ten_thousand_fields_are_bounded():
    """As many as limits allow, in little time; the newest stay."""
    raw = b"".join(b"Received: from a by h%d; x\r\n" % n for n in range(10_000))
    raw += b"Authentication-Results: mx.ours.example; dmarc=pass\r\n" * 10_000
    start = time.process_time()
    found = read_trace(read_headers(raw + b"\r\n"))
    assert time.process_time() - start < 1
    assert found.is_cut
    assert len(found.entries) == trace.HOP_LIMIT
    assert found.hops[0].by == "h0"


def test_a_megabyte_in_one_field_is_bounded():
    """A value is read to its limit."""
    for filler in (b"(", b"a ", b'"', b"\0", b";", b"[127.0.0.1]"):
        value = b"from a (" + filler * (1_000_000 // len(filler))
        start = time.process_time()
        hop = parse_received(value)
        assert time.process_time() - start < 0.5
        assert len(hop.seen_as) <= trace.NAME_LIMIT


def test_what_is_kept_is_read_back():
    """Through JSON, whole."""
    import json

    found = read_trace(_headers(_INSIDE, _TRUE, _BORDER, _received("a", "2 Nov 2026 10:00 +0100")))
    assert trace.from_json(json.loads(json.dumps(trace.to_json(found)))) == found
