"""Paths from a signer to somebody trusted, each trap in a row."""

import time
from datetime import timedelta
from itertools import permutations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from smime.pki.authority import new_intermediate, new_root
from smime.pki.paths import find_path, may_issue
from tests.smime.pki.people import DAY, NOW, YEAR, key, person, world


def path_of(pair, *, anchors=None, others=None, moments=(NOW,)):
    return find_path(
        pair.certificate,
        anchors=[world().root.certificate] if anchors is None else anchors,
        others=pair.chain if others is None else others,
        moments=moments,
    )


def made(
    name,
    issuer,
    *extensions,
    subject_key=None,
    issuer_key=None,
    version_1=False,
    life=(NOW - YEAR, NOW + YEAR),
):
    """A certificate with exactly these (extension, critical) pairs."""
    own = subject_key or key("p256", name)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(life[0])
        .not_valid_after(life[1])
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(issuer_key or own, hashes.SHA256())


def test_trusted():
    path = path_of(world().alice)
    assert path.trust == "trusted"
    assert path.certificates == (
        world().alice.certificate,
        world().inter.certificate,
        world().root.certificate,
    )
    assert path.below_root == path.certificates[:2]


def test_a_link_is_missing():
    assert path_of(world().alice, others=()).trust == "incomplete"
    # Only an unknown root is missing.
    assert path_of(world().alice, anchors=[], others=[world().inter.certificate]).trust == (
        "incomplete"
    )


def test_nobody_trusted():
    assert path_of(world().alice, anchors=[]).trust == "unknown-root"
    stranger = person("x@example.org", "X", world().stranger)
    assert path_of(stranger).trust == "unknown-root"


def test_self_made_and_pinned():
    alone = new_root("Alone", NOW)
    lonely = find_path(
        alone.certificate, anchors=[world().root.certificate], others=(), moments=(NOW,)
    )
    assert lonely.trust == "self-signed"
    pinned = find_path(alone.certificate, anchors=[alone.certificate], others=(), moments=(NOW,))
    assert (pinned.trust, pinned.certificates) == ("pinned", (alone.certificate,))


def test_a_person_who_is_trusted_vouches_for_nobody_else():
    """Whoever pins a person's certificate does not trust what that person's key signs."""
    alice = world().alice
    assert not may_issue(alice.certificate)
    issued = made(
        "Victim", alice.certificate.subject, subject_key=key("p256", "v"), issuer_key=alice.key
    )
    path = find_path(issued, anchors=[alice.certificate], others=(), moments=(NOW,))
    assert not path.is_trusted


CA = (x509.BasicConstraints(ca=True, path_length=None), True)


@pytest.mark.parametrize(
    "extensions",
    [
        [],
        [(x509.BasicConstraints(ca=False, path_length=None), True)],
        [
            CA,
            (
                x509.KeyUsage(True, False, False, False, False, False, True, False, False),
                True,
            ),
        ],
        [CA, (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)],
        [
            CA,
            (
                x509.NameConstraints(None, [x509.RFC822Name("example.org")]),
                True,
            ),
        ],
        [
            CA,
            (
                x509.NameConstraints([x509.RFC822Name("elsewhere.example")], None),
                True,
            ),
        ],
    ],
    ids=["no-constraints", "no-authority", "no-cert-sign", "critical", "excluded", "permitted"],
)
def test_a_rule_of_the_path_is_broken(extensions):
    from smime.pki.authority import Authority

    root = world().root
    middle = made(
        "Middle",
        root.certificate.subject,
        *extensions,
        subject_key=key("p256", "Middle"),
        issuer_key=root.key,
    )
    authority = Authority(key("p256", "Middle"), middle, (root.certificate,))
    leaf = person("alice@example.org", "Under Middle", authority)
    path = path_of(leaf)
    assert path.trust == "broken"
    assert path.broken_rule


def test_path_length():
    short = new_intermediate(world().root, "Short", NOW - YEAR, path_length=0)
    below = new_intermediate(short, "Below", NOW - YEAR, path_length=None)
    assert path_of(person("a@example.org", "Too deep", below)).trust == "broken"


def test_expired_is_still_a_path():
    """Validity in time is a fact of its own: it does not take trust away."""
    old = person("a@example.org", "Old", not_before=NOW - YEAR, not_after=NOW - DAY)
    assert path_of(old).trust == "trusted"
    future = person("a@example.org", "Future", not_before=NOW + DAY, not_after=NOW + YEAR)
    assert path_of(future).trust == "trusted"
    brief = new_intermediate(world().root, "Brief", NOW - YEAR, lifetime=timedelta(days=30))
    assert path_of(person("a@example.org", "Late", brief)).trust == "trusted"


