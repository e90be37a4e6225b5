"""The verdict: one pure function from facts and context to what is said about a message.

Which layer and which signer count is decided here; then the tables of `verdict_rules` and
`verdict_encryption` are walked from the top, and the first row that fits leads.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from smime import words
from smime.facts import EncryptionFacts, Facts, LayerFacts, SenderFacts, SignatureFacts
from smime.pki.certificates import shown
from smime.verdict_context import Context, History, Policy
from smime.verdict_encryption import encryption_code
from smime.verdict_notes import notes_of
from smime.verdict_rules import (
    Case,
    differs_from_outer,
    is_sender_unknowable,
    signature_code,
    signature_level,
)
from smime.verdict_signer import Standing, assess
from smime.words import Level, Phrase
from webmail.mime import Address

__all__ = [
    "WITHOUT_ENCRYPTION",
    "Context",
    "EncryptionVerdict",
    "History",
    "Policy",
    "SignatureVerdict",
    "Standing",
    "Verdict",
    "judge",
]

LEVELS: tuple[Level, ...] = ("ok", "none", "unknown", "warn", "bad")  # rising
WITHOUT_ENCRYPTION = frozenset({"", "not-encrypted"})  # encryption codes of mail sent in the clear
_SAID_LIMIT = 64


@dataclass(frozen=True, slots=True)
class SignatureVerdict:
    """What is said about the signature."""

    code: str
    level: Level
    notes: tuple[str, ...] = ()
    signers: tuple[Standing, ...] = ()  # of the leading layer, the leading signer first

    @property
    def lead(self) -> Standing | None:
        """The signer the headline speaks of."""
        return self.signers[0] if self.signers else None


@dataclass(frozen=True, slots=True)
class EncryptionVerdict:
    """What is said about the encryption."""

    code: str
    level: Level
    facts: EncryptionFacts | None = None  # of the layer the code speaks of


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a reader is told."""

    level: Level
    signature: SignatureVerdict
    encryption: EncryptionVerdict | None
    headline: Phrase
    sentence: Phrase
    tail: Phrase | None
    flag: str
    shown_from: tuple[Address, ...]  # whose name stands as sender
    is_expanded: bool  # the panel opens by itself
    notes: tuple[Phrase, ...] = ()  # those of `signature.notes`, in their order

    @property
    def summary(self) -> str:
        """Give headline, sentence and tail in English, as one line."""
        sentence = " ".join(
            part for part in (self.sentence.text, self.tail.text if self.tail else "") if part
        )
        headline = self.headline.text
        if not sentence:
            return headline
        return f"{headline}. {sentence}" if headline else sentence

    @property
    def is_signature_valid(self) -> bool:
        """The signature counts for the protection of header fields (RFC 9788 §4.3.1)."""
        return words.SIGNATURE[self.signature.code].level == "ok" and self.signature.level != "bad"

    @property
    def may_load_remote_content(self) -> bool:
        """Remote content may be offered: never for what was decrypted, unless all is well."""
        code = self.encryption.code if self.encryption is not None else ""
        return code in WITHOUT_ENCRYPTION or self.level == "ok"


def judge(facts: Facts, *, context: Context) -> Verdict:
    """Judge a message; never raises."""
    case = _case(facts, context)
    code = signature_code(case)
    level = signature_level(code, case)
    if is_sender_unknowable(case):
        code, level = "from-malformed", "bad"
    elif differs_from_outer(case.sender) and level != "ok":
        code, level = "two-senders", "bad"
    notes = notes_of(case)
    if words.LOWERING_NOTES & set(notes) and level == "ok":
        level = "warn"
    signers = case.outer_signers if code == "signed-outside" else case.signers
    signature = SignatureVerdict(code, level, notes, signers)
    encryption = _encryption(case, signature)
    return _told(case, signature, encryption)


# --- which signature counts ---------------------------------------------------------------------


