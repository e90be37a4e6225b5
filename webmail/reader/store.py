"""Finished renderings: where they are kept and for whom.

Mail that was never encrypted: `Reading` and `Rendition` rows, the documents sealed with the
keyring. Mail that had to be opened with a key: only in Redis, for minutes, sealed under the key
of the session that opened it (accounts.sealed_cache); the `Reading` row keeps codes alone.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, Q
from django.utils import timezone

from accounts import sealed_cache, sealing
from accounts.prepared import Prepared
from accounts.rotation import SealedColumn
from smime.facts_kept import KeptFacts, decode, encode
from webmail.mailbox.models import Message
from webmail.reader.models import Reading, Rendition
from webmail.reader.variants import PIPELINE, Variant

OPENED_FOR = 15 * 60  # seconds that decrypted content stays in the sealed cache
LOCKED_FOR = 5  # seconds that "unlock your keys" is remembered
FAILURE_LIMIT = 2
_FACTS_PURPOSE = "facts"

Page = dict[str, Any]
type Key = Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Documents:
    """What frames show, and the remote addresses that tokens of it point at by position."""

    frames: tuple[str, ...]
    images: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()

    def to_json(self) -> bytes:
        """Return the form that is sealed."""
        return json.dumps([self.frames, self.images, self.targets]).encode()

    @classmethod
    def from_json(cls, content: bytes) -> "Documents":
        """Read the sealed form back."""
        frames, images, targets = json.loads(content)
        return cls(tuple(frames), tuple(images), tuple(targets))


@dataclass(frozen=True, slots=True)
class Times:
    """When a reading was judged and when it is due, as they stood before a verdict was begun."""

    judged_at: datetime | None = None
    turns_at: datetime | None = None
    was_read: bool = False  # judged at all


@dataclass(frozen=True, slots=True)
class Findings:
    """The columns of a `Reading`: codes and facts, never content of an encrypted layer."""

    signature_code: str
    encryption_code: str
    level: str
    notes: tuple[str, ...]
    trust_stamp: str
    is_encrypted: bool
    verdict: dict[str, Any]
    kept: KeptFacts
    turns_at: datetime | None
    before: Times


def _subject(message_id: int, variant_key: str) -> str:
    return f"reader.rendition:{message_id}:{variant_key}"


def _facts_subject(message_id: int) -> str:
    return f"reader.reading:{message_id}"


def seal_facts(kept: KeptFacts, *, message_id: int) -> bytes:
    """Return facts sealed for the message's row."""
    return sealing.seal(encode(kept), purpose=_FACTS_PURPOSE, subject=_facts_subject(message_id))


def open_facts(sealed: bytes, *, message_id: int) -> KeptFacts:
    """Return what `seal_facts` sealed; raises SealBroken, OtherVersionError."""
    return decode(
        sealing.open_sealed(sealed, purpose=_FACTS_PURPOSE, subject=_facts_subject(message_id))
    )


# What `rotate_keys` seals anew.
SEALED_COLUMNS = (
    SealedColumn(
        model="reader.Reading",
        column="sealed_facts",
        purpose=_FACTS_PURPOSE,
        subject=lambda row: _facts_subject(row.message_id),
        is_cache=True,
    ),
    SealedColumn(
        model="reader.Rendition",
        column="sealed_document",
        purpose="rendition",
        subject=lambda row: _subject(row.message_id, row.variant),
        is_cache=True,
    ),
)


def _opened_key(what: str, message_id: int, variant: Variant) -> str:
    return f"reader:{what}:{PIPELINE}:{message_id}:{variant.key}"


def save(
    *,
    message_id: int,
    variant: Variant,
    findings: Findings,
    page: Page,
    documents: Documents,
    session_key: bytes | None,
    is_open: bool,
) -> None:
    """Keep a rendering. Of encrypted mail only codes reach the database.

    `is_open` False: the content could not be shown (keys locked or missing), so that the page
    is made again as soon as it is asked for again.
    """
    secret = findings.is_encrypted
    columns = {
        "pipeline": PIPELINE,
        "signature_code": findings.signature_code,
        "encryption_code": findings.encryption_code,
        "level": findings.level,
        "notes": list(findings.notes),
        "verdict": {} if secret else findings.verdict,
        "page": {} if secret else {key: page[key] for key in page if key != "verdict"},
        "judged_at": timezone.now(),
        "trust_stamp": findings.trust_stamp,
        "is_encrypted": secret,
        "failures": 0,
    }
    if findings.kept.facts.is_opened or not secret:
        # Facts from when it was opened are better than none: they stay while it is locked.
        columns["sealed_facts"] = seal_facts(findings.kept, message_id=message_id)
        columns["has_signers"] = findings.kept.has_signers
        columns["turns_at"] = findings.turns_at
    sealed = b""
    if not secret:
        sealed = sealing.seal(
            documents.to_json(), purpose="rendition", subject=_subject(message_id, variant.key)
        )
    with transaction.atomic():
        row = Reading.objects.select_for_update(no_key=True).filter(message_id=message_id).first()
        if row is not None and "turns_at" in columns:
            columns["turns_at"] = _next_turn(row, findings)
        Reading.objects.update_or_create(message_id=message_id, defaults=columns)
        if not secret:
            Rendition.objects.update_or_create(
                message_id=message_id,
                variant=variant.key,
                defaults={
                    "pipeline": PIPELINE,
                    "sealed_document": sealed,
                    "created_at": timezone.now(),
                },
            )
    if secret and session_key is not None:
        for what, content in (
            ("page", json.dumps(page).encode()),
            ("documents", documents.to_json()),
        ):
            sealed_cache.put(
                _opened_key(what, message_id, variant),
                content,
                session_key=session_key,
                seconds=OPENED_FOR if is_open else LOCKED_FOR,
            )


