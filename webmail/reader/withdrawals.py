"""Verdicts that turn with what becomes known of withdrawals: marked old, the newest made anew.

Announced by smime.revocation_turned. An authority that is known not to be withdrawn changes no
verdict (the leaf's answer stands for the path); one that is withdrawn changes all signed mail.
"""

import logging
from collections.abc import Sequence
from typing import Any

from cryptography import x509
from django.db.models import Q
from django.dispatch import receiver

from accounts import lanes
from smime.pki.addresses import canonical_address
from smime.pki.certificates import DamagedCertificateError, addresses, extension
from smime.revocation import revocation_turned
from smime.revocation_models import WatchedCertificate
from webmail.reader.models import Reading

AHEAD = 200  # newest messages judged again at once; others when they are opened

logger = logging.getLogger(__name__)


@receiver(revocation_turned, dispatch_uid="reader.judge-again")
def _judge_again(sender: object, *, fingerprints: Sequence[str], **_: Any) -> None:  # noqa: ARG001
    judge_again(fingerprints)


def judge_again(fingerprints: Sequence[str]) -> int:
    """Mark the readings that build on these certificates as old; returns how many."""
    turned = WatchedCertificate.objects.filter(fingerprint__in=fingerprints)
    concerned = Q(verdict__signer__fingerprint__in=list(fingerprints))
    for row in turned:
        certificate = x509.load_der_x509_certificate(bytes(row.der))
        if not _is_authority(certificate):
            # Of encrypted mail the database knows no signer: whoever may have been it.
            concerned |= Q(is_encrypted=True, message__from_address__in=_named(certificate))
        elif row.state == WatchedCertificate.State.REVOKED:
            concerned = ~Q(signature_code="unsigned")
            break
    rows = Reading.objects.filter(concerned).order_by("-message__internal_date", "-pk")
    found = list(rows.values_list("pk", "message_id"))
    if found:
        for start in range(0, len(found), 500):
            some = [pk for pk, _message in found[start : start + 500]]
            Reading.objects.filter(pk__in=some).update(trust_stamp="")
        for _pk, message_id in found[:AHEAD]:
            lanes.post_later("reader.render_ahead", message_id, lane="sync")
        logger.info("event=judged-again-after-revocation messages=%d", len(found))
    return len(found)


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        constraints = extension(certificate, x509.BasicConstraints)
    except DamagedCertificateError:
        return False
    return constraints is not None and constraints.ca


def _named(certificate: x509.Certificate) -> list[str]:
    try:
        named = [each.text for each in addresses(certificate)]
    except DamagedCertificateError:
        return []
    return [*named, *(canonical_address(each) for each in named)]
