"""The table of signature codes, row by row.

A row is a code and a predicate over the `Case`, in the order of the design's table; the first that
fits leads, and nothing else decides.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from smime import words
from smime.facts import Facts, SenderFacts, SignatureFacts
from smime.list_mail import is_list_address
from smime.pki.addresses import canonical_address
from smime.verdict_context import Context
from smime.verdict_signer import Standing, is_blocked
from smime.words import Level

_OLD = timedelta(days=30)
_EXPECTED_RUN = 3  # verified messages in a row that make an unsigned one remarkable


@dataclass(frozen=True, slots=True)
class Case:
    """What the predicates of the table look at."""

    facts: Facts
    context: Context
    signature: SignatureFacts | None  # the layer that counts: innermost, inside any encryption
    outer: tuple[SignatureFacts, ...]  # signatures that never lead
    signers: tuple[Standing, ...]  # of `signature`, the leading one first
    outer_signers: tuple[Standing, ...] = ()
    lead: Standing | None = field(init=False)  # the signer the headline speaks of

    def __post_init__(self) -> None:
        object.__setattr__(self, "lead", self.signers[0] if self.signers else None)

    @property
    def sender(self) -> SenderFacts:
        """Who the message says it is from."""
        return self.facts.sender

    @property
    def integrity(self) -> str:
        """How the leading signature fares; "" without one."""
        return self.lead.facts.check.integrity if self.lead is not None else ""

    @property
    def is_known_to_sign(self) -> bool:
        """A certificate is kept for one of the From addresses."""
        return any(self.context.is_known_to_sign(each.address) for each in self.sender.from_)


type Predicate = Callable[[Case], bool]


def is_sender_unknowable(case: Case) -> bool:
    """Say whether a signed message names nobody, or several, in the place of its sender."""
    return case.sender.is_malformed and case.signature is not None


def differs_from_outer(sender: SenderFacts) -> bool:
    """Compare protected and transported From by address (RFC 9788 §4.4)."""
    if not sender.is_protected:
        return False
    inner = {canonical_address(each.address) for each in sender.from_}
    return inner != {canonical_address(each.address) for each in sender.outer_from}


def _is(integrity: str) -> Predicate:
    return lambda case: case.integrity == integrity


def _signer(test: Callable[[Standing], bool]) -> Predicate:
    return lambda case: case.lead is not None and test(case.lead)


def _altered_by_list(case: Case) -> bool:
    """Say whether a list that is vouched for changed what somebody else had signed."""
    mail, lead = case.facts.list_mail, case.lead
    return (
        case.integrity == "altered"
        and case.context.is_list_change_trusted
        and mail is not None
        and lead is not None
        and not any(is_list_address(mail, each.text) for each in lead.addresses)
    )


def _uncheckable(case: Case) -> bool:
    if case.signature is None:
        return False
    return (
        case.signature.reason is not None
        or case.integrity == "uncheckable"
        or (case.lead is not None and case.lead.is_damaged)
        or not case.facts.is_opened
    )


def _signed_outside(case: Case) -> bool:
    return (
        case.signature is None
        and bool(case.outer)
        and case.facts.is_opened
        and any(each.signers and is_intact(each) for each in case.outer)
        and any(layer.is_encryption for layer in case.facts.layers)
    )


def is_intact(signature: SignatureFacts) -> bool:
    """Say whether at least one signature of the layer holds."""
    return any(signer.check.integrity == "good" for signer in signature.signers)


def _issuer_blocked(case: Case) -> bool:
    lead = case.lead
    return lead is not None and lead.path is not None and is_blocked(lead.path, case.context)


def _several_authors(case: Case) -> bool:
    return len({canonical_address(each.address) for each in case.sender.from_}) > 1


def signed_apart(case: Case) -> timedelta | None:
    """Tell how far the signing time is from the nearer of Date and receipt."""
    signed_at = case.lead.facts.signed_at if case.lead is not None else None
    known = [each for each in (case.sender.date, case.context.received_at) if each is not None]
    if signed_at is None or not known:
        return None
    return min(abs(signed_at - each) for each in known)


def _old_signature(case: Case) -> bool:
    apart = signed_apart(case)
    return apart is not None and apart > _OLD


def _trust(*kinds: str) -> Predicate:
    return _signer(lambda lead: lead.path is not None and lead.path.trust in kinds)


def _signed_first(case: Case) -> bool:
    history = case.context.history
    return history is not None and not history.has_signed_before and not _must_recheck(case)


def _signed_new(case: Case) -> bool:
    history, lead = case.context.history, case.lead
    return (
        history is not None
        and lead is not None
        and history.has_signed_before
        and lead.fingerprint not in history.fingerprints
        and not _must_recheck(case)
    )


def _must_recheck(case: Case) -> bool:
    return case.context.policy.demand_revocation and _not_rechecked(case)


def _not_rechecked(case: Case) -> bool:
    lead = case.lead
    return lead is not None and lead.revocation == "unknown"


def _signature_missing(case: Case) -> bool:
    history = case.context.history
    return (
        history is not None
        and history.signed_in_a_row >= _EXPECTED_RUN
        and not case.facts.is_list_mail
        and case.facts.is_opened
    )


def _is_signed(case: Case) -> bool:
    return case.lead is not None


def _carries_certificates_only(case: Case) -> bool:
    signature = case.signature
    return signature is not None and signature.reason is None and not signature.signers


def _is_stranger(standing: Standing) -> bool:
    return standing.bound in {"other", "none"}


# In the order of the table. `from-malformed` and `two-senders` stand above all of it.
RULES: tuple[tuple[str, Predicate], ...] = (
    ("altered-by-list", _altered_by_list),
    ("altered", _is("altered")),
    ("forged", _is("forged")),
    ("broken-algorithm", _signer(lambda s: s.strength == "broken")),
    ("no-signature", _carries_certificates_only),
    ("uncheckable", _uncheckable),
    ("wrong-key-usage", _signer(lambda s: not s.may_sign)),
    ("signed-outside", _signed_outside),
    ("impostor", lambda c: _signer(_is_stranger)(c) and c.is_known_to_sign),
    ("issuer-blocked", _issuer_blocked),
    ("revoked", _signer(lambda s: s.revocation == "revoked")),
    ("signer-is-agent", _signer(lambda s: s.bound == "sender")),
    ("signer-not-from", _signer(lambda s: s.bound == "other")),
    ("several-authors", lambda c: _is_signed(c) and _several_authors(c)),
    ("no-address", _signer(lambda s: s.bound == "none")),
    ("expired", _signer(lambda s: s.validity == "expired")),
    ("not-yet-valid", _signer(lambda s: s.validity == "not-yet-valid")),
    ("wrong-purpose", _signer(lambda s: s.wrong_purposes is not None)),
    ("weak-algorithm", _signer(lambda s: s.strength == "weak")),
    ("old-signature", _old_signature),
    ("revoked-later", _signer(lambda s: s.revocation == "revoked-later")),
    ("chain-incomplete", _trust("incomplete")),
    ("self-signed", _trust("self-signed")),
    ("issuer-unknown", _trust("unknown-root", "broken")),
    ("signed-expired-since", _signer(lambda s: s.validity == "expired-since")),
    ("signed-first", lambda c: _is_signed(c) and _signed_first(c)),
    ("signed-new-certificate", lambda c: _is_signed(c) and _signed_new(c)),
    ("signed-not-rechecked", _not_rechecked),
    ("signed", _is_signed),
    ("partly-signed", lambda c: c.facts.framed_signed),
    ("signature-missing", _signature_missing),
    ("unsigned", lambda _case: True),
)


def signature_code(case: Case) -> str:
    """Give the code of the first row that fits, below the two about the sender."""
    return next(code for code, fits in RULES if fits(case))


def signature_level(code: str, case: Case) -> Level:
    """Give the class of a code in this case."""
    level = words.SIGNATURE[code].level
    match code:
        case "altered" | "forged" if case.is_known_to_sign:
            return "bad"
        case "revoked-later" if case.lead is not None and case.lead.is_revocation_grave:
            return "warn"
        case "signed-not-rechecked" if case.context.policy.demand_revocation:
            return "warn"
        case _:
            return level
