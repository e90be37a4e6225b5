"""Who may use Signet, which mailboxes they have, and what was done (audit)."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.people import PeopleManager


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in. A usable password makes a local account; else the mail server checks."""

    class Theme(models.TextChoices):
        """Which colours the pages are drawn in."""

        SYSTEM = "system", _("As the system")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    # "local@domain", domain as lower-case A-labels: what is typed at sign-in.
    address = models.CharField(_("email address"), max_length=320, unique=True)
    display_name = models.CharField(_("name"), max_length=200, blank=True)
    is_active = models.BooleanField(_("may sign in"), default=True)
    is_staff = models.BooleanField(_("may use the admin panel"), default=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    language = models.CharField(_("language"), max_length=16, blank=True)
    # Empty until the first page is asked for by a browser that says where it is.
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True)
    theme = models.CharField(_("theme"), max_length=8, choices=Theme.choices, default=Theme.SYSTEM)
    # Changed to end every session of this person at once (password change, disabling).
    session_epoch = models.PositiveIntegerField(default=0, editable=False)

    objects: ClassVar[PeopleManager] = PeopleManager()

    USERNAME_FIELD = "address"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        ordering = ("address",)

    def __str__(self) -> str:
        return self.address

    def get_full_name(self) -> str:
        """Return the name people see."""
        return self.display_name or self.address

    def get_short_name(self) -> str:
        """Return the first word of the name."""
        return self.get_full_name().split()[0]


class Security(models.TextChoices):
    """How a connection to a mail server is protected; clear text does not exist."""

    STARTTLS = "starttls", "STARTTLS"
    TLS = "tls", "TLS"


