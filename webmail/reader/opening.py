"""A message opened in the crypto lane to look at its parts: reading, keys, and who may see it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from django.utils import timezone

from accounts.models import User
from smime import people, vault
from smime.reading import Reading, read_message
from smime.verdict import Context, judge
from webmail.mailbox import standing
from webmail.mailbox.models import Message as MailMessage
from webmail.mime import Message, Part, choose_body, decode_body, safe_filename
from webmail.reader import judging, pipeline, rendering
from webmail.reader.shown import STEP
from webmail.reader.variants import Variant

DEEPEST = 4  # messages inside messages inside …


class NoSessionError(Exception):
    """Decrypted content has no session to be kept for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A message with what was opened of it."""

    message: MailMessage
    reading: Reading
    keys: vault.OpenedKeys
    context: Context
    asked_with: bytes | None  # the key of the session that asked
    is_junk: bool  # it lies in spam: its files are downloaded, never drawn or read

    @property
    def user(self) -> User:
        """Whose message it is."""
        return self.message.account.user

    @property
    def is_secret(self) -> bool:
        """Whether anything of it came out of an encrypted layer."""
        return pipeline.holds_secrets(self.reading)

    def sealing_for(self, *, is_secret: bool) -> bytes | None:
        """Return the key that contents are sealed under; None: the keyring.

        Raises NoSessionError for secrets that nobody's session asked for: they are not kept.
        """
        if is_secret and self.asked_with is None:
            raise NoSessionError
        return self.asked_with if is_secret else None


@dataclass(frozen=True, slots=True)
class Located:
    """A part, its tree and the reading they are of."""

    reading: Reading
    tree: Message
    part: Part
    is_secret: bool  # it, or any message on the way to it, came out of an encrypted layer
    may_look_into: bool  # nothing on the way to it is mail that must not be relied on

    @property
    def filename(self) -> str:
        """The file's name; parts that are sent beside the text often state none."""
        named = {
            "message/rfc822": "message.eml",
            "text/calendar": "invitation.ics",
            "text/rfc822-headers": "headers.txt",
        }
        stated = self.part.filename or named.get(self.part.content_type)
        return stated or safe_filename(None, path=self.part.path)

    @property
    def longest(self) -> int:
        """Octets that the content has at most: every transfer encoding makes it longer."""
        if self.part.content is not None:
            return len(self.part.content)
        return self.part.end - self.part.body_start

    @property
    def content(self) -> bytes:
        """The part's decoded octets; of a forwarded message the message."""
        if self.part.content_type == "message/rfc822" and self.part.children:
            return self.tree.raw[self.part.body_start : self.part.end]
        return decode_body(self.tree, self.part)


def open_for(message_id: int, ticket_id: str) -> Opened | None:
    """Open a message for whoever the ticket names; None without a ticket or message.

    Raises rendering.NotHere.
    """
    message = MailMessage.objects.select_related("account__user").filter(pk=message_id).first()
    ticket = rendering.ticket_for(message, ticket_id) if message is not None else None
    if message is None or ticket is None:
        return None
    reading, keys = rendering.open_reading(message, ticket)
    session_key = ticket.get("session_key")
    return Opened(
        message=message,
        reading=reading,
        keys=keys,
        context=context_of(message, reading, keys),
        asked_with=session_key if isinstance(session_key, bytes) else None,
        is_junk=standing.is_junk(message),
    )


def context_of(message: MailMessage, reading: Reading, keys: vault.OpenedKeys) -> Context:
    """Return what a verdict on this reading (of the message, or of one inside it) depends on."""
    return judging.context_for(
        message.account.user,
        message,
        reading.facts,
        now=timezone.now(),
        is_vault_locked=keys.locked,
    )


def locate(opened: Opened, path: str) -> Located:
    """Return the part that "layer/section" names, also inside a forwarded message
    ("layer/section|layer/section"). Raises KeyError if there is none.
    """
    first, *inner = path.split(STEP)
    if len(inner) > DEEPEST:
        raise KeyError(path)
    located = _part_at(opened, opened.reading, opened.context, first)
    for step in inner:
        reading = read_nested(opened, located)
        context = context_of(opened.message, reading, opened.keys)
        within = _part_at(opened, reading, context, step)
        located = replace(
            within,
            is_secret=located.is_secret or within.is_secret,
            may_look_into=located.may_look_into and within.may_look_into,
        )
    return located


def _part_at(opened: Opened, reading: Reading, context: Context, step: str) -> Located:
    chain = pipeline.chain_of(reading, step)
    tree, part = pipeline.part_of(reading, step)
    return Located(
        chain[-1],
        tree,
        part,
        is_secret=pipeline.holds_secrets(reading),
        may_look_into=may_look_into(chain, context, is_junk=opened.is_junk),
    )


def may_look_into(chain: Sequence[Reading], context: Context, *, is_junk: bool) -> bool:
    """Say whether files of the last of these readings, each inside the one before, may be drawn
    and read, not only downloaded.
    """
    variant = Variant(junk=is_junk)
    return all(
        reading.is_shown
        and pipeline.permission_for(judge(reading.facts, context=context), variant=variant).html
        for reading in chain
    )


def read_nested(opened: Opened, located: Located) -> Reading:
    """Read a forwarded message as one of its own, with the keys at hand."""
    user = opened.user
    raw = located.content
    known = [each.certificate for each in opened.keys.pairs]
    first = read_message(raw, keys=opened.keys.pairs, certificates=known)
    sender = next((each.address for each in first.envelope.from_), "")
    at_hand = people.certificates_at_hand(user, sender) if sender else []
    if not at_hand:
        return first
    return read_message(raw, keys=opened.keys.pairs, certificates=(*known, *at_hand))


def attachments(opened: Opened) -> Iterator[tuple[str, Located]]:
    """Yield (path, part) of all that the page lists and that may be looked into.

    Parts of mail that must not be relied on are left out: they are only downloaded one by one.
    """
    for layer, chain in enumerate(opened.reading.chains()):
        if not may_look_into(chain, opened.context, is_junk=opened.is_junk):
            continue
        reading = chain[-1]
        choice = choose_body(reading.content)
        for listed in choice.attachments:
            yield f"{layer}/{listed.path}", _listed(opened, reading, listed.part)
        for part in choice.nested:
            yield f"{layer}/{part.path}", _listed(opened, reading, part)


def may_give_together(opened: Opened) -> bool:
    """Say whether all files that the page lists may be looked into."""
    return not any(
        _holds_files(chain[-1])
        for chain in opened.reading.chains()
        if not may_look_into(chain, opened.context, is_junk=opened.is_junk)
    )


def _holds_files(reading: Reading) -> bool:
    choice = choose_body(reading.content)
    return reading.is_shown and bool(choice.attachments or choice.nested)


def _listed(opened: Opened, reading: Reading, part: Part) -> Located:
    return Located(reading, reading.content, part, opened.is_secret, may_look_into=True)
