"""The mirror of IMAP mailboxes and the log of what people asked for.

The IMAP server is the truth for mail; these rows are a cache of it. The intent log
(`PendingChange`) is the truth for what was asked and is never lost.

Words: a *message* is one mail of an account, a *placement* is a message in a folder (one UID), a
*conversation* is a thread as one folder's list shows it: a row that holds all that a list row
draws, so that a list page is one index range scan.
"""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Flag(models.IntegerChoices):
    """Bits of `Placement.flags` (RFC 3501 §2.3.2, RFC 5788 keywords)."""

    SEEN = 1
    ANSWERED = 2
    FLAGGED = 4
    DELETED = 8
    DRAFT = 16
    FORWARDED = 32
    JUNK = 64
    NOT_JUNK = 128
    MDN_SENT = 256  # RFC 3503: a receipt was sent, or the person said no


class Folder(models.Model):
    """One IMAP mailbox of an account and how far its mirror has come."""

    class Role(models.TextChoices):
        """Special use (RFC 6154), announced or guessed from the name."""

        INBOX = "inbox", _("Inbox")
        DRAFTS = "drafts", _("Drafts")
        SENT = "sent", _("Sent")
        ARCHIVE = "archive", _("Archive")
        JUNK = "junk", _("Spam")
        TRASH = "trash", _("Trash")
        ALL = "all", _("All mail")
        FLAGGED = "flagged", _("Starred")
        NONE = "", _("Folder")

    account = models.ForeignKey("accounts.MailAccount", models.CASCADE, related_name="folders")
    path = models.CharField(max_length=1000)  # decoded from modified UTF-7
    raw_path = models.BinaryField(default=b"", editable=False)  # as listed: right as an argument
    delimiter = models.CharField(max_length=1, blank=True)
    role = models.CharField(max_length=8, choices=Role.choices, blank=True, default=Role.NONE)
    is_selectable = models.BooleanField(default=True)
    is_subscribed = models.BooleanField(default=True)
    # RFC 3501 §2.3.1.1; null until first selected.
    uidvalidity = models.PositiveBigIntegerField(null=True)
    uidnext = models.PositiveBigIntegerField(default=1)
    highestmodseq = models.PositiveBigIntegerField(null=True)  # RFC 7162; never lowered
    exists = models.PositiveIntegerField(default=0)  # on the server, from SELECT or STATUS
    # Oldest UID that has a row here; everything above it is mirrored. Null: nothing yet.
    window_low_uid = models.PositiveBigIntegerField(null=True)
    is_backfilled = models.BooleanField(default=False)
    last_synced_at = models.DateTimeField(null=True)
    last_full_flags_at = models.DateTimeField(null=True)
    # Without CONDSTORE: flags below this UID are compared next, downwards, and then from the top.
    flags_cursor_uid = models.PositiveBigIntegerField(null=True)
    # UIDVALIDITY changes since `renumbered_at`: a server that renumbers daily is not chased (S5).
    renumbered_count = models.PositiveSmallIntegerField(default=0)
    renumbered_at = models.DateTimeField(null=True)
    # Raised with every UIDVALIDITY change; rows of an older generation are orphans (S5).
    generation = models.PositiveIntegerField(default=0)
    # Raised by the watcher and by intents; a sync ends only when it has seen the newest.
    wake_seq = models.PositiveBigIntegerField(default=0)
    synced_seq = models.PositiveBigIntegerField(default=0)
    # Unread messages as shown (pending changes applied); kept in the same transaction.
    unseen_count = models.PositiveIntegerField(default=0)
    total_count = models.PositiveIntegerField(default=0)  # messages
    conversation_count = models.PositiveIntegerField(default=0)  # rows of the list
    gone_at = models.DateTimeField(null=True)  # no longer listed; deleted after the grace

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "path"], name="one_folder_per_path")
        ]

    def __str__(self) -> str:
        return self.path


class Thread(models.Model):
    """A conversation across folders (RFC 5256 subject rules, References first)."""

    account = models.ForeignKey("accounts.MailAccount", models.CASCADE, related_name="threads")
    subject_base = models.CharField(max_length=500, blank=True, db_index=True)
    last_date = models.DateTimeField(db_index=True)


class ThreadKey(models.Model):
    """A message id (or the server's thread id) and the thread that whoever names it belongs to.

    Parents and children find each other by it in whichever order they arrive.
    """

    account = models.ForeignKey("accounts.MailAccount", models.CASCADE, related_name="+")
    # BLAKE2b of the identifier, 8 octets read as a signed number (threads.key_of).
    key = models.BigIntegerField()
    thread = models.ForeignKey(Thread, models.CASCADE, related_name="keys")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "key"], name="one_thread_per_key")
        ]


