"""Drafts and the outbox. The states of a mail are drawn in `transitions.py`."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone


class Draft(models.Model):
    """A message being written. Its words are sealed; nothing of it is indexed.

    Revision 0: nothing was written into it yet; it is not listed and expires.
    """

    class Preparation(models.TextChoices):
        """How far the quoted text of a reply or forward is; empty when there is nothing to wait for."""

        RUNNING = "running"
        FILLING = "filling"  # a worker is at it
        FAILED = "failed"

    user = models.ForeignKey("accounts.User", models.CASCADE, related_name="drafts")
    account = models.ForeignKey("accounts.MailAccount", models.CASCADE, related_name="+")
    identity = models.ForeignKey("accounts.Identity", models.PROTECT, related_name="+")
    # Sealed JSON (composer.content.DraftContent).
    sealed_content = models.BinaryField(editable=False)
    sign = models.BooleanField(default=False)
    encrypt = models.BooleanField(default=False)
    # What it answers or forwards, and how: "reply", "reply-all", "forward" or "".
    related_message = models.ForeignKey(
        "mailbox.Message", models.SET_NULL, null=True, related_name="+"
    )
    relation = models.CharField(max_length=10, blank=True)
    # It quotes what came encrypted: may not leave in the clear (RFC 9788 §6.1).
    holds_encrypted_quote = models.BooleanField(default=False)
    revision = models.PositiveIntegerField(default=0)  # raised by each save; a stale save is told
    # The page that saved last, and which of its saves that was: a page does not conflict with itself.
    saved_by = models.UUIDField(null=True, editable=False)
    saved_step = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now, db_index=True)
    # The crypto lane still makes its quoted text; "failed": it could not (`failure` says why).
    preparation = models.CharField(max_length=8, choices=Preparation.choices, blank=True)
    # Why the last try to send it failed, in a sentence; shown above the composer.
    failure = models.CharField(max_length=500, blank=True)

    @property
    def is_preparing(self) -> bool:
        """Whether its quoted text is still being made."""
        return self.preparation in {self.Preparation.RUNNING, self.Preparation.FILLING}


class DraftAttachment(models.Model):
    """A file of a draft; its content is a sealed file beside the blobs."""

    draft = models.ForeignKey(Draft, models.CASCADE, related_name="attachments")
    filename = models.CharField(max_length=255)
    content_type = models.CharField(max_length=129)
    size = models.PositiveBigIntegerField()
    key = models.CharField(max_length=64, unique=True)
    # A part of a forwarded message that came encrypted: leaves with the quote (RFC 9788 §6.1).
    is_from_encrypted = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)


class OutgoingMail(models.Model):
    """A mail on its way out: final bytes, made once, and where it stands."""

    class State(models.TextChoices):
        """The module's docstring draws it."""

        PREPARING = "preparing"  # the crypto lane makes the bytes
        QUEUED = "queued"
        SENDING = "sending"
        ACCEPTED = "accepted"
        FILED = "filed"
        FAILED = "failed"
        UNCERTAIN = "uncertain"
        CANCELLED = "cancelled"

    user = models.ForeignKey("accounts.User", models.CASCADE, related_name="outgoing")
    account = models.ForeignKey("accounts.MailAccount", models.CASCADE, related_name="outgoing")
    # The send button's own id: a repeated POST finds the same row.
    idempotency_key = models.UUIDField(default=uuid.uuid4)
    draft = models.ForeignKey(Draft, models.SET_NULL, null=True, related_name="outgoing")
    envelope_id = models.UUIDField(default=uuid.uuid4, editable=False)  # ENVID (RFC 3461)
    message_id = models.CharField(max_length=255)
    envelope_from = models.CharField(max_length=320)
    # Shown while it is on its way: "Tomas Eide" in "Sending to Tomas Eide"; sealed like drafts.
    sealed_summary = models.BinaryField(editable=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PREPARING)
    # How far the running attempt got; "data_end" is committed before the final dot is sent.
    phase = models.CharField(max_length=16, blank=True)
    state_since = models.DateTimeField(default=timezone.now)
    # When the next thing is to be done: make bytes, send, file, look for evidence.
    due_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    # A worker has it and lives until then.
    lease_until = models.DateTimeField(null=True)
    # The scanner handed it to a lane and does not do so again before then.
    handed_until = models.DateTimeField(null=True)
    # Raised by each taker; its later writes carry it, so that an old taker's writes miss.
    fence = models.PositiveBigIntegerField(default=0)
    first_tried_at = models.DateTimeField(null=True)
    last_reply = models.CharField(max_length=500, blank=True)
    # The sealed file with the copy for Sent, and how often filing it was tried.
    sent_copy_key = models.CharField(max_length=64, blank=True)
    filing_attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    # Null while the machine has something left to do.
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "idempotency_key"], name="one_mail_per_send_click"
            ),
            # Two tabs cannot send one draft twice.
            models.UniqueConstraint(
                fields=["draft"],
                condition=Q(state__in=["preparing", "queued", "sending", "uncertain"]),
                name="one_live_mail_per_draft",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"], condition=Q(finished_at__isnull=True), name="outgoing_due"
            ),
            models.Index(
                fields=["lease_until"], condition=Q(state="sending"), name="outgoing_leases"
            ),
        ]


