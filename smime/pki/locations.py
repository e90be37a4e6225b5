"""Where a certificate says that more about it is found (RFC 5280 §4.2.1.13, §4.2.2).

Only http and https; whether such an address may be asked is decided by whoever asks.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, SubjectInformationAccessOID

from smime.pki.certificates import DamagedCertificateError, extension

EACH_LIMIT = 3  # addresses of one kind that are looked at
_LONGEST = 2048  # characters


@dataclass(frozen=True, slots=True)
class Locations:
    """The addresses of one certificate, in its order."""

    lists: tuple[str, ...] = ()  # of revocation lists
    responders: tuple[str, ...] = ()  # OCSP
    issuers: tuple[str, ...] = ()  # certificates of who issued it
    issued: tuple[str, ...] = ()  # of an authority: certificates it issued (caRepository)


def locations(certificate: x509.Certificate) -> Locations:
    """Read the addresses of a certificate; none of one whose extensions are damaged."""
    try:
        points = extension(certificate, x509.CRLDistributionPoints)
        access = extension(certificate, x509.AuthorityInformationAccess)
        below = extension(certificate, x509.SubjectInformationAccess)
    except DamagedCertificateError:
        return Locations()
    return Locations(
        lists=_web(
            name
            for point in points or ()
            # A list of another issuer is an indirect one, and for some reasons says too little.
            if point.crl_issuer is None and point.reasons is None
            for name in point.full_name or ()
        ),
        responders=_web(_of(access, AuthorityInformationAccessOID.OCSP)),
        issuers=_web(_of(access, AuthorityInformationAccessOID.CA_ISSUERS)),
        issued=_web(_of(below, SubjectInformationAccessOID.CA_REPOSITORY)),
    )


def location_extensions(published: Locations) -> tuple[x509.ExtensionType, ...]:
    """Make the extensions that name these addresses, for a certificate to be issued."""
    found: list[x509.ExtensionType] = []
    if published.lists:
        points = [
            x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None)
            for url in published.lists
        ]
        found.append(x509.CRLDistributionPoints(points))
    access = [
        *_access(AuthorityInformationAccessOID.OCSP, published.responders),
        *_access(AuthorityInformationAccessOID.CA_ISSUERS, published.issuers),
    ]
    if access:
        found.append(x509.AuthorityInformationAccess(access))
    if below := _access(SubjectInformationAccessOID.CA_REPOSITORY, published.issued):
        found.append(x509.SubjectInformationAccess(below))
    return tuple(found)


def _access(method: x509.ObjectIdentifier, urls: Iterable[str]) -> list[x509.AccessDescription]:
    return [x509.AccessDescription(method, x509.UniformResourceIdentifier(url)) for url in urls]


def _of(
    access: x509.AuthorityInformationAccess | x509.SubjectInformationAccess | None,
    method: x509.ObjectIdentifier,
) -> Iterable[x509.GeneralName]:
    return (each.access_location for each in access or () if each.access_method == method)


def _web(names: Iterable[x509.GeneralName]) -> tuple[str, ...]:
    found = dict.fromkeys(
        name.value
        for name in names
        if isinstance(name, x509.UniformResourceIdentifier)
        and name.value.lower().startswith(("http://", "https://"))
        and len(name.value) <= _LONGEST
    )
    return tuple(found)[:EACH_LIMIT]
