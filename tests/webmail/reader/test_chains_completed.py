"""A path that lacks an issuer is completed by what other mail brought; nobody is called for it."""

from datetime import timedelta

import pytest

from smime import trust
from smime.models import Intermediate
from smime.pki import KeyPair
from smime.pki.authority import issue, new_intermediate, new_root
from smime.pki.locations import Locations
from smime.revocation_models import RevocationSource, WatchedCertificate
from tests.smime.conftest import NOW
from tests.webmail.reader.judged import AGAIN, WHY, pem, signed
from webmail.mime import Address

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
NAMED = Locations(
    issuers=("http://pki.test/issuing.cer",),
    lists=("http://pki.test/issuing.crl",),
    responders=("http://pki.test/ocsp",),
)


@pytest.fixture
def between(authority):
    return new_intermediate(authority, "Issuing", NOW - 90 * DAY)


def person(between, name, *, brings_issuer):
    """Somebody under the intermediate, whose mail brings its certificate along or does not."""
    dates = {"not_before": NOW - 60 * DAY, "not_after": NOW + 90 * DAY}
    address = f"{name}@partner.test"
    pair = issue(between, address, name.title(), key="p256", published=NAMED, **dates)
    return pair if brings_issuer else KeyPair(key=pair.key, certificate=pair.certificate)


def arrives(mail, day, pair, name):
    author = {"from_": Address(name.title(), f"{name}@partner.test")}
    return mail.arrives(day, signed(day, pair, **author), sender=f"{name}@partner.test")


def test_a_chain_is_completed_by_the_issuer_another_mail_brought(
    mail, anchor, between, django_capture_on_commit_callbacks
):
    short = person(between, "sven", brings_issuer=False)
    incomplete = arrives(mail, -9, short, "sven")
    assert mail.code(incomplete) == "chain-incomplete"
    assert not RevocationSource.objects.exists()  # nobody is asked for the missing issuer
    with django_capture_on_commit_callbacks(execute=True):
        whole = arrives(mail, -8, person(between, "wera", brings_issuer=True), "wera")
    assert mail.code(whole) == "signed-first"
    assert [row.name for row in Intermediate.objects.all()] == ["Issuing"]
    mail.sweep()
    assert mail.code(incomplete) == "signed-first"
    assert mail.code(arrives(mail, -7, short, "sven")) == AGAIN


def test_for_a_stranger_s_chain_nobody_is_called(mail, db):
    """Neither for one that is whole, nor for one that lacks its issuer."""
    strange = new_root("Nobody trusts it", NOW - 400 * DAY)
    between = new_intermediate(strange, "Strange issuing", NOW - 90 * DAY)
    for day, whole in ((-9, True), (-8, False)):
        arrives(mail, day, person(between, "eve", brings_issuer=whole), "eve")
    mail.sweep()
    assert not RevocationSource.objects.exists()
    assert not WatchedCertificate.objects.exists()
    assert not Intermediate.objects.exists()  # nor is it kept
    trust.add_anchor(pem(strange.certificate), actor=None, reason=WHY)
    mail.sweep()
    assert WatchedCertificate.objects.exists()
