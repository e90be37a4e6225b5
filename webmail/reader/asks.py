"""The lines above the body for what a message asks: leave its list, send a receipt."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import unquote

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.models import Identity, User
from webmail.html.hosts import http_host
from webmail.html.links import safe_mailto
from webmail.mailbox import standing
from webmail.mailbox.models import Message
from webmail.reader import unsubscribing
from webmail.reader.models import ReceiptAnswer, Unsubscription
from webmail.reader.presenting import PersonView
from webmail.reader.signals import asked_what_failed

_SENTENCES = {
    "done": gettext_noop("You unsubscribed from {name} on {day}."),
    "prepared": gettext_noop("You opened a mail to unsubscribe from {name} on {day}."),
    "unverified": gettext_noop(
        "Nothing was sent: it could not be proven that {name} itself put this address here."
    ),
    "refused": gettext_noop("{host} did not accept the request."),
    "unreached": gettext_noop("{host} could not be reached. Nothing was sent."),
    "unsure": gettext_noop(
        "{host} was asked and did not answer. It may have worked; asking again does no harm."
    ),
    "waiting": gettext_noop("Asking {host} to take you off the list."),
}
type Tone = Literal["ok", "warn", ""]
_TONES: dict[str, Tone] = {"": "", "done": "ok", "prepared": "ok", "waiting": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsubscribeView:
    """Ways out of the list, and what came of the last try."""

    name: str
    host: str  # for one click; empty if that is not offered
    mail_to: str  # the address that the mail would go to
    page_url: str
    page_host: str
    said: str  # what was done, in a sentence
    tone: Tone
    is_waiting: bool

    @property
    def is_offered(self) -> bool:
        """Whether there is any way."""
        return bool(self.host or self.mail_to or self.page_url)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptView:
    """A request for a receipt, or what was answered."""

    state: Literal["asked", "sent", "declined"]
    who: str
    to: tuple[PersonView, ...]
    differs_from: str  # the address that the mail came from, when the receipt goes elsewhere


@dataclass(frozen=True, slots=True, kw_only=True)
class AsksView:
    """Both; where one is None there is nothing to show."""

    unsubscribe: UnsubscribeView | None
    receipt: ReceiptView | None
    pending_url: str  # where the page asks again by itself; empty if there is nothing to wait for


def asks_view(
    user: User, message: Message, asks: dict[str, Any] | None, *, is_junk: bool, sender: PersonView
) -> AsksView | None:
    """Return what is shown of `page["asks"]`; None for nothing.

    Junk is offered no way to answer: either would tell its sender that somebody reads it.
    """
    if not asks or is_junk:
        return None
    unsubscribe = _unsubscribe(user, message, asks["list"], sender) if asks["list"] else None
    receipt = _receipt(user, message, asks["receipt"], sender) if asks["receipt"] else None
    if unsubscribe is None and receipt is None:
        return None
    waits = unsubscribe is not None and unsubscribing.to_carry_out(user, message) is not None
    url = reverse("reader:asks", args=[message.pk]) if waits else ""
    return AsksView(unsubscribe=unsubscribe, receipt=receipt, pending_url=url)


def _unsubscribe(
    user: User, message: Message, asks: dict[str, Any], sender: PersonView
) -> UnsubscribeView | None:
    name = asks["name"] or sender.shown
    row = unsubscribing.found(user, unsubscribing.list_key(asks, message))
    state = _state(row)
    page_url, page_host = _page(asks["web"])
    view = UnsubscribeView(
        name=name,
        host=unsubscribing.one_click_host(asks),
        mail_to=mail_recipient(asks["mail"]),
        page_url=page_url,
        page_host=page_host,
        said=_said(row, state, name) if row is not None else "",
        tone=_TONES.get(state, "warn"),
        is_waiting=state == "waiting",
    )
    return view if view.is_offered or view.said else None


def _state(row: Unsubscription | None) -> str:
    if row is None:
        return ""
    if unsubscribing.is_waiting(row, now=timezone.now()):
        return "waiting"
    if row.state == Unsubscription.State.RUNNING:  # whoever began never came back
        return "unsure"
    return "unreached" if row.state == Unsubscription.State.ASKED else str(row.state)


def _said(row: Unsubscription, state: str, name: str) -> str:
    day = timezone.localtime(row.finished_at or row.asked_at)
    words = {"name": name, "host": row.host, "day": date_format(day, "j F Y")}
    return str(_(_SENTENCES[state])).format(**words)


def mail_url(uris: Sequence[str]) -> str:
    """Return the first mailto URI, rebuilt with to, cc, subject and body only; else empty."""
    for uri in uris:
        made = safe_mailto(uri.partition(":")[2])
        if "@" in made:
            return made
    return ""


def mail_recipient(uris: Sequence[str]) -> str:
    """Return whom that mail would go to."""
    return unquote(mail_url(uris).removeprefix("mailto:").partition("?")[0])[:320]


def _page(uris: Sequence[str]) -> tuple[str, str]:
    """Return the first web address that may be a link, and the host it really leads to."""
    own = http_host(settings.PUBLIC_URL) if settings.PUBLIC_URL else None
    for uri in uris:
        host = http_host(uri)
        if host is None or host.has_userinfo or (own is not None and host.name == own.name):
            continue
        return uri, host.name
    return "", ""


def _receipt(
    user: User, message: Message, asks: dict[str, Any], sender: PersonView
) -> ReceiptView | None:
    mine = Identity.objects.filter(user=user).values_list("address", flat=True)
    own = {address.lower() for address in (user.address, *mine)}
    to = tuple(PersonView(name=name, address=address) for name, address in asks["to"])
    if message.from_address.lower() in own or any(each.address.lower() in own for each in to):
        return None
    answer = ReceiptAnswer.objects.filter(message=message).first()
    if answer is None and standing.is_receipt_answered(message):
        return None  # by another program
    came_from = asks["return_path"] or sender.address
    is_elsewhere = {each.address.lower() for each in to} != {sender.address.lower()}
    return ReceiptView(
        state=receipt_state(answer),
        who=sender.shown,
        to=to,
        differs_from=came_from if asks["return_path"] or is_elsewhere else "",
    )


def receipt_state(answer: ReceiptAnswer | None) -> Literal["asked", "sent", "declined"]:
    """Say what was answered; "asked" while nothing was, and when the receipt did not go out."""
    if answer is None or _has_failed(answer):
        return "asked"
    return "sent" if answer.answer == ReceiptAnswer.Answer.SENT else "declined"


def _has_failed(answer: ReceiptAnswer) -> bool:
    """Whether the mail that carries it did not go out."""
    if answer.envelope_id is None:
        return False
    said = asked_what_failed.send(ReceiptAnswer, envelope_ids={answer.envelope_id})
    failed: set[object] = {each for _receiver, found in said for each in found or ()}
    return answer.envelope_id in failed
