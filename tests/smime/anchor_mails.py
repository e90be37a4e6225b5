"""A partner's authority and mail signed under it, for the tests of people's own anchors."""

from dataclasses import dataclass
from datetime import timedelta
from email.utils import format_datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from accounts.models import User
from smime import people, trust
from smime.pki import KeyPair
from smime.pki.authority import Authority, new_intermediate, new_root
from smime.reading import read_message
from smime.verdict import Verdict, judge
from smime.verdict_questions import questions
from smime.writing import protect
from tests.smime.conftest import NOW, certify

ENTITY = b"Content-Type: text/plain; charset=us-ascii\r\n\r\nHello\r\n"


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(each.public_bytes(Encoding.PEM) for each in certificates)


@dataclass(frozen=True)
class Partner:
    """A partner with a root, an intermediate below it, and one person of each."""

    root: Authority
    middle: Authority
    petra: KeyPair  # certified by the intermediate
    rita: KeyPair  # certified by the root

    @property
    def file(self) -> bytes:
        return pem(self.root.certificate)


def new_partner(domain: str = "partner.example") -> Partner:
    root = new_root("Partner root", NOW - timedelta(days=400))
    middle = new_intermediate(root, "Partner mail CA", NOW - timedelta(days=300))
    return Partner(
        root,
        middle,
        petra=certify(middle, f"petra@{domain}", name="Petra"),
        rita=certify(root, f"rita@{domain}", name="Rita"),
    )


def judged(user: User, pair: KeyPair, sender: str) -> tuple[Verdict, str]:
    """Read signed mail as `user` does; return the verdict and who vouches, in words."""
    fields = [("From", sender), ("To", user.address), ("Subject", "Hello")]
    fields.append(("Date", format_datetime(NOW - timedelta(hours=1))))
    raw = protect(ENTITY, fields, signer=pair, recipients=[], cipher="aes-256-gcm")
    facts = read_message(raw, keys=()).facts
    context = trust.context_for(user, sender, received_at=NOW, now=NOW)
    verdict = judge(facts, context=context)
    people.harvest(user, facts, verdict, message_date=NOW)
    return verdict, questions(verdict, facts)[2].answer.text
