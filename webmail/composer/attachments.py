"""Files of drafts: streamed from the upload into sealed files, never whole in memory."""

import errno
from collections.abc import Iterable, Iterator
from typing import Protocol

from django.db import transaction
from django.db.models import Sum
from django.http import Http404
from django.utils.translation import gettext as _

from accounts.models import User
from webmail.composer import drafts, sealed_files, sizes
from webmail.composer.models import Draft, DraftAttachment
from webmail.mime import safe_filename

MOST_FILES = 100  # of one draft
_FALLBACK_TYPE = "application/octet-stream"


class AttachmentRefusedError(Exception):
    """The file was not attached; the text is a sentence for the person."""


class Upload(Protocol):
    """An uploaded file as Django hands it over."""

    name: str | None
    content_type: str | None

    def chunks(self) -> Iterator[bytes]:
        """Yield the content in pieces."""
        ...


def attach_all(user: User, draft_id: int, uploads: Iterable[Upload]) -> tuple[str, ...]:
    """Attach uploaded files; return a sentence for each that was refused.

    Raises Http404, DraftIsSendingError.
    """
    refused = []
    for upload in uploads:
        try:
            attach(user, draft_id, upload)
        except AttachmentRefusedError as refusal:
            name = safe_filename(upload.name or "")
            refused.append(
                _("%(file)s is not attached. %(reason)s") % {"file": name, "reason": refusal}
            )
    return tuple(refused)


def attach(user: User, draft_id: int, upload: Upload) -> DraftAttachment:
    """Attach an uploaded file. Raises AttachmentRefusedError, Http404, DraftIsSendingError."""
    return attach_content(
        user,
        draft_id,
        filename=upload.name or "",
        content_type=upload.content_type or _FALLBACK_TYPE,
        chunks=upload.chunks(),
    )


def attach_content(
    user: User,
    draft_id: int,
    *,
    filename: str,
    content_type: str,
    chunks: Iterable[bytes],
    is_from_encrypted: bool = False,
) -> DraftAttachment:
    """Attach what `chunks` yields. Raises like `attach`."""
    draft = drafts.draft_for(user, draft_id)
    if drafts.is_held(draft):
        raise drafts.DraftIsSendingError
    room = sizes.room_for_files(draft.account.server, attached=size_of_files(draft))
    if DraftAttachment.objects.filter(draft=draft).count() >= MOST_FILES:
        raise AttachmentRefusedError(_("A message can hold at most %d files.") % MOST_FILES)
    try:
        key, size = sealed_files.write(chunks, limit=room)
    except sealed_files.TooLargeError:
        raise AttachmentRefusedError(
            _("Too large for this server (limit %s).")
            % sizes.words(sizes.limit(draft.account.server))
        ) from None
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES}:
            raise AttachmentRefusedError(
                _("The file could not be stored. Your administrator can make room.")
            ) from error
        raise
    try:
        with transaction.atomic():
            locked = drafts.locked(user, draft_id)
            attachment = DraftAttachment.objects.create(
                draft=locked,
                filename=safe_filename(filename)[:255],
                content_type=_plain_type(content_type),
                size=size,
                key=key,
                is_from_encrypted=is_from_encrypted,
            )
            if locked.revision == 0 and locked.preparation == "":
                drafts.touch(locked)
    except BaseException:
        sealed_files.drop(key)
        raise
    return attachment


def detach(user: User, draft_id: int, attachment_id: int) -> None:
    """Take a file out of a draft. Raises Http404, DraftIsSendingError."""
    with transaction.atomic():
        draft = drafts.locked(user, draft_id)
        attachment = DraftAttachment.objects.filter(draft=draft, pk=attachment_id).first()
        if attachment is None:
            raise Http404
        remove(attachment)


def remove(attachment: DraftAttachment) -> None:
    """Delete the row, and the file when the transaction is through."""
    key = attachment.key
    attachment.delete()
    transaction.on_commit(lambda: sealed_files.drop(key))


def files_of(draft: Draft) -> tuple[DraftAttachment, ...]:
    """Return a draft's files in the order they were attached."""
    return tuple(DraftAttachment.objects.filter(draft=draft).order_by("id"))


def size_of_files(draft: Draft) -> int:
    """Return the octets of all files of a draft."""
    total = DraftAttachment.objects.filter(draft=draft).aggregate(total=Sum("size"))["total"]
    return total or 0


def content_of(attachment: DraftAttachment) -> Iterator[bytes]:
    """Yield a file's content in pieces."""
    return sealed_files.read(attachment.key)


def _plain_type(content_type: str) -> str:
    """Return "type/subtype" in lower case, or the type for unknown content."""
    kind, _sep, _parameters = content_type.partition(";")
    kind = kind.strip().lower()
    main, slash, sub = kind.partition("/")
    is_sound = bool(main and slash and sub) and all(
        c.isascii() and (c.isalnum() or c in "!#$&^_.+-") for c in main + sub
    )
    # A composite type would be taken apart by readers: it travels as plain octets.
    if not is_sound or len(kind) > 127 or main in {"multipart", "message"}:
        return _FALLBACK_TYPE
    return kind
