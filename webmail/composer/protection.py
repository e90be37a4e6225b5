"""Whether a mail can be signed and encrypted as asked; if not, what the person may choose.

Pure. Rules: ui.md §5 (Protection panel; Sign, Encrypt), RFC 9788 §6.1. Recipients are never dropped
and encryption is never switched off unless the person says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.dateformat import format as format_date
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from smime.withdrawn import Withdrawal
from webmail.composer.presenting import (
    MissingPerson,
    ProtectionChoice,
    ProtectionView,
    RecipientChip,
    RecipientState,
)
from webmail.composer.recipients import Recipient


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnKeys:
    """What the sender has for the address they write from."""

    can_sign: bool
    can_decrypt: bool  # so that the sender can read the copy in Sent
    is_locked: bool  # the key that would sign is sealed by a passphrase, not unlocked here
    # Of a key in use that is left out of the above because its certificate is withdrawn.
    withdrawal: Withdrawal | None = None
    # The kind ("ML-DSA-65") of such a key that `SIGNET_POST_QUANTUM` lets nobody write with.
    unwritten: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the person asked for."""

    sign: bool
    encrypt: bool
    holds_encrypted_quote: bool


def plan_protection(
    *, wish: Wish, own: OwnKeys, recipients: Sequence[RecipientChip]
) -> ProtectionView | None:
    """Return None if the mail can go out as asked, else the panel to show instead."""
    if wish.holds_encrypted_quote and not wish.encrypt:
        return _encrypted_quote()
    if not wish.sign and not wish.encrypt:
        return None
    if not own.can_sign or (wish.encrypt and not own.can_decrypt):
        if own.withdrawal is not None:
            return _own_key_withdrawn(wish, own.withdrawal)
        if own.unwritten:
            return _own_key_unwritten(wish, own.unwritten)
        return _own_key_missing(wish)
    if own.is_locked:
        return _own_key_locked()
    missing = [chip for chip in recipients if chip.state != RecipientState.OK]
    if wish.encrypt and missing:
        able = [chip for chip in recipients if chip.state == RecipientState.OK]
        return _people_missing(missing=missing, able=able, wish=wish)
    return None


def _encrypted_quote() -> ProtectionView:
    return ProtectionView(
        kind="encrypted-quote",
        headline=_("The quoted text came encrypted"),
        sentence=_("The quoted text stays out, because it came encrypted."),
        choices=(
            ProtectionChoice(value="encrypt", words=_("Keep encryption")),
            ProtectionChoice(value="remove-quote", words=_("Remove quote")),
        ),
    )


def _own_key_missing(wish: Wish) -> ProtectionView:
    if wish.encrypt:
        sentence = _("To write encrypted you need a certificate of your own.")
    else:
        sentence = _("To sign you need a certificate of your own.")
    return ProtectionView(
        kind="own-key-missing",
        headline=_("You have no certificate for this address yet"),
        sentence=sentence,
        choices=_plain(wish),
        link_url=reverse("smime:keys"),
        link_words=_("Get one"),
    )


def _own_key_withdrawn(wish: Wish, withdrawal: Withdrawal) -> ProtectionView:
    return ProtectionView(
        kind="own-key-withdrawn",
        headline=withdrawn_words(withdrawal),
        sentence=_("Nothing is signed with it: readers would be warned of you. Get a new one."),
        choices=_plain(wish),
        link_url=reverse("smime:keys"),
        link_words=_("Your certificates"),
    )


def _own_key_unwritten(wish: Wish, kind: str) -> ProtectionView:
    return ProtectionView(
        kind="own-key-unwritten",
        headline=_("Mail is not written with your key for this address here"),
        sentence=unwritten_words(kind),
        choices=_plain(wish),
        link_url=reverse("smime:keys"),
        link_words=_("Your certificates"),
    )


def unwritten_words(kind: str) -> str:
    """Say why one's own key is not used, though it opens what was encrypted for it."""
    return _(
        "It is a post-quantum key (%(kind)s), which your administrator has not allowed for writing."
    ) % {"kind": kind}


def withdrawn_words(withdrawal: Withdrawal) -> str:
    """Say why one's own certificate is not used any more."""
    if withdrawal.is_blocked:
        return _("Your organisation does not accept the issuer of your certificate")
    if withdrawal.at is None:
        return _("Your certificate for this address was withdrawn")
    day = format_date(withdrawal.at, "j F Y")
    return _("Your certificate for this address was withdrawn on %s") % day


def _plain(wish: Wish) -> tuple[ProtectionChoice, ...]:
    """Offer the clear; never for a quote of encrypted text."""
    if wish.holds_encrypted_quote:
        return ()
    return (ProtectionChoice(value="plain", words=_("Send without signature and encryption")),)


def _own_key_locked() -> ProtectionView:
    return ProtectionView(
        kind="own-key-locked",
        headline=_("Your keys are locked"),
        sentence=_("Unlock them once to sign and encrypt. Nothing is sent until then."),
        link_url=reverse("smime:keys"),
        link_words=_("Unlock"),
    )


def _people_missing(
    *, missing: Sequence[RecipientChip], able: Sequence[RecipientChip], wish: Wish
) -> ProtectionView:
    total = len(missing) + len(able)
    choices = []
    if not wish.holds_encrypted_quote:
        choices.append(ProtectionChoice(value="signed", words=_("Send signed, not encrypted")))
    names = names_of(able)
    if able:
        choices.append(
            ProtectionChoice(
                value="able-only", words=_("Send to %(names)s only") % {"names": names}
            )
        )
        sentence = ngettext(
            "%(names)s can. Nothing is sent until you choose.",
            "%(names)s can. Nothing is sent until you choose.",
            len(able),
        ) % {"names": names}
    else:
        sentence = _("Nothing is sent until you choose.")
    return ProtectionView(
        kind="people-missing",
        headline=_headline(missing, total=total),
        sentence=sentence,
        people=tuple(_missing_person(chip) for chip in missing),
        choices=tuple(choices),
    )


def _headline(missing: Sequence[RecipientChip], *, total: int) -> str:
    if total == 1:
        return _("%(name)s cannot read encrypted mail yet") % {"name": names_of(missing)}
    return ngettext(
        "%(missing)d of %(total)d people cannot read encrypted mail yet",
        "%(missing)d of %(total)d people cannot read encrypted mail yet",
        len(missing),
    ) % {"missing": len(missing), "total": total}


def _missing_person(chip: RecipientChip) -> MissingPerson:
    question = urlencode({"to": chip.address, "ask": "certificate"})
    name = chip.name or chip.address
    had_one = chip.state in {RecipientState.EXPIRED, RecipientState.WITHDRAWN}
    ask = _("Ask %(name)s for a newer one") if had_one else _("Ask %(name)s for it")
    return MissingPerson(
        name=name,
        address=chip.address,
        state=chip.state,
        words=chip.words,
        ask_url=f"{reverse('composer:compose')}?{question}",
        ask_words=ask % {"name": name},
        import_url=f"{reverse('smime:keys')}#person-file",
    )


def names_of(people: Sequence[RecipientChip | Recipient]) -> str:
    """Return "Anna", "Anna and Jonas", "Anna, Jonas and 3 others"."""
    names = [each.name or each.address for each in people]
    if not names:
        return ""
    if len(names) == 1:
        return names[0]
    if len(names) == 2:
        return _("%(first)s and %(second)s") % {"first": names[0], "second": names[1]}
    others = len(names) - 2
    return ngettext(
        "%(first)s, %(second)s and %(others)d other",
        "%(first)s, %(second)s and %(others)d others",
        others,
    ) % {"first": names[0], "second": names[1], "others": others}
