"""When an address fits a certificate's name."""

import pytest

from smime.pki.addresses import CertificateAddress, canonical_address, same_address
from smime.pki.certificates import addresses, shown
from tests.smime.pki.people import person

# kind | in the certificate | in the header | fits
CASES = [
    ("rfc822", "alice@example.org", "alice@example.org", True),
    ("rfc822", "Alice@Example.ORG", "alice@example.org", True),
    ("rfc822", "alice@example.org", "alice@example.com", False),
    ("rfc822", "alice@example.org", "alice@example.org.evil.example", False),
    ("rfc822", "alice@xn--bcher-kva.example", "alice@bücher.example", True),
    ("rfc822", "alice@XN--BCHER-KVA.example", "alice@BÜCHER.example", True),
    ("rfc822", '"alice"@example.org', "alice@example.org", True),
    ("rfc822", "alice@example.org", '"alice"@example.org', True),
    ("rfc822", '"al ice"@example.org', "al ice@example.org", False),
    ("rfc822", "jörg@example.org", "jörg@example.org", False),
    ("rfc822", "alıce@example.org", "alice@example.org", False),
    ("rfc822", "", "", False),
    ("rfc822", "example.org", "example.org", False),
    ("smtputf8", "jörg@example.org", "jörg@example.org", True),
    ("smtputf8", "jörg@example.org", "jörg@EXAMPLE.org", True),
    ("smtputf8", "Jörg@example.org", "jörg@example.org", False),
    ("smtputf8", "jörg@xn--bcher-kva.example", "jörg@bücher.example", True),
    ("smtputf8", "jörg@bücher.example", "jörg@bücher.example", False),
    ("smtputf8", "jörg@Example.org", "jörg@example.org", False),
    ("smtputf8", "alice@example.org", "alice@example.org", False),
]


@pytest.mark.parametrize(("kind", "named", "address", "fits"), CASES)
def test_fits(kind, named, address, fits):
    assert CertificateAddress(text=named, kind=kind).fits(address) is fits


def test_same_address_is_symmetric():
    for _, one, other, _ in CASES:
        assert same_address(one, other) == same_address(other, one)
    assert canonical_address("nobody") == ""


@pytest.mark.parametrize(
    ("address", "kind"), [("alice@example.org", "rfc822"), ("jörg@example.org", "smtputf8")]
)
def test_addresses_of_a_certificate(address, kind):
    certificate = person(address, "Somebody").certificate
    assert addresses(certificate) == (CertificateAddress(text=address, kind=kind),)
    assert addresses(person(None, "Nobody").certificate) == ()


def test_shown_names_hold_nothing_that_turns_or_hides():
    assert shown("Al\u202eice\u200b\x00  B") == "Alice B"
    assert len(shown("x" * 200)) == 64
