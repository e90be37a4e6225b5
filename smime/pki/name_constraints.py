"""Name constraints on mail addresses (RFC 5280 §4.2.1.10), wherever a certificate names them.

The library looks at rfc822Name, and at the subject's emailAddress where there is no alternative
name. An address counts for a verdict in every place (`certificates.addresses`), so it is held to
the constraints in every place: SmtpUTF8Mailbox, too (RFC 9598 §6), and emailAddress always.
"""

from collections.abc import Sequence

from cryptography import x509

from smime.pki.addresses import (
    CertificateAddress,
    a_label_domain,
    canonical_address,
    same_address,
    split_address,
)
from smime.pki.certificates import DamagedCertificateError, addresses, extension


class NameNotPermittedError(Exception):
    """A certificate names an address that an authority of its path may not vouch for."""


def check_addresses(path: Sequence[x509.Certificate]) -> None:
    """Check the first certificate against the authorities above it, the trusted last one aside.

    Raises NameNotPermittedError, for certificates that cannot be read, too.
    """
    try:
        named = addresses(path[0])
        constraints = [extension(each, x509.NameConstraints) for each in path[1:-1]]
    except DamagedCertificateError as error:
        raise NameNotPermittedError("names or name constraints that cannot be read") from error
    for each in constraints:
        if each is not None:
            _check(named, each)


def _check(named: Sequence[CertificateAddress], constraints: x509.NameConstraints) -> None:
    permitted = _mail(constraints.permitted_subtrees)
    excluded = _mail(constraints.excluded_subtrees)
    for address in named:
        if any(_fits(address, each) for each in excluded):
            raise NameNotPermittedError("an address that its authority must not vouch for")
        if permitted and not any(_fits(address, each) for each in permitted):
            raise NameNotPermittedError("an address outside of those its authority may vouch for")


def _mail(subtrees: Sequence[x509.GeneralName] | None) -> list[str]:
    return [each.value for each in subtrees or () if isinstance(each, x509.RFC822Name)]


def _fits(address: CertificateAddress, constraint: str) -> bool:
    """A constraint is a mailbox, a host, with a dot before it all hosts below a domain; "" is all.

    Compared is what `CertificateAddress.fits` compares, so that no spelling is held to less.
    """
    if not constraint:
        return True
    if "@" in constraint:
        return address.kind == "rfc822" and same_address(address.text, constraint)
    domain = split_address(canonical_address(address.text))[1]
    wanted = a_label_domain(constraint)
    return domain.endswith(wanted) if wanted.startswith(".") else domain == wanted