def _case(facts: Facts, context: Context) -> Case:
    inside, outside = _split(facts.layers)
    if any(_is_closed(layer) for layer in facts.layers):
        # Nothing is claimed of what was not opened (fine points 10 and 12).
        inside, outside = (), (*inside, *outside)
    candidates = [(layer, _standings(layer, facts.sender, context)) for layer in reversed(inside)]
    # Fine point 4: the inner one leads, unless another round the same body fails.
    # Certificates alone lead only where there is no signature beside them.
    failing = [each for each in candidates if not _holds(*each)]
    signed = [each for each in candidates if each[1]]
    leading = next(iter((*failing, *signed, *candidates)), None)
    signature, signers = leading if leading is not None else (None, ())
    others = tuple(layer for layer, _ in candidates if layer is not signature) + outside
    outer_signers = _standings(outside[-1], facts.sender, context) if outside else ()
    return Case(facts, context, signature, others, signers, outer_signers)


def _is_closed(layer: LayerFacts) -> bool:
    return (
        layer.is_encryption and layer.encryption is not None and layer.encryption.state != "opened"
    )


def _split(
    layers: Sequence[LayerFacts],
) -> tuple[tuple[SignatureFacts, ...], tuple[SignatureFacts, ...]]:
    """Give the signatures inside the innermost encryption, then those outside of one."""
    last = max((at for at, layer in enumerate(layers) if layer.is_encryption), default=-1)
    inside = tuple(layer.signature for layer in layers[last + 1 :] if layer.signature is not None)
    outside = tuple(layer.signature for layer in layers[: last + 1] if layer.signature is not None)
    return inside, outside


def _standings(
    signature: SignatureFacts, sender: SenderFacts, context: Context
) -> tuple[Standing, ...]:
    """Assess the signers, the leading one first (fine point 5)."""
    found = [assess(signer, signature, sender, context) for signer in signature.signers]
    return tuple(sorted(found, key=_precedence))


def _precedence(standing: Standing) -> tuple[int, int]:
    bound = {"from": 0, "sender": 1, "other": 2, "none": 2}[standing.bound]
    failing = {"altered": 0, "forged": 0, "good": 1, "uncheckable": 2}
    good_first = {"good": 0, "altered": 1, "forged": 1, "uncheckable": 2}
    # The failure of the one who should have signed leads; strangers' failures do not.
    order = failing if standing.bound == "from" else good_first
    return bound, order[standing.facts.check.integrity]


def _holds(signature: SignatureFacts, signers: Sequence[Standing]) -> bool:
    return signature.reason is None and (not signers or signers[0].is_intact)


# --- encryption -----------------------------------------------------------------------------------


def _encryption(case: Case, signature: SignatureVerdict) -> EncryptionVerdict | None:
    code, facts = encryption_code(case)
    if code is None:
        return None
    level = words.ENCRYPTION[code].level
    if code == "encrypted-signed":
        level = signature.level
    return EncryptionVerdict(code, level, facts)


# --- what is said ---------------------------------------------------------------------------------


def _told(case: Case, signature: SignatureVerdict, encryption: EncryptionVerdict | None) -> Verdict:
    level = signature.level
    if encryption is not None and encryption.level != "none":
        level = _worse(level, encryption.level)
    is_about_encryption = encryption is not None and _encryption_leads(signature, encryption)
    if is_about_encryption and encryption is not None:
        said, values = words.ENCRYPTION[encryption.code], {"n": str(case.context.lock_minutes)}
    else:
        said = words.SIGNATURE[signature.code]
        values = _values(case, signature, said)
    is_two_senders = signature.code == "two-senders"
    return Verdict(
        level=level,
        signature=signature,
        encryption=encryption,
        headline=Phrase(said.headline, values),
        sentence=Phrase(said.sentence, values),
        tail=None if is_about_encryption else _tail(signature, encryption),
        flag=said.flag,
        shown_from=case.sender.outer_from if is_two_senders else case.sender.from_,
        is_expanded=level in {"bad", "warn"} or signature.code == "revoked-later",
        notes=tuple(_note(note, case) for note in signature.notes),
    )


def _note(note: str, case: Case) -> Phrase:
    template = words.NOTES[note]
    values = {}
    for name in words.placeholders(template):
        if name == "sender":
            values[name] = _addresses(case.sender.sender)
        else:  # {date}: when the leading signature was made
            values[name] = _day(case.lead.facts.signed_at if case.lead is not None else None)
    return Phrase(template, values)


def _worse(one: Level, other: Level) -> Level:
    return max(one, other, key=LEVELS.index)


