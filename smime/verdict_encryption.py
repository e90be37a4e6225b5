"""The table of encryption codes."""

from smime.facts import EncryptionFacts
from smime.verdict_rules import Case


def encryption_code(case: Case) -> tuple[str | None, EncryptionFacts | None]:
    """Give the code and the layer it speaks of; (None, None) when nothing is encrypted."""
    found = case.facts.encryptions
    failed = next((each for each in found if each.state != "opened"), None)
    if failed is not None:
        return _failure_code(failed, case), failed
    if not found:
        if case.facts.framed_encrypted:
            return "partly-encrypted", None
        return ("not-encrypted" if case.context.was_conversation_encrypted else None), None
    innermost = found[-1]
    is_proven = _proves_content(case)
    malleable = [each for each in found if not each.is_authenticated]
    if malleable and not is_proven:
        return "old-method-unsigned", malleable[0]
    obsolete = next((each for each in found if each.is_obsolete), None)
    if obsolete is not None:
        return "obsolete-cipher", obsolete
    return ("encrypted-signed" if case.signers else "encrypted"), innermost


def _failure_code(failed: EncryptionFacts, case: Case) -> str:
    match failed.state:
        case "key-missing" if case.context.is_vault_locked:
            return "key-locked"
        case "key-missing" if not case.facts.has_own_keys:
            return "no-own-key"
        case "obsolete":
            return "obsolete-cipher"
        case state:
            return state


def _proves_content(case: Case) -> bool:
    """Say whether an inner signature holds, whoever made it (fine point 7)."""
    return any(each.is_intact and each.strength != "broken" for each in case.signers)
