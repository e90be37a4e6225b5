"""What the page tells of a message's header: people, checks, the way it came, lists."""

import pytest
from django.utils import translation

from webmail.mailbox.models import Message
from webmail.mime.authentication_results import parse_authentication_results
from webmail.mime.headers import read_headers
from webmail.mime.trace import read_trace, steps
from webmail.reader import authentication, detail_words

HEAD = (
    b"From: Anna Lindqvist <anna@nordlys.example>\r\nTo: mira@nordlys.example, Jonas <j@b.example>\r\n"
    b"Cc: Ida <ida@b.example>\r\nSender: Office <office@nordlys.example>\r\n"
    b"Reply-To: Anna <a@home.example>\r\nOrganization: =?utf-8?q?N=C3=B8rdlys?=\r\n"
    b"List-Id: Club <talk.club.example>\r\nList-Archive: <https://club.example/>\r\n"
    b"Subject: Way\r\nDate: Mon, 23 Nov 2026 09:00:00 +0000\r\n\r\nHello\r\n"
)
WAY = (
    b"Received: from out.club.example (out.club.example [198.51.100.4]) by mx.nordlys.example;"
    b" Mon, 23 Nov 2026 09:12:01 +0000\r\n"
    b"Authentication-Results: mx.nordlys.example; dmarc=pass header.from=nordlys.example;"
    b" dkim=pass header.d=club.example; spf=softfail smtp.mailfrom=x@club.example\r\n"
    b"Received: from desk by out.club.example; Mon, 23 Nov 2026 09:00:01 +0000\r\n"
    b"Received: by desk; Mon, 23 Nov 2026 09:00:31 +0000\r\n"
)


@pytest.fixture
def trusted(letters):
    server = letters.mailbox.account.server
    server.authserv_ids = "mx.nordlys.example"
    server.save(update_fields=["authserv_ids"])


def test_the_header_is_told(letters, trusted):
    """All people, the organisation, the list, the way with its delays, the checks."""
    page = letters.opened(letters.put(WAY + HEAD))
    for words in (
        "anna@nordlys.example",
        "j@b.example",
        "ida@b.example",
        "Sent by",
        "office@nordlys.example",
        "Replies go to",
        "a@home.example",
        "Nørdlys",
        "List-Id",
        "talk.club.example",
        "https://club.example/",
        "mx.nordlys.example confirmed that this message comes from nordlys.example (DMARC).",
        "mx.nordlys.example found the signature of club.example intact (DKIM).",
        "mx.nordlys.example found that the sending server may not send for club.example (SPF).",
        "3 servers, 11 minutes",
        "12 minutes later",
        "Its clock is 30 seconds behind the one before.",
        "Authentication-Results",  # in the raw fields
    ):
        assert words in page, words
    path = page.partition('<ol class="path"')[2].partition("</ol>")[0]
    assert path.index("desk") < path.index("out.club.example") < path.index("mx.nordlys.example")


def test_without_a_trusted_server_nothing_is_said_of_checks(letters):
    """Anybody can write such a field."""
    page = letters.opened(letters.put(WAY + HEAD))
    assert "(DMARC)" not in page
    assert "(DKIM)" not in page


def test_a_trusted_server_counts_at_once(letters):
    """The page asks at the moment of reading: nothing is rendered again."""
    message = letters.put(WAY + HEAD)
    letters.opened(message)
    server = letters.mailbox.account.server
    server.authserv_ids = "mx.nordlys.example"
    server.save(update_fields=["authserv_ids"])
    assert "(DMARC)" in letters.opened(message)


def test_a_header_cannot_write_markup(letters, trusted):
    """Every word of it is text."""
    evil = b'<script>alert(1)</script>"><img src=x>'
    raw = (
        b"Received: from "
        + evil.replace(b" ", b"")
        + b" by "
        + evil.replace(b" ", b"")
        + b"; x\r\n"
        b"Organization: " + evil + b"\r\nList-Id: " + evil + b"\r\n" + HEAD
    )
    page = letters.opened(letters.put(raw))
    assert "<script>alert" not in page
    assert "<img src=x" not in page


