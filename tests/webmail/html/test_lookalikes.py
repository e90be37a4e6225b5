"""What passes for a known domain or person, and what does not."""

import pytest

from webmail.html.hosts import are_related, organisation, to_ascii
from webmail.html.lookalikes import domain_passes_for, name_key, skeleton


@pytest.mark.parametrize(
    ("domain", "known", "passes"),
    [
        ("nordIys.example".lower(), "nordlys.example", True),  # a capital I for an l
        ("nord1ys.example", "nordlys.example", True),
        ("n0rdlys.example", "nordlys.example", True),
        ("nordiys.example", "nordlys.example", True),
        ("nordlуs.example", "nordlys.example", True),  # Cyrillic у
        ("nördlys.example", "nordlys.example", True),
        ("rnarket.example", "market.example", True),
        ("norlys.example", "nordlys.example", True),  # one left out
        ("nordllys.example", "nordlys.example", True),  # one too many
        ("nardlys.example", "nordlys.example", True),
        ("nordyls.example", "nordlys.example", True),  # changed places
        ("gmial.com", "gmail.com", True),
        ("nordlуs.com", "nordlys.example", True),  # disguised under another suffix, too
        ("nordlys.example", "nordlys.example", False),
        ("mail.nordlys.example", "nordlys.example", False),
        ("nordlys.example", "post.nordlys.example", False),
        ("nordlys.com", "nordlys.org", False),
        ("nordly.com", "nordlys.org", False),
        ("ymail.com", "gmail.com", False),  # both are real
        ("ibm.com", "ibn.com", False),
        ("northern.example", "nordlys.example", False),
        ("nordlys-group.example", "nordlys.example", False),
        ("abc.co.uk", "abd.co.uk", False),
        ("marketing.co.uk", "marketlng.co.uk", True),
    ],
)
def test_domains(domain, known, passes):
    """In both directions."""
    one, other = to_ascii(domain), to_ascii(known)
    assert domain_passes_for(one, other) is passes
    assert domain_passes_for(other, one) is passes


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Anna Lindqvist", "anna  lindqvist", True),
        ("Lindqvist, Anna", "Anna Lindqvist", True),
        ("Аnnа Lіndqvіst", "Anna Lindqvist", True),  # Cyrillic letters
        ("𝐀𝐧𝐧𝐚 Lindqvist", "Anna Lindqvist", True),
        ("Anna\u200b Lindqvist (CEO)", "Anna Lindqvist", False),
        ("Anna\u200b Lindqvist", "Anna Lindqvist", True),
        ("Anna Lindqvist", "Anna Lindgren", False),
        ("Anna", "Anna Lindqvist", False),
    ],
)
def test_names(one, other, same):
    """By what is read, in any order."""
    assert (name_key(one) == name_key(other)) is same


def test_a_single_word_is_nobody():
    """Support, Info, 24: no person to pass for."""
    for name in ("", "Support", "Info 24", "A B", "no-reply", "\0"):
        assert name_key(name) == "", name


def test_a_skeleton_is_bounded():
    """However long the name."""
    assert len(skeleton("rn" * 1_000_000)) <= 200


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("a.b.nordlys.example", "nordlys.example"),
        ("nordlys.example.", "nordlys.example"),
        ("mail.shop.co.uk", "shop.co.uk"),
        ("localhost", "localhost"),
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("", ""),
    ],
)
def test_organisations(name, owner):
    """Who registered a name."""
    assert organisation(name) == owner


def test_relations():
    """Hosts of one organisation, and of two below one suffix."""
    assert are_related("mx.nordlys.example", "imap.nordlys.example")
    assert are_related("mail.ibm.de", "ibm.de")
    assert not are_related("a.co.uk", "b.co.uk")
    assert not are_related("example", "a.example")
    assert not are_related("192.0.2.7", "198.51.2.7")