class Variant(models.Model):
    """One set of final bytes of a mail and the recipients who get exactly these.

    To and Cc share one; with encryption each Bcc recipient has one of their own, because
    EnvelopedData names its recipients. Each is a transaction of its own.
    """

    class State(models.TextChoices):
        """Where this transaction stands; the mail's state is derived from all of them."""

        QUEUED = "queued"
        SENDING = "sending"
        ACCEPTED = "accepted"
        FAILED = "failed"
        UNCERTAIN = "uncertain"

    outgoing = models.ForeignKey(OutgoingMail, models.CASCADE, related_name="variants")
    key = models.CharField(max_length=64, unique=True)  # sealed file with the bytes
    size = models.PositiveBigIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)


class Delivery(models.Model):
    """One recipient of one variant and what the server said."""

    class State(models.TextChoices):
        """Per recipient."""

        WAITING = "waiting"
        ACCEPTED = "accepted"
        FAILED = "failed"
        UNCERTAIN = "uncertain"

    variant = models.ForeignKey(Variant, models.CASCADE, related_name="deliveries")
    recipient = models.CharField(max_length=320)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    code = models.PositiveSmallIntegerField(null=True)
    enhanced = models.CharField(max_length=16, blank=True)
    text = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["variant", "recipient"], name="one_delivery")
        ]


class WritingHabits(models.Model):
    """How a person wrote their last mail; a new one begins that way."""

    user = models.OneToOneField(
        "accounts.User", models.CASCADE, related_name="writing_habits", primary_key=True
    )
    shows_cc = models.BooleanField(default=False)
    shows_bcc = models.BooleanField(default=False)
    writes_plain = models.BooleanField(default=False)


class CorrespondentUse(models.Model):
    """How often someone wrote to or heard from an address: completion in the composer."""

    user = models.ForeignKey("accounts.User", models.CASCADE, related_name="correspondents")
    address = models.CharField(max_length=320)
    name = models.CharField(max_length=300, blank=True)
    sent_count = models.PositiveIntegerField(default=0)
    received_count = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "address"], name="one_correspondent")
        ]
        indexes = [models.Index(fields=["user", "-last_at"], name="correspondent_recent")]


class Contact(models.Model):
    """Somebody saved in a person's address book."""

    user = models.ForeignKey("accounts.User", models.CASCADE, related_name="contacts")
    name = models.CharField(max_length=300, blank=True)
    sort_name = models.CharField(max_length=300)  # case folded; the first address without a name
    note = models.TextField(blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [models.Index(fields=["user", "sort_name"], name="contact_by_name")]

    @property
    def shown(self) -> str:
        """The name, else the first address."""
        return self.name or next((each.address for each in self.addresses.all()), "")


class ContactAddress(models.Model):
    """An address of a contact; a person has it once in their book."""

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="addresses")
    user = models.ForeignKey("accounts.User", models.CASCADE, related_name="+")
    address = models.CharField(max_length=320)  # in lower case, domain as A-labels
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["user", "address"], name="one_contact_an_address")
        ]
