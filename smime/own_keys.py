"""Which of a person's keys are in use, and the certificates stored beside a key."""

import base64
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from accounts.models import User
from smime.certificate_rows import load
from smime.models import OwnKey
from smime.writable import is_writable


def displaces(new: OwnKey, old: OwnKey) -> bool:
    """Say whether `new` does all that `old` does, for one of the same addresses.

    A key that mail is not written with here takes the place of none that it is.
    """
    if is_writable(load(old)) and not is_writable(load(new)):
        return False
    shares_address = bool(set(new.addresses) & set(old.addresses))
    return (
        shares_address
        and (new.can_sign or not old.can_sign)
        and (new.can_encrypt or not old.can_encrypt)
    )


def settle_current(user: User, added: Sequence[OwnKey]) -> None:
    """After an import: of keys that do the same, the one valid longest is in use."""
    for new in added:
        for other in OwnKey.objects.filter(user=user, is_current=True).exclude(pk=new.pk):
            if other.not_after > new.not_after and displaces(other, new):
                new.is_current = False
            elif other.not_after <= new.not_after and displaces(new, other):
                OwnKey.objects.filter(pk=other.pk).update(is_current=False)
        OwnKey.objects.filter(pk=new.pk).update(is_current=new.is_current)


def as_chain(certificates: Sequence[x509.Certificate]) -> list[str]:
    """Return certificates as the `chain` column keeps them: base64 of their DER."""
    return [base64.b64encode(each.public_bytes(Encoding.DER)).decode() for each in certificates]


def from_chain(encoded: Sequence[str]) -> tuple[x509.Certificate, ...]:
    """Return the certificates of a `chain` column."""
    return tuple(x509.load_der_x509_certificate(base64.b64decode(each)) for each in encoded)
