"""Which hints a page shows about a sender: one line at most above the body, the rest in Details.

Hints come from `aids` (kept with the page) and from the moment of reading: whether the person heard
from the sender before, and what their mail server found.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from django.db.models import Exists
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.prepared import Prepared
from smime import words as catalogue
from smime.pki.addresses import canonical_address
from webmail.mailbox.models import Message
from webmail.reader import acquaintance, authentication
from webmail.reader.aids import Found, Stated, find_aids
from webmail.reader.authentication import Finding
from webmail.reader.presenting import VerdictView

# From the gravest; what is not here is not said.
_WORDS = {
    "domain-passes-for": gettext_lazy(
        "This comes from {domain}, which looks like {known} but is not."
    ),
    "domain-disguised": gettext_lazy(
        "This comes from {domain}, written with letters that pass for others."
    ),
    "name-holds-address": gettext_lazy(
        "The sender's name holds another address. This comes from {address}."
    ),
    "dmarc-failed": gettext_lazy(
        "{server} could not confirm that this comes from {domain}. Someone else may have sent it."
    ),
    "name-passes-for": gettext_lazy(
        "You know {name} as {known}. This comes from another address, {address}."
    ),
    "replies-elsewhere": gettext_lazy("Replies go to {address}, not to {domain}."),
    "first-contact": gettext_lazy("This is the first message from {address}."),
}
_RANK = {code: rank for rank, code in enumerate(_WORDS)}
_QUIET = {"replies-elsewhere", "first-contact"}
# A good signature says who wrote it: what is left to say is whose look-alike that is.
_BESIDE_A_SIGNATURE = {"domain-passes-for", "domain-disguised"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AidView:
    """A hint in words."""

    code: str
    tone: Literal["warn", "quiet"]
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AidsView:
    """The hints of a message."""

    line: AidView | None = None
    more: tuple[AidView, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the choice depends on of an opened message."""

    user: User
    message: Message
    page: dict[str, Any]
    found: Sequence[Finding]  # of trusted servers
    is_received: bool  # servers noted that they passed it on


def aids_view(asked: Asked) -> AidsView:
    """Choose and word the hints; at most five queries, none without a single sender.

    Five more where the page was made while the person's mail was still coming in.
    """
    page = asked.page
    sender = canonical_address(page["from"][0][1]) if len(page["from"]) == 1 else ""
    if not sender:
        return AidsView()
    is_to_many = page["details"]["is_to_many"]
    said = [(code, dict(values)) for code, values in _found(asked)]
    is_own = sender in acquaintance.own_addresses(asked.user)
    failed = authentication.failed_dmarc(asked.found, sender) if asked.is_received else None
    if failed is not None and not is_to_many:
        said.append(("dmarc-failed", {"server": failed[0], "domain": failed[1]}))
    if not is_own and _is_first(asked, sender):
        said.append(("first-contact", {"address": sender}))
    views = [_view(code, values) for code, values in sorted(said, key=lambda each: _RANK[each[0]])]
    level = page["verdict"]["level"]
    line = next((each for each in views if _may_lead(each, level, is_to_many=is_to_many)), None)
    return AidsView(line=line, more=tuple(each for each in views if each is not line))


def _found(asked: Asked) -> Sequence[Found]:
    """Return the page's own hints, found again if it was made too early to know whom one knows."""
    early = asked.page.get("aids_early")
    if early is None:
        found: list[Found] = asked.page["aids"]
        return found
    stated = Stated.from_json(early)
    return find_aids(stated, acquaintance.acquaintance_of(asked.user, stated.sender.address))


def without_said(verdict: VerdictView, aids: AidsView) -> VerdictView:
    """Return the verdict without the note that the hint below it says again."""
    if aids.line is None or aids.line.code != "name-holds-address" or not verdict.is_quiet:
        return verdict
    note = _(catalogue.NOTES["name-holds-other-address"])
    return replace(verdict, notes=tuple(each for each in verdict.notes if each != note))


def _may_lead(view: AidView, level: str, *, is_to_many: bool) -> bool:
    """Say whether a hint may stand above the body."""
    if level == "bad":
        return False  # the panel says what matters
    if level == "ok":
        return view.code in _BESIDE_A_SIGNATURE
    return not (is_to_many and view.code == "first-contact")


def _view(code: str, values: dict[str, str]) -> AidView:
    return AidView(
        code=code,
        tone="quiet" if code in _QUIET else "warn",
        sentence=str(_WORDS[code]).format(**values),
    )


# Whether mail of an address, spelt in three ways, came before; whether there may be more of it.
_BEFORE = Prepared(
    lambda user, one, another, third, at, content_key: User.objects.filter(pk=user).values_list(
        Exists(
            Message.objects.filter(
                account__user_id=user,
                from_address__in=(one, another, third),
                internal_date__lt=at,
            ).exclude(content_key=content_key)
        ),
        Exists(acquaintance.coming_in(user)),
    )
)


def _is_first(asked: Asked, sender: str) -> bool:
    """Say whether nobody of this address wrote before and the person never wrote to it.

    Not known, and so not said, while older mail is still coming in.
    """
    message = asked.message
    written = sender, asked.page["from"][0][1], message.from_address
    found = _BEFORE.first(asked.user.pk, *written, message.internal_date, message.content_key)
    has_earlier, is_incomplete = found or (False, False)
    if has_earlier or is_incomplete:
        return False
    return not acquaintance.has_written_to(asked.user, sender)
