"""Notes that may stand beside any verdict."""

import re
import unicodedata
from datetime import timedelta

from smime.facts import SenderFacts
from smime.pki.addresses import same_address
from smime.verdict_rules import Case, is_intact, signed_apart
from webmail.mime import Address

_LATE = timedelta(days=1)
_OLD = timedelta(days=30)
# An address inside a name: what could be taken for one, after NFKC.
_ADDRESS_IN_NAME = re.compile(r"[^\s<>\"(),;:@\[\]]+@[^\s<>\"(),;:@\[\]]+")
# Default_Ignorable_Code_Point beyond the category Cf: fillers, joiners, variation selectors.
_IGNORABLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def notes_of(case: Case) -> tuple[str, ...]:
    """Give the codes of the notes, in a fixed order."""
    lead, facts = case.lead, case.facts
    signed = case.signature is not None and bool(case.signers)
    protected = facts.header_protection is not None
    apart = signed_apart(case)
    others = case.signers[1:]
    opened = [layer.encryption for layer in facts.layers if layer.is_encryption]
    present = (
        ("sender-on-behalf", signed and _on_behalf(case)),
        ("second-signature-bad", any(not each.is_intact for each in others)),
        ("other-signers", any(each.is_intact for each in others)),
        ("outer-signature", any(is_intact(each) for each in case.outer)),
        ("outer-signature-bad", any(each.signers and not is_intact(each) for each in case.outer)),
        ("nested-signed", facts.nested_signed),
        ("nested-encrypted", facts.nested_encrypted),
        ("subject-not-covered", signed and not protected),
        ("headers-protected", protected),
        ("encrypted-on-the-way", bool(opened) and facts.header_protection == "clear"),
        ("no-signing-time", lead is not None and lead.facts.signed_at is None),
        ("micalg-differs", case.signature is not None and case.signature.micalg_differs),
        ("late-signing", apart is not None and _LATE < apart <= _OLD),
        ("name-holds-other-address", _name_holds_other_address(case.sender)),
        ("structure-unusual", facts.is_structure_unusual),
        ("former-key", any(each is not None and each.is_former_key for each in opened)),
    )
    return tuple(note for note, is_present in present if is_present)


def _on_behalf(case: Case) -> bool:
    return (
        case.lead is not None
        and case.lead.bound == "from"
        and any(
            not any(same_address(each.address, author.address) for author in case.sender.from_)
            for each in case.sender.sender
        )
    )


def _name_holds_other_address(sender: SenderFacts) -> bool:
    return any(_holds_other_address(each) for each in (*sender.from_, *sender.sender))


def _holds_other_address(address: Address) -> bool:
    for text in (address.name, address.comment):
        plain = unicodedata.normalize("NFKC", text)
        plain = _IGNORABLE.sub("", "".join(c for c in plain if unicodedata.category(c) != "Cf"))
        for found in _ADDRESS_IN_NAME.findall(plain):
            if not same_address(found.strip(".'"), address.address):
                return True
    return False
