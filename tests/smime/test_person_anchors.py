"""Authorities of a person's own: theirs alone, in their domains, below the installation's word."""

from datetime import timedelta

import pytest
from django.test import override_settings

from accounts.models import AuditEvent, User
from smime import deciding_anchors, revocation, trust
from smime.deciding import DecisionError
from smime.models import Intermediate, PersonAnchor
from smime.pki.authority import new_intermediate, new_root
from smime.pki.certificates import fingerprint
from smime.pki.locations import Locations
from smime.revocation_models import WatchedCertificate
from tests.smime.anchor_mails import Partner, judged, new_partner, pem
from tests.smime.conftest import NOW, certify

pytestmark = pytest.mark.django_db
DOMAIN = "partner.example"
WHY = "Decided"
# Nothing is fetched for it: whether the certificate was withdrawn is not known, and that is said.
SIGNED = "signed-not-rechecked"


@pytest.fixture(scope="module")
def partner() -> Partner:
    return new_partner()


@pytest.fixture(autouse=True)
def _allowed(settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PERSONAL_ANCHORS = True
    # Mail as of programs that send their root along; Signet's own leaves it out.
    monkeypatch.setattr("smime.cms.signing.is_self_signed", lambda _: False)


def code(user: User, partner: Partner, sender: str = "petra@partner.example") -> str:
    return judged(user, partner.petra, sender)[0].signature.code


def refusal(user: User, content: bytes, domains: str = DOMAIN) -> str:
    with pytest.raises(DecisionError) as caught:
        deciding_anchors.add(user, content, domains)
    assert caught.value.reason.endswith(".")
    return caught.value.reason


def test_it_counts_for_its_owner_alone_and_says_so(anna: User, ben: User, partner: Partner) -> None:
    before = trust.stamps_for([anna.pk, ben.pk])
    assert code(anna, partner) == "issuer-unknown"
    deciding_anchors.add(anna, partner.file, DOMAIN)
    verdict, vouches = judged(anna, partner.petra, "petra@partner.example")
    assert (verdict.signature.code, verdict.level) == (SIGNED, "ok")
    assert verdict.signature.lead is not None
    assert verdict.signature.lead.revocation == "unknown"
    assert vouches == "Partner mail CA, trusted by you, for partner.example."
    assert code(ben, partner) == "issuer-unknown"
    after = trust.stamps_for([anna.pk, ben.pk])
    assert after[anna.pk] != before[anna.pk]  # old verdicts are judged again
    assert after[ben.pk] == before[ben.pk]


@pytest.mark.parametrize(
    ("domains", "sender", "counts"),
    [
        ("partner.example", "petra@partner.example", True),
        ("other.example, @Partner.Example", "petra@PARTNER.example", True),
        ("partner.example", "petra@mail.partner.example", True),
        ("mail.partner.example", "petra@partner.example", False),
        ("partner.example", "petra@notpartner.example", False),
        ("partner.example", "petra@partner.example.evil.example", False),
        ("bücher.example", "petra@xn--bcher-kva.example", True),
    ],
)
def test_it_counts_in_its_domains_only(
    anna: User, partner: Partner, domains: str, sender: str, counts: bool
) -> None:
    deciding_anchors.add(anna, partner.file, domains)
    pair = certify(partner.middle, sender, name="Petra")
    found = judged(anna, pair, sender)[0].signature.code
    assert found == (SIGNED if counts else "issuer-unknown")


def test_the_site_must_let_it(anna: User, partner: Partner) -> None:
    stamp = trust.stamp_for(anna)
    deciding_anchors.add(anna, partner.file, DOMAIN)
    allowed = trust.stamp_for(anna)
    with override_settings(PERSONAL_ANCHORS=False):
        assert code(anna, partner) == "issuer-unknown"
        assert trust.stamp_for(anna) == stamp != allowed
        assert "administrator" in refusal(anna, partner.file)
    assert code(anna, partner) == SIGNED
    deciding_anchors.remove(PersonAnchor.objects.get(), actor=anna)
    assert trust.stamp_for(anna) == stamp


class TestTheInstallationWins:
    @pytest.mark.parametrize("state", ["blocked", "limited"])
    def test_over_what_it_decided_later(self, anna: User, partner: Partner, state: str) -> None:
        row = deciding_anchors.add(anna, partner.file, DOMAIN)
        domains = ["elsewhere.example"] if state == "limited" else []
        trust.add_anchor(partner.file, actor=None, reason=WHY, state=state, domains=domains)
        found = "issuer-blocked" if state == "blocked" else "issuer-unknown"
        assert code(anna, partner) == found
        assert deciding_anchors.standing_of(row) == ("blocked" if state == "blocked" else "decided")

    def test_below_a_blocked_issuer_nothing_is_trusted(self, anna: User, partner: Partner) -> None:
        below = pem(partner.middle.certificate)
        row = deciding_anchors.add(anna, below, DOMAIN)
        assert code(anna, partner) == SIGNED
        trust.add_anchor(partner.file, actor=None, reason=WHY, state="blocked")
        assert code(anna, partner) != SIGNED
        assert not trust.context_for(
            anna, "petra@partner.example", received_at=NOW, now=NOW
        ).own_anchors
        assert deciding_anchors.standing_of(row) == "blocked"
        assert "does not accept" in refusal(anna, below)

    def test_a_blocked_authority_does_not_come_back_by_another_certificate(
        self, anna: User, partner: Partner
    ) -> None:
        trust.add_anchor(partner.file, actor=None, reason=WHY, state="blocked")
        assert "does not accept" in refusal(anna, partner.file)
        renewed = new_root("Partner root", NOW, key="p256")
        assert renewed.certificate != partner.root.certificate
        deciding_anchors.add(anna, pem(renewed.certificate), DOMAIN)  # another key: another one

    def test_where_it_trusts_already_its_path_stands(self, anna: User, partner: Partner) -> None:
        """So that withdrawals are still looked up, whatever the person trusts on the way."""
        deciding_anchors.add(anna, pem(partner.middle.certificate), DOMAIN)
        assert judged(anna, partner.petra, "petra@partner.example")[1].endswith(
            "trusted by you, for partner.example."
        )
        trust.add_anchor(partner.file, actor=None, reason=WHY)
        verdict, vouches = judged(anna, partner.petra, "petra@partner.example")
        assert vouches == "Partner mail CA, which is trusted here."
        assert verdict.signature.lead is not None
        assert verdict.signature.lead.path is not None
        assert verdict.signature.lead.path.certificates[-1] == partner.root.certificate
        assert "decided" in refusal(anna, partner.file)


def test_nothing_is_fetched_nor_kept_for_others(anna: User) -> None:
    """Revocation is looked up for roots of the installation alone; links stay private."""
    lists = Locations(lists=("http://pki.test/ca.crl",), responders=("http://pki.test/ocsp",))
    root = new_root("Own root", NOW - timedelta(days=40), published=lists)
    middle = new_intermediate(root, "Own CA", NOW - timedelta(days=30), published=lists)
    pair = certify(middle, "petra@partner.example")
    deciding_anchors.add(anna, pem(root.certificate), DOMAIN)
    verdict, _ = judged(anna, pair, "petra@partner.example")
    assert verdict.level == "ok"
    revocation.watch([verdict], now=NOW)
    assert not WatchedCertificate.objects.exists()
    assert not Intermediate.objects.exists()
    trust.add_anchor(pem(root.certificate), actor=None, reason=WHY)
    verdict, _ = judged(anna, pair, "petra@partner.example")
    revocation.watch([verdict], now=NOW)
    assert WatchedCertificate.objects.exists()
    assert Intermediate.objects.get().fingerprint == fingerprint(middle.certificate)


class TestLimits:
    def test_leaves_and_keys_that_do_not_certify(self, anna: User, partner: Partner) -> None:
        assert "basicConstraints" in refusal(anna, pem(partner.petra.certificate))
        assert "several certificates" in refusal(
            anna, pem(partner.root.certificate, partner.middle.certificate)
        )

    def test_files(self, anna: User, partner: Partner) -> None:
        assert "no certificate" in refusal(anna, b"nothing")
        assert "no certificate" in refusal(anna, b"")
        assert "64 KiB" in refusal(anna, partner.file + b" " * 64 * 1024)

    def test_short_keys(self, anna: User) -> None:
        short = new_root("Short", NOW - timedelta(days=9), key="rsa1024")
        assert "too short to rely on: RSA 1024" in refusal(anna, pem(short.certificate))

    def test_expired_ones(self, anna: User) -> None:
        old = new_root("Old", NOW - timedelta(days=99), lifetime=timedelta(days=9))
        assert "expired on" in refusal(anna, pem(old.certificate))

    @pytest.mark.parametrize(
        ("domains", "said"),
        [
            ("", "at least one"),
            (" , ;", "at least one"),
            ("com", "“com” is no domain"),
            ("partner.example, a@b.example", "“a@b.example”"),
            ("*.partner.example", "is no domain"),
            ("192.0.2.1", "is no domain"),
            ("-a.example", "is no domain"),
            (f"{'a' * 64}.example", "is no domain"),
            (" ".join(f"d{at}.example" for at in range(21)), "at most 20 domains"),
        ],
    )
    def test_domains(self, anna: User, partner: Partner, domains: str, said: str) -> None:
        assert said in refusal(anna, partner.file, domains)

    def test_twenty_of_a_person(self, anna: User, ben: User, partner: Partner) -> None:
        row = deciding_anchors.add(anna, partner.file, DOMAIN)
        columns = {
            each.attname: getattr(row, each.attname)
            for each in PersonAnchor._meta.concrete_fields
            if each.attname not in {"id", "fingerprint"}
        }
        PersonAnchor.objects.bulk_create(
            PersonAnchor(**columns, fingerprint=f"{at:064x}") for at in range(19)
        )
        more = pem(new_root("One more", NOW - timedelta(days=9)).certificate)
        assert "20 authorities already" in refusal(anna, more)
        deciding_anchors.add(ben, more, DOMAIN)
        changed = deciding_anchors.add(anna, partner.file, "new.example")  # one that is there
        assert changed.domains == ["new.example"]
        actions = AuditEvent.objects.order_by("pk").values_list("action", flat=True)
        assert list(actions) == [
            "person-anchor-added",
            "person-anchor-added",
            "person-anchor-changed",
        ]
