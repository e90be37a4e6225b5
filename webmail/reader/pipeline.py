"""From raw bytes to a finished page: peel, judge, choose, wash. Runs in the crypto lane only.

No database and no network here: keys, trust and URLs are handed in.
"""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from smime.facts_kept import KeptFacts, keep
from smime.reading import Frame, Reading
from smime.reading_headers import is_legacy_display, without_legacy_display
from smime.verdict import WITHOUT_ENCRYPTION, Context, Verdict, judge
from webmail.mime import Address, Message, Part, find_part
from webmail.reader import asking, words
from webmail.reader.aids import STRANGERS, Acquaintance, find_aids, stated_in
from webmail.reader.details import read_details
from webmail.reader.documents import Addresses, Attached, Body, Collection, Permission, build
from webmail.reader.framing import outside_code
from webmail.reader.store import Documents, Page
from webmail.reader.variants import Variant

HEADER_ROWS = 120
HEADER_VALUE_LIMIT = 2000  # characters
# Encrypted in a way that lets others change the text: never HTML, never links (EFAIL).
_MALLEABLE = {"old-method-unsigned", "obsolete-cipher"}
_LAYER = re.compile(r"[0-9]{1,4}")  # of a path, as a URL has it


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
    if verdict.level == "bad" or encryption in _MALLEABLE or variant.junk:
        return Permission(html=False, remote=False, links=False)
    is_wanted = variant.wants_images(level=verdict.level)
    return Permission(html=True, remote=is_wanted and verdict.may_load_remote_content, links=True)


def _narrowed(own: Permission, *, by: Permission) -> Permission:
    """Return what a part may do inside of one that may do `by`: never more.

    What stands inside malleable encryption may have been put round the secret text (EFAIL): a
    made-up signature there must not bring HTML and links back.
    """
    return Permission(
        html=own.html and by.html, remote=own.remote and by.remote, links=own.links and by.links
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
        [level == "bad" for *_, level in verdict["frames"]],
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
    """The documents, frames and attachments of one message while they are put together."""

    variant: Variant
    addresses: Addresses
    own_hosts: frozenset[str]
    found: Collection = field(default_factory=Collection)
    documents: list[str] = field(default_factory=list)
    frames: list[dict[str, Any]] = field(default_factory=list)  # see webmail.reader.framing
    attachments: list[Attached] = field(default_factory=list)
    may_look_into: list[str] = field(default_factory=list)  # paths of attachments

    def add(
        self, reading: Reading, verdicts: Iterator[Verdict], *, layer: int, permission: Permission
    ) -> int:
        """Add the body of `reading` and of all parts framed in it, in the message's order.

        `verdicts` are those of the framed parts still to come. Returns the last layer added.
        """
        body = self._body(reading, layer=layer, permission=permission)
        outside = outside_code(reading)
        waiting = deque((reading.content.part(frame.path), frame) for frame in reading.frames)
        last = layer
        for block, document in zip(body.choice.blocks, body.frames, strict=True):
            while waiting and waiting[0][0].header_start < block.part.header_start:
                last = self._add_framed(waiting.popleft()[1], verdicts, layer, last + 1, permission)
            self.frames.append(
                {"layer": layer, "document": len(self.documents), "outside": outside}
            )
            self.documents.append(document)
        for _, frame in waiting:
            last = self._add_framed(frame, verdicts, layer, last + 1, permission)
        return last

    def _add_framed(
        self,
        frame: Frame,
        verdicts: Iterator[Verdict],
        within: int,
        layer: int,
        allowed: Permission,
    ) -> int:
        """Add a part with a verdict of its own; nothing remote is ever loaded by it (EFAIL)."""
        verdict = next(verdicts)
        own = permission_for(
            verdict, variant=replace(self.variant, images=False, verified_images=False)
        )
        permission = _narrowed(own, by=allowed)
        # The line of the part stands even where nothing of it can be shown.
        is_plain = frame.reading.is_shown and allowed.html and not permission.html
        self.frames.append({"layer": layer, "within": within, "is_plain": is_plain})
        if not frame.reading.is_shown:
            return layer
        return self.add(frame.reading, verdicts, layer=layer, permission=permission)

    def _body(self, reading: Reading, *, layer: int, permission: Permission) -> Body:
        blocked = self.found.blocked
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
        if layer:
            self.found.blocked = blocked  # nothing of a framed part is ever loaded, so none offered
        self.attachments += body.attachments
        if permission.html:
            self.may_look_into += [each.path for each in body.attachments]
        return body


def make(
    *,
    reading: Reading,
    context: Context,
    variant: Variant,
    addresses: Addresses,
    own_hosts: frozenset[str] = frozenset(),
    around: Acquaintance = STRANGERS,
) -> Rendered:
    """Return the page of a message that was read; `around` is whom its reader knows."""
    verdict = judge(reading.facts, context=context)
    framed = tuple(judge(each.facts, context=context) for each in reading.framed)
    permission = permission_for(verdict, variant=variant)
    assembly = _Assembly(variant=variant, addresses=addresses, own_hosts=own_hosts)
    if reading.is_shown:
        assembly.add(reading, iter(framed), layer=0, permission=permission)
    found = assembly.found
    kept = keep(reading)
    page = _page(reading, verdict, permission, assembly)
    page["verdict"] = words.verdict_json(verdict, framed, kept)
    details = page["details"] = read_details(reading)
    stated = stated_in(verdict, reading.envelope, is_to_many=details["is_to_many"])
    page["aids"] = find_aids(stated, around) if stated is not None else []
    if stated is not None and not around.is_whole:
        page["aids_early"] = stated.to_json()
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
        "frames": assembly.frames,
        "attachments": [
            [each.path, each.filename, each.content_type, each.size, each.is_dangerous]
            for each in assembly.attachments
        ],
        "may_look_into": assembly.may_look_into,
        "images": {
            # One page serves every variant: which of them are shown is the variant's.
            "remote": found.blocked + len(found.images) if may_load else 0,
            "trackers": found.trackers,
            "tracker_hosts": sorted(found.tracker_hosts),
            "may_load": may_load,
            "may_always": may_load and verdict.level == "ok",
        },
        "is_encrypted": any(layer.is_encryption for layer in reading.layers),
        "is_plain_only": not permission.html and bool(assembly.documents or assembly.attachments),
        "has_report": reading.content.root.content_type == "multipart/report",
        "is_junk": assembly.variant.junk,
        "colours": found.colours,
        "asks": asking.facts_of(reading),
        "has_deceptive_links": found.has_deceptive_links,
        "limits": sorted({*found.limits, *reading.content.limits_hit, *reading.message.limits_hit}),
        "header_rows": _header_rows(reading.message),
        "has_more_header": len(reading.message.root.headers.items()) > HEADER_ROWS,
    }


def holds_secrets(reading: Reading) -> bool:
    """Whether anything of this reading came out of an encrypted layer, framed parts included."""
    return any(layer.is_encryption for chain in reading.chains() for layer in chain[-1].layers)


def chain_of(reading: Reading, path: str) -> tuple[Reading, ...]:
    """Return the reading that "layer/path" names behind those it is in; KeyError for none."""
    layer = path.partition("/")[0]
    position = int(layer) if _LAYER.fullmatch(layer) else -1
    chains = list(reading.chains())
    if not 0 <= position < len(chains):
        raise KeyError(path)
    return chains[position]


def part_of(reading: Reading, path: str) -> tuple[Message, Part]:
    """Return the tree and part that "layer/path" names; KeyError if there is none."""
    tree = chain_of(reading, path)[-1].content
    return tree, find_part(tree, path.partition("/")[2])
