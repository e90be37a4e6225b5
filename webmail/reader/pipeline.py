"""From raw bytes to a finished page: peel, judge, choose, wash. Runs in the crypto lane only.

No database and no network here: keys, trust and URLs are handed in.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from smime.facts_kept import KeptFacts, keep
from smime.reading import Frame, Reading
from smime.reading_headers import is_legacy_display, without_legacy_display
from smime.verdict import WITHOUT_ENCRYPTION, Context, Verdict, judge
from webmail.mime import Address, Message, Part, find_part
from webmail.reader import words
from webmail.reader.documents import Addresses, Attached, Collection, Permission, build
from webmail.reader.store import Documents, Page
from webmail.reader.variants import Variant

HEADER_ROWS = 120
HEADER_VALUE_LIMIT = 2000  # characters
# Encrypted in a way that lets others change the text: never HTML, never links (EFAIL).
_MALLEABLE = {"old-method-unsigned", "obsolete-cipher"}


@dataclass(frozen=True, slots=True)
class Rendered:
    """A finished page with its documents."""

    page: Page
    documents: Documents
    verdict: Verdict
    framed: tuple[Verdict, ...]  # of the framed parts
    kept: KeptFacts
    reading: Reading


def permission_for(verdict: Verdict, *, variant: Variant) -> Permission:
    """Return what a body with this verdict may do."""
    encryption = verdict.encryption.code if verdict.encryption else ""
    if verdict.level == "bad" or encryption in _MALLEABLE:
        return Permission(html=False, remote=False, links=False)
    return Permission(
        html=True, remote=variant.images and verdict.may_load_remote_content, links=True
    )


def is_same_page(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Say whether documents made under one verdict serve under another (`words.verdict_json`)."""
    return _shape(old) == _shape(new)


def _shape(verdict: dict[str, Any]) -> list[object]:
    level, encryption = verdict["level"], verdict["encryption_code"]
    return [
        level == "bad" or encryption in _MALLEABLE,  # `permission_for`
        level == "ok" or encryption in WITHOUT_ENCRYPTION,  # remote content may be offered
        verdict["code"] == "two-senders",  # another sender is shown
        [tone == "bad" for _, tone in verdict["frames"]],
    ]


def _people(addresses: tuple[Address, ...]) -> list[list[str]]:
    return [[words.shown_name(each), each.address] for each in addresses]


def _strip_legacy(reading: Reading) -> Any:
    def strip(part: Part, text: str) -> str:
        if not is_legacy_display(part, is_decrypted=reading.is_decrypted):
            return text
        return without_legacy_display(text, "html" if part.content_type == "text/html" else "plain")

    return strip


def _header_rows(message: Message) -> list[list[str]]:
    names = [name for name, _ in message.root.headers.items()][:HEADER_ROWS]
    seen: dict[str, int] = {}
    rows = []
    for name in names:
        values = message.root.headers.get_all(name)
        position = seen.get(name.lower(), 0)
        seen[name.lower()] = position + 1
        if position < len(values):
            value = values[position].decode("utf-8", "replace")[:HEADER_VALUE_LIMIT]
            rows.append([name, value])
    return rows


@dataclass(slots=True, kw_only=True)
class _Assembly:
    """The documents, labels and attachments of one message while they are put together."""

    variant: Variant
    addresses: Addresses
    own_hosts: frozenset[str]
    found: Collection = field(default_factory=Collection)
    documents: list[str] = field(default_factory=list)
    labels: list[dict[str, str | int]] = field(default_factory=list)
    attachments: list[Attached] = field(default_factory=list)
    may_look_into: list[str] = field(default_factory=list)  # paths of attachments

    def add(
        self,
        reading: Reading,
        *,
        layer: int,
        permission: Permission,
        label: str = "",
        tone: str = "",
    ) -> None:
        """Add the body of `reading`, in frames of its own."""
        body = build(
            reading.content,
            layer=layer,
            root=None,
            permission=permission,
            variant=self.variant,
            addresses=self.addresses,
            found=self.found,
            own_hosts=self.own_hosts,
            strip_legacy=_strip_legacy(reading),
        )
        self.documents += body.frames
        self.labels += [{"label": label, "tone": tone, "layer": layer} for _ in body.frames]
        self.attachments += body.attachments
        if permission.html:
            self.may_look_into += [each.path for each in body.attachments]

    def add_framed(self, framed: Frame, verdict: Verdict, layer: int) -> None:
        """Add a part with a verdict of its own; nothing remote is ever loaded by it (EFAIL)."""
        if not framed.reading.is_shown:
            return
        without_images = replace(self.variant, images=False)
        self.add(
            framed.reading,
            layer=layer,
            permission=permission_for(verdict, variant=without_images),
            label=words.framed_label(verdict),
            tone=verdict.level,
        )


