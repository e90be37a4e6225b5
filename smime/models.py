"""Own keys, people's certificates, trust anchors. Private keys are stored sealed, always."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Certificate(models.Model):
    """An X.509 certificate and what was read from it; the DER is the truth."""

    fingerprint = models.CharField(_("fingerprint"), max_length=64)  # SHA-256, lower-case hex
    der = models.BinaryField(editable=False)
    subject = models.CharField(_("subject"), max_length=500)  # RFC 4514
    name = models.CharField(_("name"), max_length=200, blank=True)  # common name
    issuer = models.CharField(_("issuer"), max_length=500)
    serial = models.CharField(_("serial number"), max_length=64)  # hex
    addresses = models.JSONField(_("addresses"), default=list)
    not_before = models.DateTimeField(_("valid from"))
    not_after = models.DateTimeField(_("valid until"))
    algorithm = models.CharField(_("key"), max_length=64)  # "RSA 2048", "ECDSA P-256"
    created_at = models.DateTimeField(_("added"), default=timezone.now)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name or ", ".join(self.addresses) or self.subject


class Vault(models.Model):
    """How a person's *personal* keys are sealed: a key-encryption key from their passphrase.

    The key-encryption key itself is stored nowhere; `verifier` is a value sealed under it that tells
    a right passphrase from a wrong one.
    """

    user = models.OneToOneField("accounts.User", models.CASCADE, related_name="vault")
    salt = models.BinaryField(editable=False)
    # Argon2id parameters, so that they can grow: {"t": 3, "m": 65536 (KiB), "p": 2}
    parameters = models.JSONField(default=dict, editable=False)
    verifier = models.BinaryField(editable=False)
    created_at = models.DateTimeField(default=timezone.now)


class OwnKey(Certificate):
    """A person's certificate with its private key."""

    class Sealing(models.TextChoices):
        """Who can open the private key."""

        MANAGED = "managed", _("Managed: usable while signed in")
        PERSONAL = "personal", _("Personal: sealed by a passphrase")

    user = models.ForeignKey("accounts.User", models.CASCADE, related_name="own_keys")
    sealing = models.CharField(_("sealing"), max_length=8, choices=Sealing.choices)
    # PKCS #8 DER, sealed: by the keyring (purpose "own-key") or by the vault's key.
    sealed_key = models.BinaryField(editable=False)
    chain = models.JSONField(default=list, editable=False)  # base64 DER of the intermediates
    can_sign = models.BooleanField(_("signs"), default=True)
    can_encrypt = models.BooleanField(_("decrypts"), default=True)
    # The key that signs new mail and that people are asked to encrypt to; others open old mail.
    is_current = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("own certificate")
        verbose_name_plural = _("own certificates")
        constraints = [
            models.UniqueConstraint(fields=["user", "fingerprint"], name="one_own_key_per_user")
        ]


class PersonCertificate(Certificate):
    """A certificate of someone mail is exchanged with."""

    class Source(models.TextChoices):
        """Where it came from."""

        MAIL = "mail", _("A verified message")
        IMPORT = "import", _("Imported")
        DIRECTORY = "directory", _("The organisation")

    # Null: the organisation's, for everyone.
    user = models.ForeignKey(
        "accounts.User", models.CASCADE, null=True, blank=True, related_name="person_certificates"
    )
    address = models.CharField(_("address"), max_length=320, db_index=True)  # canonical
    source = models.CharField(_("source"), max_length=10, choices=Source.choices)
    # The person said: this address is theirs although the certificate does not say so.
    is_bound_by_user = models.BooleanField(default=False)
    # A self-made certificate that the person compared and trusts.
    is_pinned = models.BooleanField(default=False)
    # SMIMECapabilities of their newest verified mail (RFC 8551 §2.5.2): OIDs in their order.
    capabilities = models.JSONField(default=list)
    capabilities_at = models.DateTimeField(null=True)
    last_seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("person's certificate")
        verbose_name_plural = _("people's certificates")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "address", "fingerprint"], name="one_certificate_per_person"
            )
        ]


class SigningRecord(models.Model):
    """What one person has verified from one address: the memory that verdicts need.

    Made with the first verified message. Written by `smime.remembering` alone.
    """

    user = models.ForeignKey("accounts.User", models.CASCADE, related_name="signing_records")
    address = models.CharField(max_length=320)  # canonical (smime.pki.addresses)
    record = models.JSONField(default=dict)  # smime.history.Record: bounded, in order of receipt

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "address"], name="one_signing_record")
        ]


class Intermediate(Certificate):
    """An issuer's certificate seen in verified mail or added by an administrator."""

    class Meta:
        verbose_name = _("intermediate certificate")
        verbose_name_plural = _("intermediate certificates")
        constraints = [models.UniqueConstraint(fields=["fingerprint"], name="one_intermediate")]


class TrustAnchor(Certificate):
    """A root the installation trusts for mail, or blocks. Never the system's TLS roots."""

    class State(models.TextChoices):
        """What the installation thinks of it."""

        TRUSTED = "trusted", _("Trusted")
        LIMITED = "limited", _("Limited to domains")
        BLOCKED = "blocked", _("Blocked")

    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.TRUSTED)
    domains = models.JSONField(_("domains"), default=list, blank=True)
    added_by = models.ForeignKey(
        "accounts.User", models.SET_NULL, null=True, related_name="+", editable=False
    )
    reason = models.CharField(_("reason"), max_length=400)

    class Meta:
        verbose_name = _("trust anchor")
        verbose_name_plural = _("trust anchors")
        constraints = [models.UniqueConstraint(fields=["fingerprint"], name="one_trust_anchor")]


class PersonAnchor(Certificate):
    """An authority that one person trusts for mail of the domains they named, and nobody else.

    It counts where SIGNET_PERSONAL_ANCHORS lets it and the installation decided nothing about it
    (`smime.person_anchors`).
    """

    user = models.ForeignKey("accounts.User", models.CASCADE, related_name="person_anchors")
    domains = models.JSONField(_("domains"), default=list)  # lower-case A-labels, at least one

    class Meta:
        verbose_name = _("person's trust anchor")
        verbose_name_plural = _("people's trust anchors")
        constraints = [
            models.UniqueConstraint(fields=["user", "fingerprint"], name="one_person_anchor")
        ]


class RevocationList(models.Model):
    """A CRL an administrator gave; what is fetched stands in smime.revocation_models."""

    issuer = models.CharField(_("issuer"), max_length=500)
    der = models.BinaryField(editable=False)
    this_update = models.DateTimeField(_("issued"))
    next_update = models.DateTimeField(_("next"), null=True)
    added_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("revocation list")
        verbose_name_plural = _("revocation lists")


from smime import revocation_models  # noqa: E402, F401 - tables in a file of their own
