from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from accounts.models import AuditEvent, User
from smime import people, trust
from smime.certificate_rows import CertificateFileError
from smime.models import PersonCertificate, RevocationList, TrustAnchor
from smime.pki.authority import Authority, crl, new_root
from smime.pki.certificates import fingerprint
from tests.smime.conftest import NOW, certify

pytestmark = pytest.mark.django_db
WHY = "Our own authority"


def pem(root: Authority) -> bytes:
    return root.certificate.public_bytes(Encoding.PEM)


def context(user: User, address: str = "x@partner.test"):
    return trust.context_for(user, address, received_at=NOW, now=NOW)


def test_an_anchor_is_trusted_with_its_reason(anna: User, authority: Authority) -> None:
    (row,) = trust.add_anchor(pem(authority), actor=anna, reason=WHY)
    assert (row.state, row.reason, row.added_by) == ("trusted", WHY, anna)
    assert context(anna).anchors == (authority.certificate,)
    event = AuditEvent.objects.get()
    assert (event.action, event.reason) == ("trust-anchor-added", WHY)
    trust.remove_anchor(row, actor=anna, reason="No longer")
    assert context(anna).anchors == ()


@pytest.mark.parametrize(
    ("address", "counts"),
    [
        ("x@partner.test", True),
        ("x@sub.partner.test", True),
        ("x@PARTNER.test", True),
        ("x@notpartner.test", False),
        ("x@partner.test.evil.test", False),
        ("", False),
    ],
)
def test_a_limited_anchor_counts_in_its_domains_only(
    anna: User, authority: Authority, address: str, counts: bool
) -> None:
    trust.add_anchor(
        pem(authority), actor=anna, reason=WHY, state="limited", domains=["@Partner.test"]
    )
    assert bool(context(anna, address).anchors) is counts


def test_a_blocked_issuer_is_no_anchor(anna: User, authority: Authority) -> None:
    trust.add_anchor(pem(authority), actor=anna, reason=WHY)
    trust.add_anchor(pem(authority), actor=anna, reason="Broken into", state="blocked")
    found = context(anna)
    assert found.anchors == ()
    assert found.policy.blocked_issuers == {fingerprint(authority.certificate)}
    assert TrustAnchor.objects.count() == 1


@pytest.mark.parametrize(
    ("state", "domains", "reason"),
    [("trusted", [], " "), ("limited", [], WHY), ("limited", ["  "], WHY), ("other", [], WHY)],
)
def test_what_is_incomplete_is_refused(
    authority: Authority, state: str, domains: list[str], reason: str
) -> None:
    with pytest.raises(CertificateFileError):
        trust.add_anchor(pem(authority), actor=None, reason=reason, state=state, domains=domains)
    assert not TrustAnchor.objects.exists()
    assert not AuditEvent.objects.exists()


def test_people_are_no_authorities(authority: Authority) -> None:
    person = certify(authority, "a@b.test").certificate.public_bytes(Encoding.PEM)
    with pytest.raises(CertificateFileError, match="not an authority"):
        trust.add_anchor(pem(authority) + person, actor=None, reason=WHY)
    assert not TrustAnchor.objects.exists()


def test_the_stamp_changes_with_every_decision_and_only_then(
    anna: User, ben: User, authority: Authority
) -> None:
    seen = [trust.stamp_for(anna)]

    def changed() -> bool:
        seen.append(trust.stamp_for(anna))
        return seen[-1] != seen[-2]

    assert len(seen[0]) <= 64
    assert not changed()
    (row,) = trust.add_anchor(pem(authority), actor=None, reason=WHY)
    assert changed()
    trust.change_anchor(row, state="limited", domains=["a.test"], actor=None, reason=WHY)
    assert changed()
    trust.add_crl(
        crl(authority, this_update=NOW, next_update=NOW + timedelta(days=7)),
        actor=None,
        reason=WHY,
    )
    assert changed()
    der = certify(authority, "a@b.test").certificate.public_bytes(Encoding.DER)
    people.import_certificate(anna, "a@b.test", der)
    assert not changed()  # knowing a certificate proves nothing
    people.import_certificate(ben, "a@b.test", der)
    PersonCertificate.objects.filter(user=ben).update(is_pinned=True)
    assert not changed()  # another person's decision
    PersonCertificate.objects.filter(user=anna).update(is_pinned=True)
    assert changed()
    assert len(context(anna, "a@b.test").anchors) == 1
    trust.remove_anchor(TrustAnchor.objects.get(), actor=None, reason=WHY)
    assert changed()


def test_a_newer_list_takes_the_place_of_an_older_one(authority: Authority) -> None:
    for day in (0, 1):
        content = crl(
            authority,
            this_update=NOW + timedelta(days=day),
            next_update=NOW + timedelta(days=7),
        )
        trust.add_crl(content, actor=None, reason=WHY)
    assert RevocationList.objects.get().this_update == NOW + timedelta(days=1)
    assert len(trust.anchors().crls) == 1
    with pytest.raises(CertificateFileError):
        trust.add_crl(b"nothing", actor=None, reason=WHY)


def test_anchors_are_found_by_the_beginning_of_their_fingerprint(authority: Authority) -> None:
    (row,) = trust.add_anchor(pem(authority), actor=None, reason=WHY)
    digits = row.fingerprint
    assert trust.find_anchor(digits) == row
    assert trust.find_anchor(digits[:8].upper()) == row
    assert trust.find_anchor(":".join((digits[:2], digits[2:4], digits[4:8]))) == row
    assert trust.find_anchor(digits[:7]) is None
    assert trust.find_anchor("") is None


def test_several_authorities_of_one_file(authority: Authority) -> None:
    other = new_root("Other CA", NOW - timedelta(days=1))
    rows = trust.add_anchor(pem(authority) + pem(other), actor=None, reason=WHY)
    assert {row.name for row in rows} == {"Vault test CA", "Other CA"}
