"""Authentication-Results as servers write them, as the RFC allows them, and as nobody should."""

import random
import time

import pytest

from webmail.mime.authentication_results import (
    PROPERTY_LIMIT,
    RESULT_LIMIT,
    canonical_authserv_id,
    newest_seals,
    parse_authentication_results,
)
from webmail.mime.headers import read_headers


def _read(value: str):
    found = parse_authentication_results(value.encode())
    if found is None:
        return None
    return found.authserv_id, [
        (each.method, each.result, dict(each.properties)) for each in found.results
    ]


@pytest.mark.parametrize(
    ("value", "server", "results"),
    [
        # RFC 8601 appendix B, and what is in use
        ("example.org 1; none", "example.org", []),
        ("example.org", "example.org", []),
        ("example.org;", "example.org", []),
        (
            "example.com; spf=pass smtp.mailfrom=example.net",
            "example.com",
            [("spf", "pass", {"smtp.mailfrom": "example.net"})],
        ),
        (
            ("example.com; auth=pass (cram-md5) smtp.auth=sender@example.net; "
            "spf=pass smtp.mailfrom=example.net"),
            "example.com",
            [
                ("auth", "pass", {"smtp.auth": "sender@example.net"}),
                ("spf", "pass", {"smtp.mailfrom": "example.net"}),
            ],
        ),
        (
            ("example.com; dkim=pass (good signature) header.d=example.com header.i=@x.example;"
            " dkim=fail (bad signature) header.d=example.net"),
            "example.com",
            [
                ("dkim", "pass", {"header.d": "example.com", "header.i": "@x.example"}),
                ("dkim", "fail", {"header.d": "example.net"}),
            ],
        ),
        # RFC 8601 §2.2: comments everywhere
        (
            ("foo.example.net (foobar) 1 (baz); dkim (Because I like it) / 1 (One yay) = "
            "(wait for it) fail policy (A dot can go here) . (like that) expired (this surprised "
            "me) = (as I wasn't expecting it) 1362471462"),
            "foo.example.net",
            [("dkim", "fail", {"policy.expired": "1362471462"})],
        ),
        (
            ('mx.google.com; dkim=pass header.i=@nordlys.example header.s=s1 header.b="ab/cd+e";'
            " spf=pass (google.com: domain of a@nordlys.example designates 203.0.113.7 as "
            "permitted sender) smtp.mailfrom=a@nordlys.example; dmarc=pass (p=REJECT sp=REJECT "
            "dis=NONE) header.from=nordlys.example"),
            "mx.google.com",
            [
                (
                    "dkim",
                    "pass",
                    {
                        "header.i": "@nordlys.example",
                        "header.s": "s1",
                        "header.b": "ab/cd+e",
                    },
                ),
                ("spf", "pass", {"smtp.mailfrom": "a@nordlys.example"}),
                ("dmarc", "pass", {"header.from": "nordlys.example"}),
            ],
        ),
        ('"MX.Example.org"; dkim=none', "mx.example.org", [("dkim", "none", {})]),
        (
            'x.example; spf=pass smtp.mailfrom="a b"@c.example',
            "x.example",
            [("spf", "pass", {"smtp.mailfrom": "a b@c.example"})],
        ),
        (
            "x.example; spf=pass smtp.mailfrom=SRS0=ab=cd@e.example smtp.helo=h.example",
            "x.example",
            [("spf", "pass", {"smtp.mailfrom": "SRS0=ab=cd@e.example", "smtp.helo": "h.example"})],
        ),
        (
            "x.example; spf=none smtp.mailfrom= smtp.helo=h.example",
            "x.example",
            [("spf", "none", {"smtp.mailfrom": "", "smtp.helo": "h.example"})],
        ),
        (
            "x.example; dmarc=fail action=none reason=late header.from=a.example",
            "x.example",
            [("dmarc", "fail", {"header.from": "a.example"})],
        ),
        ("x.example; DKIM=PASS Header.D=A.example", "x.example", [("dkim", "pass", {"header.d": "A.example"})]),
        # another version of the field, or of a method, says nothing
        ("x.example 2; dkim=pass header.d=a.example", "x.example", []),
        ("x.example one; dkim=pass header.d=a.example", "x.example", []),
        ("x.example; dkim/2=pass header.d=a.example", "x.example", []),
        # broken results are left out, the others stand
        ("x.example; dkim; spf=pass", "x.example", [("spf", "pass", {})]),
        ("x.example; dkim=; spf=pass", "x.example", [("spf", "pass", {})]),
        ("x.example; =pass; spf=pass", "x.example", [("spf", "pass", {})]),
        ("x.example;;; spf=pass;", "x.example", [("spf", "pass", {})]),
        # a comment, a quote or a reason cannot smuggle a result in
        ("x.example; dkim=fail (; dkim=pass header.d=a.example)", "x.example", [("dkim", "fail", {})]),
        (
            'x.example; dkim=fail reason="; dkim=pass" header.d=a.example',
            "x.example",
            [("dkim", "fail", {"header.d": "a.example"})],
        ),
        ("x.example; dkim=fail (((; dkim=pass", "x.example", [("dkim", "fail", {})]),
        (r"x.example; dkim=fail (\); dkim=pass)", "x.example", [("dkim", "fail", {})]),
        ("x.example; dkim=fail\x00; dkim=pa\x00ss", "x.example", [("dkim", "fail", {}), ("dkim", "pass", {})]),
    ],
)  # fmt: skip
def test_a_field_is_read(value, server, results):
    """Names, methods, results and properties, however they are spread."""
    assert _read(value) == (server, results)


