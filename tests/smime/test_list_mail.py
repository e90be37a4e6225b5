"""What a list says of itself, and who must have found it true before it excuses anything."""

import json

import pytest

from smime.list_mail import (
    is_list_address,
    is_vouched_for,
    kept_list_mail,
    read_kept_list_mail,
    read_list_mail,
)
from webmail.mime.headers import read_headers
from webmail.mime.trace import ReceivingServers

_ID = "List-Id: Developers <dev.lists.example.org>"
_POST = "List-Post: <mailto:dev@lists.example.org?subject=x>"
_BORDER = "Received: from a (a [192.0.2.1]) by mx.ours.example; x"
_FOREIGN = "Received: from b (b [192.0.2.2]) by lists.example.org; x"
_SEAL = "ARC-Seal: i=1; d=lists.example.org; cv=none"
_OUR_SEAL = "ARC-Seal: i=2; d=ours.example; cv=pass"
_EVIL_SEAL = "ARC-Seal: i=2; d=evil.example; cv=pass"
SERVERS = ReceivingServers(
    frozenset({"mx.ours.example"}), lambda host: host.endswith("ours.example")
)


def _said(results: str) -> str:
    return f"Authentication-Results: mx.ours.example; {results}"


def _mail(*fields: str):
    return read_list_mail(read_headers("".join(f"{each}\r\n" for each in fields).encode()))


@pytest.mark.parametrize(
    ("fields", "is_good"),
    [
        ([_said("dkim=pass header.d=lists.example.org"), _ID], True),
        ([_said("dkim=pass header.d=example.org"), _ID], True),
        ([_said("dkim=pass header.i=@lists.example.org"), _ID], True),
        ([_said("dkim=pass header.d=LISTS.example.org"), _POST], True),
        ([_said("dkim=pass header.d=out.lists.example.org"), _POST], True),
        ([_said("dkim=fail header.d=a.example; dkim=pass header.d=example.org"), _ID], True),
        ([_said("arc=pass"), _ID, _SEAL], True),
        ([_said("arc=pass"), _ID, _OUR_SEAL, _SEAL], True),
        # nobody vouches for it
        ([_ID], False),
        ([_said("none"), _ID], False),
        ([_said("dkim=fail header.d=lists.example.org"), _ID], False),
        ([_said("spf=pass smtp.mailfrom=lists.example.org"), _ID], False),
        ([_said("dmarc=pass header.from=lists.example.org"), _ID], False),
        ([_said("dkim=pass"), _ID], False),
        ([_said("dkim=pass header.d=org"), _ID], False),
        ([_said("dkim=pass header.d=evil.example"), _ID], False),
        ([_said("dkim=pass header.d=ists.example.org"), _ID], False),
        ([_said("dkim=pass header.d=lists.example.org"), "List-Id: nothing"], False),
        # a chain of seals
        ([_said("arc=fail"), _ID, _SEAL], False),
        ([_said("arc=pass"), _ID], False),
        ([_said("arc=pass"), _ID, _EVIL_SEAL, _SEAL], False),  # who knows what it made of it
        ([_said("arc=pass"), _ID, "ARC-Seal: i=2; d=lists.example.org"], False),
        # forged, or somebody else's word
        ([_BORDER, _FOREIGN, _said("dkim=pass header.d=lists.example.org"), _ID], False),
        (["Authentication-Results: mx.evil.example; dkim=pass header.d=example.org", _ID], False),
        (["ARC-Authentication-Results: i=1; mx.ours.example; dkim=pass header.d=example.org", _ID], False),
    ],
)  # fmt: skip
def test_who_vouches(fields, is_good):
    """A trusted server, for the list's own domain, and nobody else."""
    mail = _mail(*fields)
    assert is_vouched_for(mail, SERVERS) is is_good
    assert not is_vouched_for(mail, ReceivingServers())


def test_mail_without_a_list():
    """No List-Id, no List-Post: no list."""
    assert _mail("Subject: x", "List-Unsubscribe: <mailto:a@b.example>") is None


@pytest.mark.parametrize(
    ("address", "is_list"),
    [
        ("dev@lists.example.org", True),
        ("DEV@Lists.Example.org", True),
        ("dev@example.org", False),
        ("petra@partner.test", False),
        ("", False),
    ],
)
def test_the_lists_own_address(address, is_list):
    """By List-Post, and by List-Id where there is none."""
    assert is_list_address(_mail(_ID), address) is is_list
    assert is_list_address(_mail(_POST), address) is is_list


def test_what_is_kept_is_read_back():
    """Through JSON, whole."""
    mail = _mail(_BORDER, _said("arc=pass; dkim=pass header.d=x.example"), _SEAL, _ID, _POST)
    assert read_kept_list_mail(json.loads(json.dumps(kept_list_mail(mail)))) == mail