def make(
    *,
    reading: Reading,
    context: Context,
    variant: Variant,
    addresses: Addresses,
    own_hosts: frozenset[str] = frozenset(),
) -> Rendered:
    """Return the page of a message that was read."""
    verdict = judge(reading.facts, context=context)
    framed = tuple(judge(each.reading.facts, context=context) for each in reading.frames)
    permission = permission_for(verdict, variant=variant)
    assembly = _Assembly(variant=variant, addresses=addresses, own_hosts=own_hosts)
    if reading.is_shown:
        assembly.add(reading, layer=0, permission=permission)
        for layer, (frame, own) in enumerate(zip(reading.frames, framed, strict=True), 1):
            assembly.add_framed(frame, own, layer)
    found = assembly.found
    kept = keep(reading)
    page = _page(reading, verdict, permission, assembly)
    page["verdict"] = words.verdict_json(verdict, framed, kept)
    return Rendered(
        page=page,
        documents=Documents(tuple(assembly.documents), tuple(found.images), tuple(found.targets)),
        verdict=verdict,
        framed=framed,
        kept=kept,
        reading=reading,
    )


def _page(reading: Reading, verdict: Verdict, permission: Permission, assembly: _Assembly) -> Page:
    envelope, found = reading.envelope, assembly.found
    same = {each.address.lower() for each in verdict.shown_from}
    sender = tuple(each for each in envelope.sender if each.address.lower() not in same)
    replies = tuple(each for each in envelope.reply_to if each.address.lower() not in same)
    may_load = permission.html and verdict.may_load_remote_content
    return {
        "subject": envelope.subject,
        "from": _people(verdict.shown_from),
        "sender": _people(sender[:1]),
        "reply_to": _people(replies),
        "to": _people(envelope.to),
        "cc": _people(envelope.cc),
        "bcc": _people(envelope.bcc),
        "date": envelope.date.isoformat() if envelope.date else "",
        "message_id": envelope.message_id,
        "frames": assembly.labels,
        "attachments": [
            [each.path, each.filename, each.content_type, each.size, each.is_dangerous]
            for each in assembly.attachments
        ],
        "may_look_into": assembly.may_look_into,
        "images": {
            "blocked": found.blocked if may_load else 0,
            "trackers": found.trackers,
            "may_load": may_load,
            "may_always": may_load and verdict.level == "ok",
        },
        "is_encrypted": any(layer.is_encryption for layer in reading.layers),
        "is_plain_only": not permission.html and bool(assembly.documents),
        "has_report": reading.content.root.content_type == "multipart/report",
        "has_deceptive_links": found.has_deceptive_links,
        "limits": sorted({*found.limits, *reading.content.limits_hit, *reading.message.limits_hit}),
        "header_rows": _header_rows(reading.message),
    }


def holds_secrets(reading: Reading) -> bool:
    """Whether anything of this reading came out of an encrypted layer, framed parts included."""
    return any(layer.is_encryption for layer in reading.layers) or any(
        holds_secrets(framed.reading) for framed in reading.frames
    )


def layer_of(reading: Reading, path: str) -> Reading:
    """Return the reading, or the framed one in it, that "layer/path" names; KeyError for none."""
    layer = path.partition("/")[0]
    position = int(layer) if layer.isdecimal() else -1
    readings = [reading, *(framed.reading for framed in reading.frames)]
    if not 0 <= position < len(readings):
        raise KeyError(path)
    return readings[position]


def part_of(reading: Reading, path: str) -> tuple[Message, Part]:
    """Return the tree and part that "layer/path" names; KeyError if there is none."""
    tree = layer_of(reading, path).content
    return tree, find_part(tree, path.partition("/")[2])