def test_ten_thousand_fields_do_not_hurt(letters):
    """The last servers are shown, and that is said."""
    way = b"".join(
        b"Received: from a by h%d; Mon, 23 Nov 2026 09:00:01 +0000\r\n" % n for n in range(10_000)
    )
    page = letters.opened(letters.put(way + HEAD))
    assert "Only the last servers are shown." in page
    assert page.count('class="path-step') == 50


def test_queries_do_not_grow_with_the_header(letters, trusted, django_assert_max_num_queries):
    """However long the way and the lists of people."""
    small, big = (
        letters.put(WAY + HEAD),
        letters.put(WAY * 30 + HEAD.replace(b"To: ", b"To: " + b"x@y.example, " * 300)),
    )
    for message in (small, big):
        letters.opened(message)
    with django_assert_max_num_queries(200) as first:
        letters.opened(small)
    with django_assert_max_num_queries(len(first)):
        letters.opened(big)


def test_encrypted_mail_tells_its_outside_to_its_session_only(letters, trusted):
    """The page of what was opened is not kept in the database."""
    raw = letters.encrypted_mail()
    message = letters.put(WAY + b"Organization: Added\r\n" + raw, is_secured=True)
    page = letters.opened(message)
    assert "Only for you" not in page
    assert "(DMARC)" in page
    details = page.partition('class="details"')[2].partition("details-fields")[0]
    assert "Added" not in details  # the author's fields are protected, this one is not among them
    kept = Message.objects.get(pk=message.pk).reading
    assert kept.page == {}


@pytest.mark.parametrize(
    ("results", "words"),
    [
        ("dmarc=fail header.from=a.example", "could not confirm that this message comes from a.example"),
        ("dmarc=none header.from=a.example", "a.example does not say how its mail is to be checked"),
        ("dmarc=temperror header.from=a.example", "could not finish checking this message (DMARC)"),
        ("dmarc=bestguesspass header.from=a.example", "could not finish checking"),
        ("dkim=fail header.d=a.example", "could not confirm the signature of a.example"),
        ("dkim=none", "found no signature of a mail server"),
        ("dkim=pass header.i=@a.example", "found the signature of a.example intact"),
        ("spf=pass smtp.mailfrom=x@a.example", "may send for a.example"),
        ("spf=pass smtp.helo=a.example", "may send for a.example"),
        ("spf=none smtp.mailfrom=<x@a.example>", "a.example does not say which servers"),
        ("spf=pass", ""),  # of what?
        ("arc=pass; iprev=pass; auth=pass", ""),
    ],
)  # fmt: skip
def test_results_in_words(results, words):
    """Who checked is named; what names no domain says nothing."""
    found = parse_authentication_results(f"mx.x.example; {results}".encode())
    views = authentication.check_views(
        [
            ("mx.x.example", each)
            for each in found.results
            if each.method in {"dmarc", "dkim", "spf"}
        ]
    )
    assert [words in each.sentence for each in views] == ([True] if words else [])


def test_spans_are_words():
    """In the largest unit that fits."""
    fields = "".join(
        f"Received: from a by h{n}; {at}\r\n"
        for n, at in enumerate(
            ["26 Nov 2026 09:00:00 +0000", "23 Nov 2026 12:00:00 +0000", "23 Nov 2026 09:00:01 +0000",
             "23 Nov 2026 09:00:00 +0000", "1 Jan 1970 00:00:00 +0000", "soon"]
        )
    )  # fmt: skip
    way = steps(read_trace(read_headers(fields.encode())))
    with translation.override("en"):
        assert [detail_words._delay_words(each) for each in way] == [
            "It states no time.",
            "Its clock cannot be right.",
            "",
            "at once",
            "2 hours later",
            "2 days later",
        ]