ELSEWHERE = (x509.NameConstraints([x509.RFC822Name("evil.example")], None), True)
NO_AUTHORITY = (x509.BasicConstraints(ca=False, path_length=None), True)
LONG_AGO = (NOW - 3 * YEAR, NOW - 2 * YEAR)


@pytest.mark.parametrize("rule", [(NO_AUTHORITY,), (CA, ELSEWHERE)])
@pytest.mark.parametrize(
    "order", list(permutations(["mallory", "mallory before", "issuer", "issuer before"]))
)
def test_an_expired_twin_excuses_nothing(rule, order):
    """Of several ways the validator tells only why the last one failed; the mail chooses the order.

    Mallory may not vouch for the victim, or for nobody at all. That a certificate of the same name
    and key has expired, hers or her issuer's, is no way round it.
    """
    root = new_root("Root", NOW - 5 * YEAR)
    named = {
        each: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)])
        for each in ("issuer", "mallory")
    }
    issuer = {"subject_key": key("p256", "issuer"), "issuer_key": root.key}
    mallory = {"subject_key": key("p256", "mallory"), "issuer_key": key("p256", "issuer")}
    bag = {
        "issuer": made("issuer", root.certificate.subject, CA, **issuer),
        "issuer before": made("issuer", root.certificate.subject, CA, **issuer, life=LONG_AGO),
        "mallory": made("mallory", named["issuer"], *rule, **mallory),
        "mallory before": made("mallory", named["issuer"], *rule, **mallory, life=LONG_AGO),
    }
    victim = x509.SubjectAlternativeName([x509.RFC822Name("alice@example.org")])
    leaf = made(
        "Alice",
        named["mallory"],
        (victim, False),
        subject_key=key("p256", "leaf"),
        issuer_key=key("p256", "mallory"),
        life=(NOW - 30 * DAY, NOW + 30 * DAY),
    )
    path = find_path(
        leaf,
        anchors=[root.certificate],
        others=[bag[each] for each in order],
        moments=(NOW, NOW - DAY),
    )
    assert path.trust == "broken"
    assert path.broken_rule


def test_a_renewed_authority_vouches_on():
    """The other way about: of two twins the one that is valid counts, whichever comes first."""
    root = new_root("Root", NOW - 5 * YEAR)
    issuer = {"subject_key": key("p256", "issuer"), "issuer_key": root.key}
    both = [
        made("issuer", root.certificate.subject, CA, **issuer, life=life)
        for life in (LONG_AGO, (NOW - YEAR, NOW + YEAR))
    ]
    leaf = made(
        "Alice", both[0].subject, subject_key=key("p256", "leaf"), issuer_key=key("p256", "issuer")
    )
    for others in (both, both[::-1]):
        path = find_path(leaf, anchors=[root.certificate], others=others, moments=(NOW,))
        assert (path.trust, path.certificates[1]) == ("trusted", both[1])


def test_certificates_never_valid_together_lead_nowhere():
    root = new_root("Root", NOW - 5 * YEAR)
    before = made(
        "issuer",
        root.certificate.subject,
        CA,
        subject_key=key("p256", "issuer"),
        issuer_key=root.key,
        life=LONG_AGO,
    )
    leaf = made(
        "Alice", before.subject, subject_key=key("p256", "leaf"), issuer_key=key("p256", "issuer")
    )
    path = find_path(leaf, anchors=[root.certificate], others=[before], moments=(NOW,))
    assert path.trust == "broken"
    assert "same time" in path.broken_rule


def test_certificates_that_issue_each_other_cost_little():
    """A bag of circles must not make the search explode."""
    names = ["A", "B", "C", "D"]
    subjects = {name: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in names}
    bag = [
        made(
            subject,
            subjects[issuer],
            CA,
            subject_key=key("p256", f"circle {subject}"),
            issuer_key=key("p256", f"circle {issuer}"),
        )
        for _ in range(8)
        for subject in names
        for issuer in names
        if subject != issuer
    ]
    leaf = made(
        "Leaf", subjects["A"], subject_key=key("p256", "l"), issuer_key=key("p256", "circle A")
    )
    started = time.perf_counter()
    path = find_path(leaf, anchors=[world().root.certificate], others=bag, moments=(NOW,))
    assert path.trust == "incomplete"
    assert time.perf_counter() - started < 5
