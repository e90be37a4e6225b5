"""A mailbox of signed mail that was read, without a mail server and without its bytes.

Signers under five chains that end at one root, each with a new certificate every two years; their
mail lies as `synthetic` makes it. Facts and pages are those of a mail that was signed and read, one
for each certificate; of its other mail only the dates differ. For a private data directory.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from itertools import batched
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from django.db.models import Min

from accounts.models import MailAccount
from smime import trust
from smime.facts import Facts, LayerFacts
from smime.facts_kept import KeptFacts, keep
from smime.models import TrustAnchor
from smime.pki.authority import crl, issue, new_intermediate, new_key, new_root
from smime.pki.locations import Locations
from smime.pki.pkcs12 import KeyPair
from smime.reading import read_message
from smime.verdict import Context
from smime.writing import protect
from webmail.demo.bench import synthetic
from webmail.demo.bench.rendering import NoAddresses
from webmail.mailbox.models import Message
from webmail.mime import Address
from webmail.mime.write import Composition, build_entity, header_fields
from webmail.reader import pipeline, store
from webmail.reader.models import Reading
from webmail.reader.variants import PIPELINE, Variant

MESSAGES_A_SIGNER = 200
WHY = "Bench"
_LIFE = timedelta(days=730)  # of a signer's certificate
_ROOM = timedelta(days=30)  # before the oldest mail and behind the newest
_AT_ONCE = 2_000  # rows made by one statement
_LINE = "The quick brown fox jumps over the lazy dog, and so it goes on.\n"
_PUBLISHED = Locations(
    lists=("http://lists.bench.example/list.crl",), issuers=("http://lists.bench.example/up.cer",)
)


def fill(*, address: str, messages: int, newest_at: datetime) -> tuple[MailAccount, TrustAnchor]:
    """Make a person with `messages` signed messages that are still to be judged.

    Returns the account, and the root: the only anchor. Revocation lists of all issuers are kept.
    """
    inbox = synthetic.fill(address=address, password="", messages=messages, newest_at=newest_at)
    mail = Message.objects.filter(account_id=inbox.account_id)
    mail.update(is_secured=True, seal="", seal_flag="")
    begin = mail.aggregate(begin=Min("internal_date"))["begin"] - _ROOM
    signers = _Signers(begin, newest_at)
    addresses = mail.order_by("from_address").values_list("from_address", flat=True).distinct()
    count = max(messages // MESSAGES_A_SIGNER, len(signers.authorities))
    for number, old in enumerate(list(addresses)):
        mail.filter(from_address=old).update(from_address=f"{number % count}@partner.example")
    rows = mail.order_by("pk").values_list("pk", "from_address", "internal_date")
    for some in batched(list(rows), _AT_ONCE, strict=False):
        Reading.objects.bulk_create(signers.reading(*row) for row in some)
    return MailAccount.objects.get(pk=inbox.account_id), signers.anchor


class _Signers:
    """Who signs, under which authority, and what is read of their mail."""

    def __init__(self, begin: datetime, now: datetime) -> None:
        root = new_root("Bench Root", begin)
        offices = [new_intermediate(root, f"Bench {name}", begin) for name in ("North", "South")]
        upper = new_intermediate(root, "Bench Upper", begin, path_length=1)
        self.authorities = [root, *offices, upper, new_intermediate(upper, "Bench Lower", begin)]
        self._begin = begin
        self._keys = [new_key("rsa2048") for _ in self.authorities]
        der = root.certificate.public_bytes(Encoding.DER)
        (self.anchor,) = trust.add_anchor(der, actor=None, reason=WHY)
        for each in self.authorities:
            made = crl(each, this_update=now, next_update=now + timedelta(days=30))
            trust.add_crl(made, actor=None, reason=WHY)

    def reading(self, message_id: int, sender: str, at: datetime) -> Reading:
        """Return the row of a message as reading it leaves it, but without its verdict."""
        kept, page = self._read(sender, (at - self._begin) // _LIFE)
        kept = replace(kept, facts=_dated(kept.facts, at))
        return Reading(
            message_id=message_id,
            pipeline=PIPELINE,
            signature_code="",
            level="none",
            page=page,
            sealed_facts=store.seal_facts(kept, message_id=message_id),
            has_signers=kept.has_signers,
        )

    @cache  # noqa: B019 - lives as long as the rows are made
    def _read(self, sender: str, life: int) -> tuple[KeptFacts, dict[str, Any]]:
        begin = self._begin + life * _LIFE
        number = int(sender.partition("@")[0]) % len(self.authorities)
        pair = issue(
            self.authorities[number],
            sender,
            f"Signer {sender}",
            not_before=begin,
            not_after=begin + _LIFE,
            key=self._keys[number],
            published=_PUBLISHED,
        )
        reading = read_message(_signed(pair, sender, begin))
        made = pipeline.make(
            reading=reading,
            context=Context(now=begin),
            variant=Variant(),
            addresses=NoAddresses(),
        )
        return keep(reading), {key: made.page[key] for key in made.page if key != "verdict"}


def _signed(pair: KeyPair, sender: str, at: datetime) -> bytes:
    letter = Composition(
        from_=Address("Signer", sender),
        to=(Address("Reader", "reader@bench.example"),),
        subject="Bench",
        date=at,
        message_id="1@partner.example",
        text=_LINE * 20,
    )
    entity, fields = build_entity(letter), header_fields(letter)
    return protect(entity, fields, signer=pair, recipients=[], signing_time=at)


def _dated(facts: Facts, at: datetime) -> Facts:
    """Return the facts of a mail that was signed and sent at another moment."""
    return replace(
        facts,
        sender=replace(facts.sender, date=at),
        layers=tuple(_layer_dated(each, at) for each in facts.layers),
    )


def _layer_dated(layer: LayerFacts, at: datetime) -> LayerFacts:
    signature = layer.signature
    if signature is None:
        return layer
    signers = tuple(replace(each, signed_at=at) for each in signature.signers)
    return replace(layer, signature=replace(signature, signers=signers))
