"""What the reader found out about messages, and finished documents."""

from django.db import models
from django.utils import timezone


class Reading(models.Model):
    """The verdict on a message and what its page needs beside the body.

    Nothing that can be read here came out of an encrypted layer: for mail that had to be opened
    with a key, `sealed_facts` alone did, without subject and text; the rest lives in sealed,
    minutes-long caches under the key of the session that opened it.
    """

    message = models.OneToOneField("mailbox.Message", models.CASCADE, related_name="reading")
    pipeline = models.PositiveIntegerField()  # webmail.reader.pipeline.VERSION that made it
    signature_code = models.CharField(max_length=32)
    encryption_code = models.CharField(max_length=32, blank=True)
    level = models.CharField(max_length=8)
    notes = models.JSONField(default=list)
    # Names, dates and addresses for the words and the six answers.
    verdict = models.JSONField(default=dict)
    judged_at = models.DateTimeField(default=timezone.now, db_index=True)
    # The trust state (anchors, known certificates) it was judged under; differs → judge again.
    trust_stamp = models.CharField(max_length=64, blank=True)
    # Header fields, attachments [[path, name, type, size], …], counts: all that the page shows.
    page = models.JSONField(default=dict)
    # Failed attempts to render (poison counter): at 2 the message is marked "cannot render".
    failures = models.PositiveSmallIntegerField(default=0)
    is_encrypted = models.BooleanField(default=False)
    # smime.facts_kept, sealed with the keyring: what the verdict is judged from again. Certificates,
    # addresses and times, of opened mail too; never the subject and never text.
    sealed_facts = models.BinaryField(default=b"")
    # Somebody signed it or a part of it: trust and clock may turn the verdict.
    has_signers = models.BooleanField(default=False)
    # When the clock alone may turn it next: a certificate ends, a revocation list grows stale.
    turns_at = models.DateTimeField(null=True, db_index=True)


class FramedSigner(models.Model):
    """Who signed a part of a message: found when what is known of a certificate changes.

    Who signs a message as a whole stands in its verdict or is its sender.
    """

    reading = models.ForeignKey(Reading, models.CASCADE, related_name="framed_signers")
    # SHA-256 of the certificate; "": somebody, in mail that was opened with a key.
    fingerprint = models.CharField(max_length=64, blank=True, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reading", "fingerprint"], name="one_framed_signer")
        ]


class Rejudging(models.Model):
    """How far an account's verdicts have been judged again under the trust of `stamp`.

    idle ─(the person's stamp is another, or a verdict is due)─► a chain of steps ─► idle
    A chain owns the row by its `fence` while `lease_until` lies ahead; a lost one is taken over.
    """

    account = models.OneToOneField("accounts.MailAccount", models.CASCADE, related_name="+")
    stamp = models.CharField(max_length=64, blank=True)
    cursor = models.CharField(max_length=320, blank=True)  # senders below it are done
    is_done = models.BooleanField(default=False)
    fence = models.PositiveBigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)


class Rendition(models.Model):
    """A finished document of a message that was never encrypted, sealed with the keyring."""

    message = models.ForeignKey("mailbox.Message", models.CASCADE, related_name="renditions")
    pipeline = models.PositiveIntegerField()
    # What was asked for: "images=no;theme=light" and the like.
    variant = models.CharField(max_length=64)
    sealed_document = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "variant"], name="one_rendition")]


class ImagePermission(models.Model):
    """Remote images are loaded (through the proxy) for this sender's verified mail."""

    user = models.ForeignKey("accounts.User", models.CASCADE, related_name="image_permissions")
    sender = models.CharField(max_length=320)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "sender"], name="one_image_permission")
        ]


class InvitationAnswer(models.Model):
    """What the person answered to an invitation; the answer itself went through the outbox."""

    class Answer(models.TextChoices):
        """PARTSTAT values (RFC 5545 §3.2.12)."""

        ACCEPTED = "ACCEPTED"
        TENTATIVE = "TENTATIVE"
        DECLINED = "DECLINED"

    message = models.ForeignKey(
        "mailbox.Message", models.CASCADE, related_name="invitation_answers"
    )
    path = models.CharField(max_length=200)  # "layer/section" of the calendar
    answer = models.CharField(max_length=16, choices=Answer.choices)
    # The mail that carries it (ENVID): called back or failed, it was no answer.
    envelope_id = models.UUIDField(null=True)
    answered_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message", "path"], name="one_invitation_answer")
        ]


class Unsubscription(models.Model):
    """What a person did to leave a list: one row a list, the newest try.

    asked ─a worker takes it─► running ─┬─► done
      ▲                                 ├─► unverified   nobody vouches for the list's address
      └── asked again by a click ───────┼─► refused      the list's server said no
                                        ├─► unreached    it was never asked
                                        └─► unsure       it was asked, no answer came
    prepared: a mail that leaves the list was opened in the composer.
    """

    class State(models.TextChoices):
        """How far it came."""

        ASKED = "asked"
        RUNNING = "running"
        DONE = "done"
        UNVERIFIED = "unverified"
        REFUSED = "refused"
        UNREACHED = "unreached"
        UNSURE = "unsure"
        PREPARED = "prepared"

    user = models.ForeignKey("accounts.User", models.CASCADE, related_name="unsubscriptions")
    # The sender's organisation and List-Id, else the address the mail is from; lower case.
    list_key = models.CharField(max_length=320)
    # The mail whose fields were used; what was done is remembered beyond it.
    message = models.ForeignKey(
        "mailbox.Message", models.SET_NULL, null=True, related_name="unsubscriptions"
    )
    host = models.CharField(max_length=255, blank=True)  # as the person was told
    state = models.CharField(max_length=10, choices=State.choices)
    asked_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "list_key"], name="one_unsubscription")
        ]


class ReceiptAnswer(models.Model):
    """What the person answered to a request for a read receipt (RFC 8098)."""

    class Answer(models.TextChoices):
        """Whether one was sent."""

        SENT = "sent"
        DECLINED = "declined"

    message = models.OneToOneField("mailbox.Message", models.CASCADE, related_name="receipt_answer")
    answer = models.CharField(max_length=8, choices=Answer.choices)
    # The mail that carries it (ENVID): called back or failed, it was no answer.
    envelope_id = models.UUIDField(null=True)
    answered_at = models.DateTimeField(default=timezone.now)
