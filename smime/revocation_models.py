"""What is known of withdrawals: certificates that are watched, addresses asked, answers kept."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class RevocationSource(models.Model):
    """An address that a certificate on a trusted path names, and what came from it last."""

    class Kind(models.TextChoices):
        """What is found there; in the order in which due ones are asked."""

        ISSUERS = "issuers", _("Issuers' certificates")
        LIST = "list", _("Revocation list")
        RESPONDER = "responder", _("OCSP responder")

    kind = models.CharField(_("kind"), max_length=9, choices=Kind.choices)
    url = models.TextField(_("address"))
    # SHA-256 over kind, address and (a responder is asked about one) the certificate.
    key = models.CharField(max_length=64, unique=True, editable=False)
    # The list itself, DER: for certificates that name it later. Empty for other kinds.
    content = models.BinaryField(editable=False, default=b"")
    until = models.DateTimeField(_("fresh until"), null=True, editable=False)
    # When it is asked (again); null: nobody needs it.
    next_at = models.DateTimeField(_("next"), null=True, db_index=True, editable=False)
    # A worker is at it until then; others leave it alone.
    busy_until = models.DateTimeField(null=True, editable=False)
    fetched_at = models.DateTimeField(_("last answer"), null=True, editable=False)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0, editable=False)
    problem = models.CharField(_("last problem"), max_length=200, blank=True, editable=False)

    class Meta:
        verbose_name = _("revocation address")
        verbose_name_plural = _("revocation addresses")

    def __str__(self) -> str:
        return self.url


class WatchedCertificate(models.Model):
    """A certificate seen on a path to a trusted root; its withdrawal would change verdicts."""

    class State(models.TextChoices):
        """What is known now."""

        UNKNOWN = "unknown", _("Not known")
        GOOD = "good", _("Not withdrawn")
        REVOKED = "revoked", _("Withdrawn")

    fingerprint = models.CharField(_("fingerprint"), max_length=64, unique=True)  # SHA-256
    name = models.CharField(_("name"), max_length=200, blank=True)
    der = models.BinaryField(editable=False)
    issuer_der = models.BinaryField(editable=False)
    # SHA-256 of the trusted certificate its path ended at: no longer trusted, no longer asked.
    root_fingerprint = models.CharField(max_length=64, editable=False)
    not_after = models.DateTimeField(_("valid until"), editable=False)
    # The state that was last announced; the answers are the truth.
    state = models.CharField(
        _("state"),
        max_length=8,
        choices=State.choices,
        default=State.UNKNOWN,
        db_index=True,
        editable=False,
    )
    # When `state` stops being so by the clock alone; null: never.
    turns_at = models.DateTimeField(null=True, db_index=True, editable=False)
    wanted_at = models.DateTimeField(
        _("last seen"), default=timezone.now, db_index=True, editable=False
    )
    sources = models.ManyToManyField(
        RevocationSource, through="KeptAnswer", related_name="certificates"
    )

    class Meta:
        verbose_name = _("watched certificate")
        verbose_name_plural = _("watched certificates")

    def __str__(self) -> str:
        return self.name or self.fingerprint[:16]


class KeptAnswer(models.Model):
    """That a source is asked about a certificate, and what it said last ("" state: nothing yet)."""

    certificate = models.ForeignKey(
        WatchedCertificate, models.CASCADE, related_name="answers", editable=False
    )
    source = models.ForeignKey(
        RevocationSource, models.CASCADE, related_name="answers", editable=False
    )
    state = models.CharField(max_length=8, blank=True, editable=False)  # "good", "revoked"
    issued = models.DateTimeField(null=True, editable=False)  # this update
    until = models.DateTimeField(null=True, editable=False)  # next update
    at = models.DateTimeField(null=True, editable=False)  # withdrawn since
    reason = models.CharField(max_length=24, blank=True, editable=False)  # RFC 5280 §5.3.1
    is_weak = models.BooleanField(default=False, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["certificate", "source"], name="one_answer_of_a_source")
        ]
