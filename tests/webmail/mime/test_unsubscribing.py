"""Ways out of a list (RFC 2369, RFC 8058), and what List-Id says."""

import pytest

from webmail.mime.headers import read_headers
from webmail.mime.unsubscribing import (
    is_aligned,
    is_list_mail,
    read_list_id,
    read_unsubscribe,
)

POST = b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"


def read(*fields: bytes):
    return read_unsubscribe(read_headers(b"".join(fields) + b"\r\n"))


def test_web_and_mail_in_the_lists_order():
    found = read(
        b"List-Unsubscribe: (by mail) <mailto:out@l.example?subject=out>,\r\n"
        b" <https://l.example/a?b=\r\n c>, <tel:+1>, <javascript:alert(1)>\r\n"
    )
    assert found.mail == ("mailto:out@l.example?subject=out",)
    assert found.web == ("https://l.example/a?b=c",)
    assert found.one_click == ""


@pytest.mark.parametrize(
    ("fields", "uri"),
    [
        ((b"List-Unsubscribe: <https://l.example/u>\r\n", POST), "https://l.example/u"),
        ((b"List-Unsubscribe: <mailto:a@l.example>, <HTTPS://l.example/u>\r\n", POST), "HTTPS://l.example/u"),
        ((b"List-Unsubscribe: <https://l.example/u>\r\n", POST.lower().replace(b"\r", b"")), ""),
        ((b"List-Unsubscribe: <https://l.example/u>\r\n",), ""),
        ((b"List-Unsubscribe: <http://l.example/u>\r\n", POST), ""),
        ((b"List-Unsubscribe: <mailto:a@l.example>\r\n", POST), ""),
        ((b"List-Unsubscribe: <https://l.example/u>, <https://l.example/v>\r\n", POST), ""),
        ((b"List-Unsubscribe: <https://l.example/u>, <http://l.example/v>\r\n", POST), ""),
        ((b"List-Unsubscribe: <https://l.example/u>\r\n", POST, POST), ""),
        ((b"List-Unsubscribe: <https://l.example/u>\r\n" * 2, POST), ""),
        ((b"List-Unsubscribe: <https://l.example/u>\r\n", POST[:-2] + b"=1\r\n"), ""),
    ],
)  # fmt: skip
def test_one_click_takes_exactly_these_two_fields(fields, uri):
    assert read(*fields).one_click == uri


@pytest.mark.parametrize("value", [b"", b"<>", b"NO", b"<ftp://x>", b"<https:>", b"\xff<\x00>"])
def test_what_is_no_way_out_is_none(value):
    assert read(b"List-Unsubscribe: " + value + b"\r\n").is_empty


def test_without_brackets_and_more_than_is_sensible():
    assert read(b"List-Unsubscribe: https://l.example/u\r\n").web == ("https://l.example/u",)
    assert len(read(b"List-Unsubscribe: " + b"<https://l.example/u>," * 500 + b"\r\n").web) == 10
    assert read(b"List-Unsubscribe: <https://l.example/" + b"u" * 5000 + b">\r\n").is_empty


def list_id(value: bytes):
    return read_list_id(read_headers(b"List-Id: " + value + b"\r\n\r\n"))


def test_list_id_with_and_without_a_name():
    assert list_id(b'"The week" <Week.Fjell.example>') == ("week.fjell.example", "The week")
    assert list_id(b"=?utf-8?q?Fj=C3=A4ll?= <f.example>") == ("f.example", "Fj\u00e4ll")
    assert list_id(b"<f.example>") == ("f.example", "")
    assert list_id(b"nothing") == ("", "")


def test_mail_to_many_says_so():
    for field in (b"List-Id: <a.b>", b"Precedence: Bulk", b"List-Post: NO", b"List-Unsubscribe: x"):
        assert is_list_mail(read_headers(field + b"\r\n\r\n")), field
    assert not is_list_mail(read_headers(b"Precedence: first-class\r\nSubject: a\r\n\r\n"))


@pytest.mark.parametrize(
    ("domain", "named", "is_one"),
    [
        ("fjell.example", "fjell.example", True),
        ("Fjell.Example", "news.fjell.example", True),
        ("mail.fjell.example", "fjell.example", True),
        ("example", "fjell.example", False),
        ("fjell.example", "example", False),
        ("jell.example", "fjell.example", False),
        ("evil.example", "fjell.example.evil.test", False),
        ("", "fjell.example", False),
    ],
)
def test_alignment(domain, named, is_one):
    assert is_aligned(domain, named) is is_one
