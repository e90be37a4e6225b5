"""Asking for revocation lists, OCSP answers and issuers: over the network, without a database.

The rules of the guarded fetch hold (webmail.remote: public addresses, ports 80 and 443, no
rebinding), with limits of size and time for each kind. Who calls this has made sure that the
certificate's path ends at a trusted root: a stranger's certificate must not make Signet call
anywhere. What the server calls its answer is not looked at; the signature decides.
"""

import secrets
import time
from collections.abc import Iterable, Sequence
from datetime import datetime

from cryptography import x509

from smime.certificate_rows import CertificateFileError, read_certificates
from smime.pki.certificates import fingerprint
from smime.pki.crl import load_crls, read_crl
from smime.pki.locations import locations
from smime.pki.ocsp import NONCE_SIZE, RefusedAnswerError, question, read_ocsp
from smime.pki.paths import Path
from smime.pki.revocation import RevocationAnswer, counts_at
from webmail.html.addresses import RefusedUrl
from webmail.remote import Limits, NotFetched, Posted, Rules, fetch

USER_AGENT = "Signet certificate check"
LIST_LIMITS = Limits(seconds=20, octets=16 * 1024 * 1024)
RESPONDER_LIMITS = Limits(seconds=10, octets=64 * 1024)
ISSUERS_LIMITS = Limits(seconds=10, octets=512 * 1024)
ISSUERS_COUNT = 20  # certificates of one file that are looked at
PATIENCE = 45.0  # seconds for everything about one message, while somebody waits

type Lists = dict[str, x509.CertificateRevocationList | None]


class NoAnswerError(Exception):
    """Nothing came that counts; the text says why, for the log and the admin panel."""


def ask_list(url: str, *, rules: Rules | None = None) -> x509.CertificateRevocationList:
    """Fetch a revocation list; whether it counts is not looked at. Raises NoAnswerError."""
    content = _fetched(url, LIST_LIMITS, accept="application/pkix-crl", rules=rules)
    lists = load_crls([content])
    if not lists:
        raise NoAnswerError("not a revocation list")
    return lists[0]


def ask_responder(
    url: str,
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    *,
    crls: Sequence[x509.CertificateRevocationList] = (),
    rules: Rules | None = None,
) -> RevocationAnswer:
    """Ask an OCSP responder about one certificate. Raises NoAnswerError."""
    nonce = secrets.token_bytes(NONCE_SIZE)
    posted = Posted(question(certificate, issuer, nonce=nonce), "application/ocsp-request")
    accept = "application/ocsp-response"
    content = _fetched(url, RESPONDER_LIMITS, accept=accept, posted=posted, rules=rules)
    try:
        return read_ocsp(content, certificate, issuer, nonce=nonce, crls=crls)
    except RefusedAnswerError as error:
        raise NoAnswerError(str(error)) from error


def ask_issuers(url: str, *, rules: Rules | None = None) -> tuple[x509.Certificate, ...]:
    """Fetch certificates; whom they lead to is not looked at. Raises NoAnswerError."""
    content = _fetched(url, ISSUERS_LIMITS, accept="application/pkix-cert, */*", rules=rules)
    try:
        return read_certificates(content)[:ISSUERS_COUNT]
    except CertificateFileError as error:
        raise NoAnswerError("no certificates") from error


def _fetched(
    url: str,
    limits: Limits,
    *,
    accept: str,
    posted: Posted | None = None,
    rules: Rules | None = None,
) -> bytes:
    try:
        answer = fetch(
            url, limits=limits, user_agent=USER_AGENT, accept=accept, posted=posted, rules=rules
        )
    except NotFetched as error:
        raise NoAnswerError(str(error)) from error
    except RefusedUrl as error:
        raise NoAnswerError(f"the address may not be asked: {error.reason}") from error
    return answer.content


def pairs_of(path: Path) -> tuple[tuple[x509.Certificate, x509.Certificate], ...]:
    """Give each certificate below the trusted one with its issuer; none of other paths."""
    if path.trust != "trusted":
        return ()
    return tuple(zip(path.certificates, path.certificates[1:], strict=False))


def ask_about(
    paths: Iterable[Path], *, now: datetime, rules: Rules | None = None
) -> dict[str, tuple[RevocationAnswer, ...]]:
    """Ask at once about every certificate of trusted paths (for `inspect --online`).

    Answers by the certificate's SHA-256 fingerprint: a list if one counts, else of a responder;
    what does not answer is left out. At most PATIENCE seconds before the last question.
    """
    until = time.monotonic() + PATIENCE
    lists: Lists = {}
    found: dict[str, tuple[RevocationAnswer, ...]] = {}
    for certificate, issuer in dict.fromkeys(pair for path in paths for pair in pairs_of(path)):
        if time.monotonic() > until:
            break
        answer = _by_lists(certificate, issuer, lists, now, rules)
        answer = answer or _by_responders(certificate, issuer, now, rules)
        if answer is not None:
            found[fingerprint(certificate)] = (answer,)
    return found


def _by_lists(
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    lists: Lists,
    now: datetime,
    rules: Rules | None,
) -> RevocationAnswer | None:
    for url in locations(certificate).lists:
        if url not in lists:
            try:
                lists[url] = ask_list(url, rules=rules)
            except NoAnswerError:
                lists[url] = None
        crl = lists[url]
        answer = read_crl(crl, certificate, issuer) if crl is not None else None
        if answer is not None and counts_at(answer, certificate, now):
            return answer
    return None


def _by_responders(
    certificate: x509.Certificate, issuer: x509.Certificate, now: datetime, rules: Rules | None
) -> RevocationAnswer | None:
    for url in locations(certificate).responders:
        try:
            answer = ask_responder(url, certificate, issuer, rules=rules)
        except NoAnswerError:
            continue
        if counts_at(answer, certificate, now):
            return answer
    return None
