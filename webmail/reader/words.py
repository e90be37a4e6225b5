"""From verdicts to what the panel says: the catalogue's phrases, translated and filled in.

`verdict_json` is written by the crypto lane and kept; `verdict_view` reads it for a page. The
catalogue (smime.words) is the only source of sentences about protection.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any, cast

from django.utils.translation import gettext as _

from smime import words as catalogue
from smime.facts_kept import KeptFacts
from smime.pki.certificates import fingerprint, issuer_name
from smime.verdict import WITHOUT_ENCRYPTION, Standing, Verdict
from smime.verdict_questions import questions
from smime.words import Phrase, fill
from webmail.mime import Address
from webmail.reader.presenting import AnswerView, SignerView, VerdictView

# Symbols that could pass for a seal, a tick or a lock beside a name (ui.md §4.4).
_IMITATIONS = re.compile(
    "[\u2705\u2713\u2714\u2611\u2612\u2717\u2718\u2612\u274c\u26a0\u26d4\u2b50\u2605\u2606"
    "\u25c9\u25cf\u25cb\u2299\u229b\u269c\u2622\u2623\u2695\u26bf\ufe0f"
    "\U0001f510-\U0001f513\U0001f50f\U0001f6e1\U0001f396\U0001f3c5\U0001f4af\U0001f197"
    "\U0001f7e0-\U0001f7e9\U0001f534\U0001f535\U0001f5f9\U0001f5f8]"
)
_IMPORTING = {"key-missing", "no-own-key"}
# Notes that claim something: never said beside a verdict that does not hold.
_PRAISE = {"headers-protected"}


def shown_name(address: Address) -> str:
    """Return the name to show beside an address: none if it holds another address or imitates."""
    name = _IMITATIONS.sub("", address.name).strip()
    plain = unicodedata.normalize("NFKC", name)
    if "@" in plain and address.address.lower() not in plain.lower():
        return ""
    return name if name.lower() != address.address.lower() else ""


def _phrase(phrase: Phrase | None) -> list[Any] | None:
    return [phrase.template, dict(phrase.values)] if phrase is not None else None


def said(phrase: list[Any] | None) -> str:
    """Return a kept phrase in the person's language, filled in; "" for none."""
    if not phrase or not phrase[0]:
        return ""
    return fill(_(phrase[0]), phrase[1])


def _signer_json(lead: Standing | None) -> dict[str, Any] | None:
    certificate = lead.certificate if lead is not None else None
    if lead is None or certificate is None:
        return None
    return {
        "name": lead.name,
        "addresses": [each.text for each in lead.addresses],
        "issuer": issuer_name(certificate),
        "serial": f"{certificate.serial_number:x}",
        "fingerprint": fingerprint(certificate),
        "not_before": certificate.not_valid_before_utc.isoformat(),
        "not_after": certificate.not_valid_after_utc.isoformat(),
    }


def _framed_json(verdict: Verdict) -> list[Any]:
    """Return what stands above the frame of a part with a verdict of its own; the level is last."""
    encryption = verdict.encryption.code if verdict.encryption else ""
    return [
        _phrase(verdict.headline),
        _phrase(verdict.sentence),
        _phrase(verdict.tail),
        encryption not in WITHOUT_ENCRYPTION,
        verdict.level,
    ]


def verdict_json(verdict: Verdict, framed: Sequence[Verdict], kept: KeptFacts) -> dict[str, Any]:
    """Return what is kept of a verdict for its panel, and of those on framed parts."""
    encryption = verdict.encryption
    protected = kept.protected if verdict.is_signature_valid else kept.protected_anyway
    return {
        "code": verdict.signature.code,
        "encryption_code": encryption.code if encryption else "",
        "level": verdict.level,
        "headline": _phrase(verdict.headline),
        "sentence": _phrase(verdict.sentence),
        "tail": _phrase(verdict.tail),
        "flag": verdict.flag,
        "notes": [
            [code, _phrase(note)]
            for code, note in zip(verdict.signature.notes, verdict.notes, strict=True)
        ],
        "answers": [
            [entry.question, entry.glyph, _phrase(entry.answer)]
            for entry in questions(verdict, kept.facts, protected=protected)
        ],
        "signer": _signer_json(verdict.signature.lead),
        "is_expanded": verdict.is_expanded,
        "frames": [_framed_json(each) for each in framed],
    }


def verdict_view(kept: dict[str, Any]) -> VerdictView:
    """Return the panel's view of what `verdict_json` kept."""
    code, encryption = kept["code"], kept["encryption_code"]
    sentences = [said(kept["sentence"]), said(kept["tail"])]
    signer = kept["signer"]
    action = ""
    if encryption == "key-locked":
        action = "unlock"
    elif encryption in _IMPORTING:
        action = "import-key"
    return VerdictView(
        code=code,
        encryption_code=encryption,
        level=kept["level"],
        headline=said(kept["headline"]),
        sentence=" ".join(sentence for sentence in sentences if sentence),
        flag=_(kept["flag"]) if kept["flag"] else "",
        is_locked=encryption not in WITHOUT_ENCRYPTION,
        is_quiet=code == "unsigned" and encryption in WITHOUT_ENCRYPTION,
        is_expanded=kept["is_expanded"],
        notes=tuple(
            said(note)
            for code, note in kept["notes"]
            if kept["level"] == "ok" or code not in _PRAISE
        ),
        answers=tuple(
            AnswerView(question=_(question), glyph=glyph, answer=said(answer))
            for question, glyph, answer in kept["answers"]
        ),
        signer=SignerView(**{**signer, "addresses": tuple(signer["addresses"])})
        if signer
        else None,
        action=cast("Any", action),
        action_label=_(catalogue.ENCRYPTION[encryption].action) if action == "import-key" else "",
    )