def times_of(message_id: int) -> Times:
    """Return what `Findings.before` is; read before anything that the verdict depends on."""
    rows = Reading.objects.filter(message_id=message_id)
    found = rows.values_list("judged_at", "turns_at", "signature_code").first()
    return Times(found[0], found[1], was_read=found[2] != "") if found else Times()


def _next_turn(row: Reading, findings: Findings) -> datetime | None:
    """Return when the verdict is due; what became known while it was made is not overwritten."""
    before = findings.before
    said = row.signature_code, row.level
    if (
        row.sealed_facts
        and row.judged_at != before.judged_at
        and said != (findings.signature_code, findings.level)
    ):
        return timezone.now()  # somebody judged it otherwise meanwhile: who is right?
    if row.turns_at is None or row.turns_at == before.turns_at:
        return findings.turns_at
    return min(row.turns_at, findings.turns_at or row.turns_at)


# What stands of a reading, and whether its documents are here in a variant.
_READ = Prepared(
    lambda message, stamp, now, variant: Reading.objects.filter(
        Q(turns_at=None) | Q(turns_at__gt=now),
        message_id=message,
        pipeline=PIPELINE,
        trust_stamp=stamp,
    ).values_list(
        "page",
        "verdict",
        "is_encrypted",
        Exists(Rendition.objects.filter(message_id=message, variant=variant, pipeline=PIPELINE)),
    )
)
_SEALED = Prepared(
    lambda message, variant: Rendition.objects.filter(
        message_id=message, variant=variant, pipeline=PIPELINE
    ).values_list("sealed_document")
)


def load_page(
    message: Message, variant: Variant, *, trust_stamp: str, session_key: Key | None
) -> Page | None:
    """Return the finished page, or None if it must be (re)made for this person now.

    session_key: gives the key of what the session opened; asked for encrypted mail alone.
    """
    found = _READ.first(message.pk, trust_stamp, timezone.now(), variant.key)
    if found is None:
        return None
    page, verdict, is_encrypted, is_made = found
    if not is_encrypted:
        # The page is one; what a message in spam may not do is said in it.
        is_same = bool(page) and page.get("is_junk", False) == variant.junk
        return _assembled(page, verdict) if is_made and is_same else None
    content = sealed_cache.get(
        _opened_key("page", message.pk, variant), session_key=session_key() if session_key else None
    )
    return {**json.loads(content), "is_secret": True} if content is not None else None


def _assembled(page: Page, verdict: dict[str, Any]) -> Page:
    """Put the verdict into the page: it may be younger than the documents."""
    images = page["images"]
    may_always = images["may_load"] and verdict["level"] == "ok"
    return page | {"verdict": verdict, "images": images | {"may_always": may_always}}


def load_documents(
    message: Message, variant: Variant, *, session_key: Key | None
) -> Documents | None:
    """Return the documents of a rendering, or None if they are not here (any more).

    session_key: as `load_page` has it.
    """
    rendition = _SEALED.first(message.pk, variant.key)
    if rendition is not None:
        (sealed,) = rendition
        return Documents.from_json(
            sealing.open_sealed(
                bytes(sealed),
                purpose="rendition",
                subject=_subject(message.pk, variant.key),
            )
        )
    content = sealed_cache.get(
        _opened_key("documents", message.pk, variant),
        session_key=session_key() if session_key else None,
    )
    return Documents.from_json(content) if content is not None else None


def begin(*, message_id: int) -> int:
    """Count a try before it is made; return how many there were since the last success.

    `save` sets the count back. A message that ends its process twice is not tried again.
    """
    reading, _ = Reading.objects.get_or_create(
        message_id=message_id,
        defaults={"pipeline": 0, "signature_code": "", "level": "none"},
    )
    reading.failures += 1
    reading.save(update_fields=["failures"])
    return reading.failures
