"""Which certificates mail is written with here: the rule of `smime.pki.post_quantum` as set."""

from typing import cast

from cryptography import x509
from django.conf import settings

from smime.pki.certificates import DamagedCertificateError, public_key
from smime.pki.post_quantum import PostQuantum, may_be_written


def allowed() -> PostQuantum:
    """Return the site's setting, `SIGNET_POST_QUANTUM`."""
    return cast("PostQuantum", settings.POST_QUANTUM)


def is_writable(certificate: x509.Certificate) -> bool:
    """Say whether mail is signed by, or encrypted to, a certificate with such a key."""
    try:
        return may_be_written(public_key(certificate), allowed())
    except DamagedCertificateError:
        return False
