"""Whoever is certified below a blocked issuer is not accepted, whatever certificates a mail carries.

Signet's own mail, as that of most programs, leaves the root out.
"""

from datetime import timedelta

import pytest
from cryptography import x509

from accounts.models import User
from smime import trust
from smime.models import TrustAnchor
from smime.pki import authority
from smime.pki.authority import new_intermediate, new_root
from tests.smime.anchor_mails import Partner, judged, new_partner, pem
from tests.smime.conftest import NOW, certify

pytestmark = pytest.mark.django_db
WHY = "Broken into"
FROM = "petra@partner.example"


@pytest.fixture(scope="module")
def partner() -> Partner:
    return new_partner()


def block(*certificates: x509.Certificate) -> None:
    trust.add_anchor(pem(*certificates), actor=None, reason=WHY, state="blocked")


def code(user: User, partner: Partner, sender: str = FROM) -> str:
    pair = partner.petra if sender == FROM else partner.rita
    return judged(user, pair, sender)[0].signature.code


@pytest.mark.parametrize("sender", [FROM, "rita@partner.example"])
def test_a_root_that_the_mail_does_not_carry(anna: User, partner: Partner, sender: str) -> None:
    assert code(anna, partner, sender) == "chain-incomplete"
    block(partner.root.certificate)
    verdict, _ = judged(anna, partner.petra if sender == FROM else partner.rita, sender)
    assert (verdict.signature.code, verdict.level) == ("issuer-blocked", "bad")
    assert "Certificates from Partner" in verdict.sentence.text
    trust.remove_anchor(TrustAnchor.objects.get(), actor=None, reason=WHY)
    assert code(anna, partner, sender) == "chain-incomplete"


def test_an_authority_on_the_way_alone(anna: User, partner: Partner) -> None:
    trust.add_anchor(partner.file, actor=None, reason=WHY)
    assert code(anna, partner) == "signed-not-rechecked"
    block(partner.middle.certificate)
    assert code(anna, partner) == "issuer-blocked"
    assert code(anna, partner, "rita@partner.example") == "signed-not-rechecked"


def test_an_issuer_is_its_key_not_one_of_its_certificates(
    anna: User, partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trusted root certifies a blocked authority once more."""
    other = new_root("Other root", NOW - timedelta(days=400))
    middle = partner.middle
    monkeypatch.setattr(authority, "new_key", lambda _: middle.key)
    again = new_intermediate(other, "Partner mail CA", NOW - timedelta(days=300))
    pair = certify(again, FROM, name="Petra", key=partner.petra.key)
    trust.add_anchor(pem(other.certificate), actor=None, reason=WHY)
    assert judged(anna, pair, FROM)[0].signature.code == "signed-not-rechecked"
    block(middle.certificate)
    assert judged(anna, pair, FROM)[0].signature.code == "issuer-blocked"