class MailServer(models.Model):
    """A mail domain and the servers that hold its people's mail."""

    domain = models.CharField(_("domain"), max_length=255, unique=True)  # lower-case A-labels
    imap_host = models.CharField(_("IMAP host"), max_length=255)
    imap_port = models.PositiveIntegerField(_("IMAP port"), default=993)
    imap_security = models.CharField(
        _("IMAP security"), max_length=8, choices=Security.choices, default=Security.TLS
    )
    submission_host = models.CharField(_("submission host"), max_length=255)
    submission_port = models.PositiveIntegerField(_("submission port"), default=587)
    submission_security = models.CharField(
        _("submission security"), max_length=8, choices=Security.choices, default=Security.STARTTLS
    )
    # Certificates that sign the servers' TLS certificates; empty: the system's list.
    ca_pem = models.TextField(_("CA certificates (PEM)"), blank=True)
    sieve = models.CharField(_("ManageSieve host:port"), max_length=300, blank=True)
    pop = models.CharField(_("POP3 host:port"), max_length=300, blank=True)
    # Whether people sign in to the server as "local" instead of "local@domain".
    login_is_local_part = models.BooleanField(_("login is the part before @"), default=False)
    # Names (authserv-ids, RFC 8601 §2.5) under which these servers, and nobody else, note what they
    # checked of mail; parted by spaces, canonical. Empty: nobody's word on SPF, DKIM, DMARC counts.
    authserv_ids = models.CharField(
        _("names in Authentication-Results"), max_length=1000, blank=True
    )
    is_enabled = models.BooleanField(_("people of this domain may sign in"), default=True)
    # Largest message the submission server announced (SIZE), bytes; null until seen.
    submission_size_limit = models.PositiveBigIntegerField(null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("mail server")
        verbose_name_plural = _("mail servers")
        ordering = ("domain",)

    def __str__(self) -> str:
        return self.domain


class MailAccount(models.Model):
    """One mailbox of a user, with what is needed to open it."""

    class State(models.TextChoices):
        """What the workers last found."""

        NEW = "new", _("First synchronisation")
        ACTIVE = "active", _("Up to date")
        UNREACHABLE = "unreachable", _("Server does not answer")
        AUTH_FAILED = "auth-failed", _("Password no longer accepted")
        PAUSED = "paused", _("Paused")

    user = models.ForeignKey(User, models.CASCADE, related_name="mail_accounts")
    server = models.ForeignKey(MailServer, models.PROTECT, related_name="accounts")
    address = models.CharField(_("address"), max_length=320)
    login_name = models.CharField(_("login name"), max_length=320)
    # accounts.sealing, purpose "mail-password", bound to this row's id.
    sealed_password = models.BinaryField(editable=False)
    state = models.CharField(
        _("state"), max_length=16, choices=State.choices, default=State.NEW, editable=False
    )
    # What the mirror last heard; when; and why not (a sentence for the page).
    last_sync_at = models.DateTimeField(_("last synchronised"), null=True, editable=False)
    last_error = models.CharField(_("last error"), max_length=500, blank=True, editable=False)
    last_error_at = models.DateTimeField(null=True, editable=False)
    auth_failures = models.PositiveSmallIntegerField(default=0, editable=False)
    # Capability words after login and server ID, for the quirk table and the admin.
    capabilities = models.JSONField(default=list, editable=False)
    server_software = models.CharField(max_length=200, blank=True, editable=False)
    # Accounts without a session for 30 min are polled, not watched.
    last_used_at = models.DateTimeField(null=True, editable=False, db_index=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("mail account")
        verbose_name_plural = _("mail accounts")
        constraints = [
            models.UniqueConstraint(fields=["user", "address"], name="one_account_per_address")
        ]

    def __str__(self) -> str:
        return self.address


class Identity(models.Model):
    """A name and address someone writes as, with its defaults."""

    user = models.ForeignKey(User, models.CASCADE, related_name="identities")
    account = models.ForeignKey(MailAccount, models.CASCADE, related_name="identities")
    name = models.CharField(_("name"), max_length=200, blank=True)
    address = models.CharField(_("address"), max_length=320)
    # HTML kept as the person wrote it; washed by webmail.html before use.
    signature = models.TextField(_("signature"), blank=True)
    is_default = models.BooleanField(_("default"), default=False)
    # Null: sign if a certificate exists; encrypt if every recipient has one.
    sign_by_default = models.BooleanField(null=True)
    encrypt_by_default = models.BooleanField(null=True)

    class Meta:
        verbose_name = _("identity")
        verbose_name_plural = _("identities")
        constraints = [
            models.UniqueConstraint(fields=["user", "address"], name="one_identity_per_address")
        ]

    def __str__(self) -> str:
        return f"{self.name} <{self.address}>" if self.name else self.address


class AccountLane(models.Model):
    """A lease on one lane of one account (mail-core: leases, not Redis locks)."""

    account = models.ForeignKey(MailAccount, models.CASCADE, related_name="lanes")
    lane = models.CharField(max_length=16)
    holder = models.CharField(max_length=64, blank=True)
    # Raised by each taker; later writes carry it, so that an old holder's writes miss.
    fence = models.PositiveBigIntegerField(default=0)
    until = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "lane"], name="one_lease_per_lane")
        ]


class SignInThrottle(models.Model):
    """Failures of one (address, network) pair; never the address itself."""

    key = models.CharField(max_length=64, unique=True)  # keyed hash
    failures = models.PositiveIntegerField(default=0)
    blocked_until = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(auto_now=True, db_index=True)


class AuditEvent(models.Model):
    """Sign-ins, key use and admin acts: who, what, when, from where. Rows are never changed."""

    at = models.DateTimeField(_("when"), default=timezone.now, db_index=True, editable=False)
    actor = models.ForeignKey(
        User, models.SET_NULL, null=True, related_name="+", verbose_name=_("who"), editable=False
    )
    # Kept when the user is gone; for failed sign-ins the address that was tried.
    actor_address = models.CharField(_("address"), max_length=320, blank=True, editable=False)
    action = models.CharField(_("what"), max_length=64, db_index=True, editable=False)
    target = models.CharField(_("on"), max_length=400, blank=True, editable=False)
    ip = models.GenericIPAddressField(_("from"), null=True, editable=False)
    reason = models.CharField(_("reason"), max_length=400, blank=True, editable=False)
    # Codes and ids only: never a key, password or mail text.
    details = models.JSONField(_("details"), default=dict, editable=False)

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit log")
        ordering = ("-at", "-id")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.action}"
