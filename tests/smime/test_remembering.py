"""What was really verified feeds the verdict: first, again, with a new certificate, missing."""

from datetime import timedelta
from email.utils import format_datetime

import pytest

from accounts.models import User
from smime import history, people, remembering, trust
from smime.models import PersonCertificate, SigningRecord
from smime.pki import KeyPair
from smime.pki.authority import Authority, new_root
from smime.reading import read_message
from smime.verdict import judge
from smime.writing import protect
from tests.smime.conftest import NOW, certify
from tests.smime.test_people import ENTITY, PETRA, pem

pytestmark = pytest.mark.django_db


class Post:
    """Mail from Petra as Anna reads it, in whichever order."""

    def __init__(self, user: User, sender: str = PETRA) -> None:
        self.user, self.sender = user, sender

    def read(self, day: int, pair: KeyPair | None = None, *, list_id: str = ""):
        """Judge the mail of that day; returns its code and the keys of mails that turn by it."""
        fields = [("From", self.sender), ("To", self.user.address), ("Subject", "Hello")]
        fields.append(("Date", format_datetime(NOW + timedelta(days=day))))
        if list_id:
            fields.append(("List-Id", list_id))
        if pair is None:
            raw = b"".join(f"{name}: {value}\r\n".encode() for name, value in fields) + ENTITY
        else:
            raw = protect(ENTITY, fields, signer=pair, recipients=[], cipher="aes-256-gcm")
        facts = read_message(raw).facts
        at, key = NOW + timedelta(days=day), f"m{day}"
        address = history.correspondent(facts)
        record = remembering.records_for(self.user.pk, [address]).get(address, history.Record())
        context = trust.context_for(
            self.user, address, received_at=at, now=NOW, history=record.before(at, key)
        )
        verdict = judge(facts, context=context)
        people.harvest(self.user, facts, verdict, message_date=at)
        change = history.change_by(facts, verdict, at=at, key=key)
        return verdict.signature.code, remembering.note(self.user.pk, address, [change])

    def codes(self, *days: int, pair: KeyPair | None = None) -> list[str]:
        return [self.read(day, pair)[0] for day in days]


@pytest.fixture
def trusted(authority: Authority, db: None) -> Authority:
    trust.add_anchor(pem(KeyPair(authority.key, authority.certificate)), actor=None, reason="Ours")
    return authority


@pytest.fixture
def petra(trusted: Authority) -> KeyPair:
    return certify(trusted, PETRA, begins=-50)


@pytest.fixture
def post(anna: User) -> Post:
    return Post(anna)


# No list of withdrawals is at hand here: what is not the first or new is "not rechecked".
AGAIN = "signed-not-rechecked"


def test_first_again_and_read_twice(post: Post, petra: KeyPair) -> None:
    assert post.codes(-9, -8, pair=petra) == ["signed-first", AGAIN]
    assert post.codes(-9, -8, -9, pair=petra) == ["signed-first", AGAIN, "signed-first"]


def test_an_older_mail_read_later_is_the_first(post: Post, petra: KeyPair) -> None:
    assert post.codes(-5, pair=petra) == ["signed-first"]
    code, turned = post.read(-9, petra)
    assert (code, turned) == ("signed-first", {"m-5"})
    assert post.codes(-5, pair=petra) == [AGAIN]


def test_a_new_certificate(post: Post, petra: KeyPair, trusted: Authority) -> None:
    other = certify(trusted, PETRA, name="Other", begins=-50)
    assert post.codes(-9, pair=petra) == ["signed-first"]
    assert post.codes(-8, -7, pair=other) == ["signed-new-certificate", AGAIN]
    assert post.codes(-6, pair=petra) == [AGAIN]


def test_a_missing_signature(post: Post, petra: KeyPair) -> None:
    post.codes(-9, -8, pair=petra)
    assert post.codes(-6) == ["unsigned"]  # two are not enough
    post.codes(-5, -4, -3, pair=petra)
    assert post.codes(-2, -1) == ["signature-missing", "unsigned"]
    assert post.codes(-2) == ["signature-missing"]


def test_mail_through_a_list_does_not_count(post: Post, petra: KeyPair) -> None:
    post.codes(-9, -8, -7, pair=petra)
    assert post.read(-6, list_id="<a.list>")[0] == "unsigned"
    assert post.codes(-5) == ["signature-missing"]


def test_a_failing_signature_does_not_count(post: Post, petra: KeyPair) -> None:
    nobody = new_root("Nobody", NOW - timedelta(days=400))
    stranger = certify(nobody, PETRA, begins=-50)
    post.codes(-9, -8, -7, pair=petra)
    assert post.codes(-6, pair=stranger) == ["chain-incomplete"]
    assert post.codes(-5) == ["signature-missing"]


def test_mail_that_nobody_verified_leaves_no_record(post: Post) -> None:
    post.codes(-9, -8)
    assert not SigningRecord.objects.exists()


def test_known_to_sign(post: Post, petra: KeyPair, anna: User, trusted: Authority) -> None:
    mallory = certify(trusted, "mallory@evil.test", begins=-50)
    assert post.codes(-9, pair=mallory) == ["signer-not-from"]
    assert post.codes(-8, pair=petra) == ["signed-first"]
    assert post.codes(-7, -9, pair=mallory) == ["impostor", "impostor"]
    assert PersonCertificate.objects.get(user=anna).address == PETRA


def test_each_person_has_a_memory_of_their_own(post: Post, petra: KeyPair, ben: User) -> None:
    post.codes(-9, pair=petra)
    assert Post(ben).codes(-8, pair=petra) == ["signed-first"]
    assert SigningRecord.objects.count() == 2


def test_the_same_address_written_otherwise(post: Post, petra: KeyPair, anna: User) -> None:
    post.codes(-9, pair=petra)
    assert Post(anna, PETRA.upper()).codes(-8, pair=petra) == [AGAIN]


def test_a_verdict_that_no_longer_holds_is_taken_back(
    post: Post, petra: KeyPair, trusted: Authority
) -> None:
    post.codes(-9, -8, pair=petra)
    trust.remove_anchor(trust.TrustAnchor.objects.get(), actor=None, reason="Enough")
    code, turned = post.read(-9, petra)
    assert (code, turned) == ("chain-incomplete", {"m-8"})


def test_mail_that_is_not_opened_changes_nothing(post: Post, petra: KeyPair, anna: User) -> None:
    post.codes(-9, pair=petra)
    fields = [("From", PETRA), ("To", anna.address), ("Subject", "Hello")]
    fields.append(("Date", format_datetime(NOW)))
    raw = protect(
        ENTITY, fields, signer=petra, recipients=[petra.certificate], cipher="aes-256-gcm"
    )
    facts = read_message(raw).facts
    verdict = judge(facts, context=trust.context_for(anna, PETRA, received_at=NOW, now=NOW))
    assert history.change_by(facts, verdict, at=NOW, key="m-9") is None