class Message(models.Model):
    """One mail of an account, whichever folders hold it."""

    account = models.ForeignKey("accounts.MailAccount", models.CASCADE, related_name="messages")
    thread = models.ForeignKey(Thread, models.CASCADE, related_name="messages")
    message_id = models.CharField(max_length=998, blank=True)  # without angle brackets
    # Digest of the header fields, size and INTERNALDATE: the same mail in another folder, or
    # after a UIDVALIDITY change. Two placements of one folder never share a message by it.
    content_key = models.CharField(max_length=64)
    email_id = models.CharField(max_length=255, blank=True)  # RFC 8474
    subject = models.CharField(max_length=998, blank=True)
    from_name = models.CharField(max_length=300, blank=True)
    from_address = models.CharField(max_length=320, blank=True)
    # {"to": [[name, address], …], "cc": …, "reply_to": …}, at most 100 each.
    recipients = models.JSONField(default=dict)
    date = models.DateTimeField(null=True)  # the Date field, if it can be read
    internal_date = models.DateTimeField()  # when the server got it
    size = models.PositiveBigIntegerField(default=0)  # RFC822.SIZE, octets
    # When this installation first saw it: the receipt time of verdicts (RFC 8550 §6).
    first_seen_at = models.DateTimeField(default=timezone.now)
    in_reply_to = models.CharField(max_length=998, blank=True)
    references = models.JSONField(default=list)  # at most 100 message ids
    list_id = models.CharField(max_length=300, blank=True)
    # Compact BODYSTRUCTURE, the first 100 parts: list of [path, type, encoding, size, filename,
    # disposition, content-id, charset].
    structure = models.JSONField(default=list)
    has_attachment = models.BooleanField(default=False)
    is_secured = models.BooleanField(default=False)  # S/MIME by its structure: may get a seal
    preview = models.CharField(max_length=200, blank=True)
    # The seal, set through webmail.mailbox.seals by the reader after it verified this message.
    seal = models.CharField(max_length=8, blank=True)  # "" not yet, ok, warn, bad, unknown, none
    seal_flag = models.CharField(max_length=32, blank=True)  # flag word of verdicts.md
    is_locked = models.BooleanField(default=False)  # encrypted on the way
    # Encrypted and opened once: fields that stood only inside are in ProtectedFields, sealed.
    has_hidden_subject = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["account", "message_id"], name="message_by_message_id"),
            models.Index(fields=["account", "content_key"], name="message_by_content_key"),
            models.Index(fields=["thread", "internal_date"], name="message_by_thread"),
            models.Index(fields=["account", "from_address"], name="message_by_sender"),
            models.Index(fields=["account", "-internal_date", "-id"], name="message_newest"),
        ]


class ProtectedFields(models.Model):
    """What the header of an opened message said inside its encryption and not outside (RFC 9788).

    Sealed, so that a list need not flip back to what stands outside (§4.7). Written and opened by
    `webmail.mailbox.protected_fields` alone.
    """

    message = models.OneToOneField(Message, models.CASCADE, related_name="protected_fields")
    user = models.ForeignKey("accounts.User", models.CASCADE, related_name="+", db_index=False)
    # JSON, sealed by the keyring, or by the key of the person's vault where a personal key was
    # needed to open the message.
    sealed = models.BinaryField(editable=False)
    is_personal = models.BooleanField()
    # SHA-256 fingerprints of the own keys that opened it, apart by spaces: it goes with each.
    opened_with = models.CharField(max_length=650)
    received_at = models.DateTimeField()  # the message's INTERNALDATE: a search begins on top

    class Meta:
        indexes = [models.Index(fields=["user", "-received_at"], name="protected_newest")]


class Placement(models.Model):
    """A message in a folder."""

    folder = models.ForeignKey(Folder, models.CASCADE, related_name="placements")
    message = models.ForeignKey(Message, models.CASCADE, related_name="placements")
    # Null: put here by a move that the server has not carried out yet.
    uid = models.PositiveBigIntegerField(null=True)
    generation = models.PositiveIntegerField(default=0)
    internal_date = models.DateTimeField()
    flags = models.PositiveSmallIntegerField(default=0)  # as the server last said
    # Pending changes of our people on top; shown = (flags | add) & ~remove.
    pending_add = models.PositiveSmallIntegerField(default=0)
    pending_remove = models.PositiveSmallIntegerField(default=0)
    keywords = models.JSONField(default=list)
    modseq = models.PositiveBigIntegerField(default=0)
    # Missing on the server since; hidden at once, deleted after 10 minutes unless it moved.
    gone_at = models.DateTimeField(null=True)
    # A pending move or removal takes it away: hidden, and shown again if that is undone.
    is_leaving = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["folder", "generation", "uid"], name="one_placement_per_uid"
            )
        ]
        indexes = [
            models.Index(fields=["folder", "-internal_date", "-id"], name="placement_newest"),
            models.Index(
                fields=["gone_at"], condition=Q(gone_at__isnull=False), name="placement_gone"
            ),
        ]

    @property
    def shown_flags(self) -> int:
        """The flags a person sees: the server's, with pending changes on top."""
        return (self.flags | self.pending_add) & ~self.pending_remove


