"""The six questions a reader may ask of a verdict, each with its answer and glyph (ui.md §4.3).

The order is fixed, answers are full sentences, and no tick ever stands in a `bad` panel.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from smime import words
from smime.facts import Facts
from smime.verdict import Verdict
from smime.verdict_signer import Standing
from smime.words import GlyphName, Phrase

_HEADER_WORDS = (
    ("from", "sender"),
    ("to", "recipients"),
    ("date", "date"),
    ("subject", "subject"),
)


@dataclass(frozen=True, slots=True)
class Question:
    """One question with its answer."""

    question: str
    glyph: GlyphName
    answer: Phrase


type _Answer = tuple[GlyphName, Phrase]


def questions(
    verdict: Verdict, facts: Facts, *, protected: Sequence[str] = ()
) -> tuple[Question, ...]:
    """Answer the six questions. `protected` names the protected header fields, in lower case."""
    lead = verdict.signature.lead
    is_bad = verdict.level == "bad"
    answers: tuple[_Answer, ...] = (
        _who(lead),
        _is_sender(verdict, facts),
        _vouches(lead),
        _changed(verdict, facts, protected),
        _still_valid(lead),
        _who_can_read(verdict),
    )
    asked = (words.QUESTION_WHOSE_NAME, *words.QUESTIONS[1:]) if is_bad else words.QUESTIONS
    return tuple(
        Question(question, "caution" if is_bad and glyph == "yes" else glyph, answer)
        for question, (glyph, answer) in zip(asked, answers, strict=True)
    )


def _who(lead: Standing | None) -> _Answer:
    if lead is None:
        return "unknown", Phrase("Nobody signed it.")
    if lead.certificate is None:
        return "unknown", Phrase("It is not known who: the certificate is missing.")
    values = {"name": lead.name, "addr": lead.address}
    template = "{name}, {addr}." if lead.address and lead.address != lead.name else "{name}."
    if not lead.is_intact:
        template = (
            "The signature names {name}, but it does not hold."
            if lead.facts.check.integrity != "uncheckable"
            else "The signature names {name}, but it cannot be checked."
        )
        return "caution", Phrase(template, values)
    is_certain = lead.may_sign and lead.strength == "good"
    return ("yes" if is_certain else "caution"), Phrase(template, values)


def _is_sender(verdict: Verdict, facts: Facts) -> _Answer:
    lead = verdict.signature.lead
    senders = ", ".join(each.address for each in verdict.shown_from[:3]) or "nobody"
    values = {"from": senders, "addr": lead.address if lead is not None else ""}
    if verdict.signature.code in {"from-malformed", "two-senders"}:
        return "no", Phrase("The message contradicts itself about its sender.")
    if lead is None:
        return "unknown", Phrase("Anyone could have written {from} as the sender.", values)
    match lead.bound:
        case "from" if not lead.is_intact:
            return "caution", Phrase(
                "The certificate is for {from}, but the signature does not hold.", values
            )
        case "from" if len(facts.sender.from_) > 1:
            return "caution", Phrase("One of the senders: {addr}.", values)
        case "from":
            return "yes", Phrase("Yes, the certificate is for {from}.", values)
        case "sender":
            return "caution", Phrase("It is the agent that sent it for {from}.", values)
        case "other":
            return "no", Phrase("No. The certificate is for {addr}, not for {from}.", values)
        case _:
            return "unknown", Phrase("The certificate does not say which address is theirs.")


def _vouches(lead: Standing | None) -> _Answer:
    if lead is None or lead.path is None:
        return "unknown", Phrase("There is no certificate to vouch for.")
    values = {"issuer": lead.issuer, "name": lead.name, "domains": ", ".join(lead.trusted_for)}
    match lead.path.trust:
        case "trusted":
            glyph: GlyphName = "yes" if lead.wrong_purposes is None else "caution"
            if lead.trusted_for:
                return glyph, Phrase("{issuer}, trusted by you, for {domains}.", values)
            return glyph, Phrase("{issuer}, which is trusted here.", values)
        case "pinned" if lead.trusted_for:
            return "yes", Phrase("The certificate itself, trusted by you, for {domains}.", values)
        case "pinned":
            return "yes", Phrase("The certificate itself is trusted here.")
        case "self-signed":
            return "unknown", Phrase("Only {name}: the certificate is self-made.", values)
        case "incomplete":
            return "unknown", Phrase("Not known: a link to its issuer is missing.")
        case "broken":
            values["rule"] = lead.path.broken_rule
            return "unknown", Phrase("{issuer}, but the path breaks a rule: {rule}", values)
        case _:
            return "unknown", Phrase("{issuer}, which nobody here trusts.", values)


def _changed(verdict: Verdict, facts: Facts, protected: Sequence[str]) -> _Answer:
    lead = verdict.signature.lead
    if verdict.encryption is not None and verdict.encryption.code == "tampered":
        return "no", Phrase("It was changed or damaged on the way.")
    if lead is None or verdict.signature.code == "signed-outside":
        return "unknown", Phrase("Nothing shows whether it was changed.")
    match lead.facts.check.integrity:
        case "altered":
            return "no", Phrase("Yes: what is shown is not what was signed.")
        case "forged" | "uncheckable":
            return "caution", Phrase("The signature cannot tell.")
    if lead.strength != "good":
        return "caution", Phrase("Perhaps: the method is too weak to be sure.")
    return "yes", _covered(lead, facts, protected)


def _covered(lead: Standing, facts: Facts, protected: Sequence[str]) -> Phrase:
    content = [*(["text"] if facts.has_text else []), *_attachments(facts.attachment_count)]
    covered = [word for name, word in _HEADER_WORDS if name in protected] + content
    signed_at = lead.facts.signed_at
    values = {
        "covered": _listed(covered or ["The whole message"]),
        "time": f"{signed_at:%H:%M}" if signed_at is not None else "",
    }
    template = (
        "{covered} are exactly as signed"
        if len(covered) > 1
        else ("{covered} is exactly as signed")
    )
    template += " at {time}." if signed_at is not None else "."
    if not protected:
        template += " Subject, date and addresses are not covered."
    return Phrase(template, values)


def _attachments(count: int) -> list[str]:
    match count:
        case 0:
            return []
        case 1:
            return ["the attachment"]
        case 2:
            return ["both attachments"]
        case _:
            return [f"all {count} attachments"]


def _listed(items: list[str]) -> str:
    text = items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
    return text[0].upper() + text[1:]


def _still_valid(lead: Standing | None) -> _Answer:
    if lead is None or lead.certificate is None:
        return "unknown", Phrase("There is no certificate that could be valid.")
    values = {
        "date": _day(lead.validity_date),
        "revoked": _day(lead.revoked_at),
        "until": _day(lead.certificate.not_valid_after_utc),
    }
    checks: tuple[tuple[bool, GlyphName, str], ...] = (
        (lead.revocation == "revoked", "no", "It was withdrawn on {revoked}."),
        (
            lead.revocation == "revoked-later",
            "caution",
            "It was withdrawn on {revoked}, after this message.",
        ),
        (lead.validity == "expired", "no", "It expired on {date}."),
        (lead.validity == "not-yet-valid", "no", "It starts on {date}."),
        (
            lead.validity == "expired-since",
            "caution",
            "It was valid when the message arrived; it expired on {date}.",
        ),
        (
            lead.revocation == "unknown",
            "unknown",
            "It is valid until {until}; whether it was withdrawn could not be checked.",
        ),
    )
    for applies, glyph, template in checks:
        if applies:
            return glyph, Phrase(template, values)
    return "yes", Phrase("Yes, until {until}; it was not withdrawn.", values)


def _day(moment: datetime | None) -> str:
    return f"{moment:%d %B %Y}".lstrip("0") if moment is not None else ""


def _who_can_read(verdict: Verdict) -> _Answer:
    encryption = verdict.encryption
    if encryption is None or encryption.code == "not-encrypted":
        return "caution", Phrase("Anyone on the way could read it: it was not encrypted.")
    if encryption.code == "partly-encrypted":
        return "caution", Phrase("Only a part of it was encrypted.")
    count = encryption.facts.recipient_count if encryption.facts is not None else 0
    values = {"n": str(count)}
    if encryption.code not in {"encrypted-signed", "encrypted", "old-method-unsigned"}:
        return "unknown", Phrase("It is encrypted.")
    glyph: GlyphName = "yes" if encryption.code == "encrypted-signed" else "caution"
    if count <= 1:
        return glyph, Phrase("You, and nobody else it names.")
    return glyph, Phrase("The {n} recipients it was encrypted for.", values)