@pytest.mark.parametrize(
    "value",
    [
        "",
        ";",
        "(only a comment)",
        "; dkim=pass",
        # Microsoft's form without an authserv-id
        "spf=pass (sender IP is 203.0.113.7) smtp.mailfrom=a.example; dkim=pass",
        "i=1; mx.example; dkim=pass",
        "one two three; dkim=pass",
        "<x.example>; dkim=pass",
        "a,b; dkim=pass",
        f"{'a' * 256}; dkim=pass",
        '""; dkim=pass',
    ],
)
def test_without_a_server_it_is_no_claim_of_anybody(value):
    """A field that names no server cannot be trusted."""
    assert _read(value) is None


def test_what_is_left_out_is_said():
    """Damage is told, not hidden."""
    for value in ("x; dkim", "x; dkim=fail (open", 'x; dkim=fail reason="open', "x y; spf=pass"):
        found = parse_authentication_results(value.encode())
        assert found is not None and found.is_damaged, value
    for value in ("x; none", "x 1; spf=pass;", "x 2; spf=pass"):
        found = parse_authentication_results(value.encode())
        assert found is not None and not found.is_damaged, value


@pytest.mark.parametrize(
    "value",
    [
        b"x; " + b"(" * 1_000_000,
        b"x; " + b"()" * 500_000,
        b"x; " + b"\\" * 1_000_000,
        b'x; "' + b"\\a" * 500_000,
        b"x; " + b'"' * 1_000_000,
        b"x; " + b"a=b;" * 250_000,
        b"x; a=b " + b"c.d=e " * 160_000,
        b"x; a=b c.d=" + b'"q"' * 330_000,
        b"x; " + b"a . " * 250_000,
        b"x" * 1_000_000,
        b"\0" * 1_000_000,
        "x; \u202edkim=pass ".encode() * 40_000,
    ],
)
def test_a_megabyte_of_anything_is_read_in_little_time(value):
    """No shape of input costs much; bounds hold."""
    start = time.process_time()
    found = parse_authentication_results(value)
    assert time.process_time() - start < 0.5
    if found is not None:
        assert len(found.results) <= RESULT_LIMIT
        assert all(len(each.properties) <= PROPERTY_LIMIT for each in found.results)


def test_any_octets_are_read():
    """Never raises, never keeps what may not be shown."""
    draw = random.Random(8601)
    alphabet = [
        b"x",
        b";",
        b"=",
        b".",
        b"/",
        b"(",
        b")",
        b'"',
        b"\\",
        b" ",
        b"\0",
        b"\xff",
        b"dkim",
    ]
    for _ in range(3_000):
        value = b"x.example; " + b"".join(draw.choices(alphabet, k=draw.randrange(40)))
        found = parse_authentication_results(value)
        if found is not None:
            assert "\0" not in repr(found) and "\\x00" not in repr(found)


def test_an_identifier_is_compared_without_case():
    """The form that administrators' words and fields share."""
    assert canonical_authserv_id(" MX.Example.ORG. ") == "mx.example.org"
    for wrong in ("", "a b", "a;b", "a=b", "a\0b", "(a)", "a" * 256):
        assert canonical_authserv_id(wrong) == "", wrong


@pytest.mark.parametrize(
    ("seals", "domains"),
    [
        ([], ()),
        (["i=1; a=rsa-sha256; d=lists.example; s=a; cv=none; b=xx"], ("lists.example",)),
        (["i=2; d=Ours.example; cv=pass", "i=1; d=lists.example"], ("ours.example", "lists.example")),
        (["i=1; d=lists.example", "i=2; d=ours.example"], ("ours.example", "lists.example")),
        (["i=2; d=lists.example"], ()),  # a gap
        (["i=1; d=a.example", "i=1; d=b.example"], ()),  # twice
        (["i=0; d=a.example"], ()),
        (["i=x; d=a.example"], ()),
        (["i=1; s=a"], ()),
        (["d=a.example"], ()),
        ([f"i={n}; d=a.example" for n in range(1, 52)], ()),  # more than there may be
    ],
)  # fmt: skip
def test_seals_are_told_newest_first(seals, domains):
    """By their number, not by their place; a broken chain tells nothing."""
    raw = "".join(f"ARC-Seal: {each}\r\n" for each in seals) + "\r\n"
    assert newest_seals(read_headers(raw.encode())) == domains
