"""Makes messages of the demo's letters: signed, encrypted, and broken on purpose."""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

from smime.pki import KeyPair
from smime.pki.authority import Authority, issue, new_key, new_root
from smime.writing import protect
from webmail.demo.files import attachment
from webmail.demo.letters import ALICE, BOB, DOMAIN, Letter, Person
from webmail.mime import Address
from webmail.mime.write import Composition, assemble, build_entity, header_fields

FORWARD = timedelta(days=700)


@dataclass(frozen=True, slots=True)
class PostOffice:
    """The demo's certificate authority and everyone's keys."""

    root: Authority
    alice: KeyPair
    bob: KeyPair
    now: datetime
    others: dict[Person, KeyPair] = field(default_factory=dict)

    @classmethod
    def open(cls, now: datetime) -> "PostOffice":
        """Make a root and certificates for alice and bob."""
        root = new_root("Nordlys Mail CA", now - timedelta(days=800))
        before = now - timedelta(days=60)
        return cls(
            root=root,
            alice=_certify(root, ALICE, before, now + FORWARD),
            bob=_certify(root, BOB, before, now + FORWARD),
            now=now,
        )

    def signer(self, letter: Letter) -> KeyPair | None:
        """Return the key that signs `letter`; None for letters that are not signed."""
        sender, before = letter.sender, self.now - timedelta(days=60)
        match letter.protection:
            case "none":
                return None
            case "expired-since":
                sent = self.now - timedelta(hours=letter.hours)
                return _certify(
                    self.root, sender, sent - timedelta(days=300), sent + timedelta(days=12)
                )
            case "signer-not-from":
                other = Person(sender.name, "l.moradi@postbox.example")
                return _certify(self.root, other, before, self.now + FORWARD)
            case "self-signed":
                return _self_made(sender, before, self.now + FORWARD)
        if sender == ALICE:
            return self.alice
        if sender == BOB:
            return self.bob
        if sender not in self.others:
            self.others[sender] = _certify(self.root, sender, before, self.now + FORWARD)
        return self.others[sender]


def _certify(root: Authority, person: Person, before: datetime, after: datetime) -> KeyPair:
    return issue(root, person.address, person.name, not_before=before, not_after=after, key="p256")


def _self_made(person: Person, before: datetime, after: datetime) -> KeyPair:
    """Return a certificate that its own key signed: issued by an authority of the same name."""
    key = new_key("p256")
    stand_in = new_root(person.name, before)
    same = replace(stand_in, key=cast("CertificateIssuerPrivateKeyTypes", key))
    made = issue(same, person.address, person.name, not_before=before, not_after=after, key=key)
    return replace(made, chain=())


def message_id(letter_key: str) -> str:
    """Return the Message-ID of a letter: the same in every run, so that threads hold."""
    return f"{letter_key}@{DOMAIN}"


def compose(letter: Letter, *, now: datetime) -> Composition:
    """Return `letter` as a composition."""
    sent = (now - timedelta(hours=letter.hours)).replace(microsecond=0)
    earlier = (message_id(letter.answers),) if letter.answers else ()
    return Composition(
        from_=Address(letter.sender.name, letter.sender.address),
        to=tuple(Address(person.name, person.address) for person in letter.to),
        cc=tuple(Address(person.name, person.address) for person in letter.cc),
        subject=letter.subject,
        date=sent,
        message_id=message_id(letter.key),
        in_reply_to=earlier[0] if earlier else None,
        references=earlier,
        text=letter.text + "\n",
        html=letter.html or None,
        attachments=tuple(attachment(name, now=now) for name in letter.files),
        extra_fields=tuple(letter.extra.items()),
    )


def write(letter: Letter, office: PostOffice) -> bytes:
    """Return the bytes of `letter` as a mail server would keep them."""
    composition = compose(letter, now=office.now)
    entity, fields = build_entity(composition), header_fields(composition)
    signer = office.signer(letter)
    if signer is None:
        return assemble(fields, entity)
    readers: tuple[x509.Certificate, ...] = ()
    if letter.protection == "signed-encrypted":
        known = {ALICE: office.alice, BOB: office.bob}
        people = dict.fromkeys((*letter.to, letter.sender))
        readers = tuple(known[person].certificate for person in people if person in known)
    message = protect(
        entity,
        fields,
        signer=signer,
        recipients=readers,
        cipher="aes-256-gcm",
        signing_time=composition.date,
    )
    if letter.protection == "altered":
        # Someone on the way puts another account into the signed text.
        message = re.sub(rb"NO93 8601 1117 947", b"NO41 1594 4088 035", message)
    return message