def _encryption_leads(signature: SignatureVerdict, encryption: EncryptionVerdict) -> bool:
    if encryption.code in {"encrypted-signed", "not-encrypted"}:
        return False
    if encryption.code == "partly-encrypted" and signature.level == "ok":
        return False  # the whole seal says who signed; that a part is framed follows
    if LEVELS.index(encryption.level) != LEVELS.index(signature.level):
        return LEVELS.index(encryption.level) > LEVELS.index(signature.level)
    return signature.code == "unsigned"


def _tail(signature: SignatureVerdict, encryption: EncryptionVerdict | None) -> Phrase | None:
    if encryption is None:
        return None
    if encryption.code == "not-encrypted":
        return Phrase(words.TAIL_NOT_ENCRYPTED)
    if encryption.code == "partly-encrypted" and signature.level == "ok":
        return Phrase(words.ENCRYPTION[encryption.code].sentence)
    if encryption.code != "encrypted-signed" or encryption.facts is None:
        return None
    if signature.level != "ok":
        return Phrase(words.TAIL_NOT_PROVEN)
    others = encryption.facts.recipient_count - 1 - _own_copies(signature, encryption.facts)
    if others < 1:
        return Phrase(words.TAIL_FOR_YOU)
    if others == 1:
        return Phrase(words.TAIL_FOR_YOU_AND_ONE)
    return Phrase(words.TAIL_FOR_YOU_AND_OTHERS, {"n": str(others)})


def _own_copies(signature: SignatureVerdict, facts: EncryptionFacts) -> int:
    """Count the signer among the recipients: a copy for oneself is no other reader."""
    lead = signature.lead
    if lead is None or lead.certificate is None or lead.certificate == facts.opened_by:
        return 0
    certificate = lead.certificate
    return int(any(identifier.fits(certificate) for identifier in facts.recipients))


def _values(case: Case, signature: SignatureVerdict, said: words.Words) -> dict[str, str]:
    """Give what the phrases ask for, and nothing else: it is kept with each verdict."""
    wanted = words.placeholders(said.headline) | words.placeholders(said.sentence)
    return {name: _value(name, case, signature) for name in sorted(wanted)}


def _value(name: str, case: Case, signature: SignatureVerdict) -> str:
    sender = case.sender
    match name:
        case "from" | "inner":
            return _addresses(sender.from_)
        case "sender":
            return _addresses(sender.sender)
        case "outer":
            return _addresses(sender.outer_from)
        case "reason":
            return words.REASONS[_reason(case)]
    if signature.lead is not None:
        return _value_of_signer(name, signature.code, signature.lead, case)
    history = case.context.history
    if name == "n":
        return str(history.signed_in_a_row) if history is not None else ""
    return history.name if history is not None and name == "name" else ""


def _value_of_signer(name: str, code: str, lead: Standing, case: Case) -> str:
    match name:
        case "name":
            return lead.name or "an unnamed key"
        case "addr":
            return shown(lead.address or lead.name, limit=_SAID_LIMIT)
        case "issuer":
            return lead.issuer
        case "purposes":
            return lead.wrong_purposes or ""
        case "signed":
            return _day(lead.facts.signed_at or case.sender.date)
        case "date":
            return _date_for(code, lead, case.context.history)
        case _:
            return ""


def _reason(case: Case) -> str:
    if case.signature is not None and case.signature.reason is not None:
        return case.signature.reason
    if case.lead is not None and case.lead.facts.check.reason is not None:
        return case.lead.facts.check.reason
    if case.lead is not None and case.lead.is_damaged:
        return "certificate-damaged"
    return "not-unpacked"


def _date_for(code: str, lead: Standing, history: History | None) -> str:
    match code:
        case "revoked" | "revoked-later":
            return _day(lead.revoked_at)
        case "expired" | "not-yet-valid":
            return _day(lead.validity_date)
        case "signed-new-certificate":
            return _day(history.new_since if history is not None else None)
        case _:
            return _day(lead.facts.signed_at)


def _day(moment: datetime | None) -> str:
    return f"{moment.day} {moment:%B %Y}" if moment is not None else "an unknown day"


def _addresses(found: Sequence[Address]) -> str:
    texts = [shown(each.address, limit=_SAID_LIMIT) or "an unreadable address" for each in found]
    return ", ".join(texts[:3]) or "nobody"
