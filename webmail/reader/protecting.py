"""Keeps the header fields that stood only inside an opened message (RFC 9788 §4.6, §4.7).

Which of them are shown, and whose name as sender, is decided by the reading and its verdict; how
they are kept follows the keys that opened it: one personal key among them makes it the vault's.
"""

from collections.abc import Sequence
from typing import Any

from cryptography.hazmat.primitives import hashes

from smime.models import OwnKey
from smime.pki.addresses import same_address
from smime.reading import Reading
from smime.verdict import Verdict
from webmail.mailbox import protected_fields
from webmail.mailbox.models import Message
from webmail.mime import Address
from webmail.reader import words


def keep_inside(
    message: Message, reading: Reading, verdict: Verdict, *, ticket: dict[str, Any] | None
) -> None:
    """Keep what the protected header says and the transported one does not.

    Nothing is kept of mail that was not opened by own keys, or that has no protected header.
    """
    used = _opened_with(reading)
    if not reading.is_decrypted or reading.headers.scheme is None or not used:
        return
    sealings = dict(
        OwnKey.objects.filter(user_id=message.account.user_id, fingerprint__in=used).values_list(
            "fingerprint", "sealing"
        )
    )
    if sealings.keys() != used:
        return  # a key was deleted meanwhile, and what it opened with it
    is_personal = OwnKey.Sealing.PERSONAL in sealings.values()
    kek = ticket.get("kek") if ticket else None
    if is_personal and not isinstance(kek, bytes):
        return
    protected_fields.keep(
        message,
        _inside(message, reading, verdict),
        opened_with=used,
        vault_key=kek if is_personal else None,
    )


def _opened_with(reading: Reading) -> set[str]:
    """Return the fingerprints of the own keys that the layers round the body were opened with."""
    found = (layer.encryption.opened_by for layer in reading.layers if layer.encryption)
    return {each.fingerprint(hashes.SHA256()).hex() for each in found if each is not None}


def _inside(
    message: Message, reading: Reading, verdict: Verdict
) -> protected_fields.ProtectedFields:
    inner, outer = reading.headers.envelope, reading.headers.outer
    return protected_fields.of_message(
        message,
        subject=inner.subject,
        sender_name=_other_name(verdict.shown_from, outer.from_),
        thread_ids=(*inner.references, *inner.in_reply_to, inner.message_id),
    )


def _other_name(shown: Sequence[Address], outside: Sequence[Address]) -> str | None:
    """Return the name that the shown author has inside alone.

    Another *address* is the verdict's matter, which may turn: the list stays with the outer one.
    """
    if not shown or not outside or not same_address(shown[0].address, outside[0].address):
        return None
    name = words.shown_name(shown[0])
    return name if name != words.shown_name(outside[0]) else None