class Conversation(models.Model):
    """A thread as one folder's list draws it. Rebuilt by `conversations.refresh` in the same
    transaction as what it is made from.
    """

    folder = models.ForeignKey(Folder, models.CASCADE, related_name="conversations")
    thread = models.ForeignKey(Thread, models.CASCADE, related_name="conversations")
    newest = models.ForeignKey(Message, models.CASCADE, related_name="+")
    latest_at = models.DateTimeField()  # INTERNALDATE of the newest placement in this folder
    message_count = models.PositiveIntegerField(
        default=1
    )  # in the whole thread, Trash and Junk apart
    unseen_count = models.PositiveIntegerField(default=0)  # in this folder
    placed_count = models.PositiveIntegerField(default=1)  # messages of it in this folder
    is_flagged = models.BooleanField(default=False)
    has_attachment = models.BooleanField(default=False)
    people = models.CharField(max_length=300, blank=True)  # "Anna, Jonas, me"
    subject = models.CharField(max_length=998, blank=True)
    preview = models.CharField(max_length=200, blank=True)
    seal = models.CharField(max_length=8, blank=True)
    seal_flag = models.CharField(max_length=32, blank=True)
    is_locked = models.BooleanField(default=False)
    is_answered = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["folder", "thread"], name="one_row_per_conversation")
        ]
        indexes = [
            models.Index(fields=["folder", "-latest_at", "-id"], name="conversation_newest"),
            models.Index(
                fields=["folder", "-latest_at", "-id"],
                condition=Q(unseen_count__gt=0),
                name="conversation_unseen",
            ),
            models.Index(
                fields=["folder", "-latest_at", "-id"],
                condition=Q(is_flagged=True),
                name="conversation_flagged",
            ),
            models.Index(
                fields=["folder", "-latest_at", "-id"],
                condition=Q(has_attachment=True),
                name="conversation_attachment",
            ),
        ]


class PendingChange(models.Model):
    """An intent: what a person asked for and the server has not confirmed yet.

    pending → running → done | conflict | failed; pending → cancelled (undo); running → pending
    again with a later `next_try_at` (retry).
    """

    class Operation(models.TextChoices):
        """What is to be done on the server."""

        FLAGS = "flags"  # args: add, remove (bits)
        MOVE = "move"  # args: target (folder id), landing (provisional placement's id)
        DELETE = "delete"  # for good: \Deleted and UID EXPUNGE
        APPEND = "append"  # args: blob (id), flags, message_id; folder is the target

    class State(models.TextChoices):
        """Where the intent stands."""

        PENDING = "pending"
        RUNNING = "running"
        DONE = "done"
        CONFLICT = "conflict"
        FAILED = "failed"
        CANCELLED = "cancelled"

    account = models.ForeignKey("accounts.MailAccount", models.CASCADE, related_name="changes")
    operation = models.CharField(max_length=8, choices=Operation.choices)
    # One click is one group: undone together.
    group = models.UUIDField(db_index=True)
    # Null for APPEND, and once the placement has left with the message.
    placement = models.ForeignKey(Placement, models.SET_NULL, null=True, related_name="changes")
    # Where the message was on the server when it was asked.
    folder = models.ForeignKey(Folder, models.CASCADE, null=True, related_name="+")
    uidvalidity = models.PositiveBigIntegerField(null=True)
    uid = models.PositiveBigIntegerField(null=True)
    args = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    created_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True)
    fence = models.PositiveBigIntegerField(default=0)
    error = models.CharField(max_length=500, blank=True)  # a sentence for the page
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["account", "next_try_at"],
                condition=Q(state__in=["pending", "running"]),
                name="change_due",
            ),
        ]


class Blob(models.Model):
    """A sealed file under the blob directory: raw messages and their parts, least used go first.

    The file's name is `key`; its content is sealed by accounts.sealing, purpose "blob", bound to
    the key. Nothing that came out of an encrypted layer is ever stored here.
    """

    account = models.ForeignKey("accounts.MailAccount", models.CASCADE, related_name="blobs")
    # Null: content of an APPEND that waits.
    message = models.ForeignKey(Message, models.CASCADE, null=True, related_name="blobs")
    section = models.CharField(max_length=64, blank=True)  # "" the whole message
    key = models.CharField(max_length=64, unique=True)
    size = models.PositiveBigIntegerField()  # of the content, octets
    last_used_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message", "section"], name="one_blob_per_section")
        ]
