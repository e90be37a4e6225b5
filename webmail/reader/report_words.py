"""Reports about mail that was sent, in words (RFC 3464, RFC 3463, RFC 8098)."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

_HEADLINES = {
    "failed": gettext_lazy("Your message did not reach {name}"),
    "delayed": gettext_lazy("Your message to {name} is late"),
    "delivered": gettext_lazy("Your message reached {name}"),
    "relayed": gettext_lazy("Your message to {name} was passed on"),
    "expanded": gettext_lazy("Your message to the list {name} was passed on to its members"),
    "": gettext_lazy("A server reports about your message to {name}"),
}
# RFC 3463 and its registry: the subject and detail of a status, the class left out.
_REASONS = {
    "1.1": gettext_lazy("There is no such mailbox."),
    "1.2": gettext_lazy("There is no mail for the domain of this address."),
    "1.3": gettext_lazy("The address is not written correctly."),
    "1.6": gettext_lazy("The mailbox has moved and left no new address."),
    "1.10": gettext_lazy("This domain accepts no mail at all."),
    "2.1": gettext_lazy("The mailbox is switched off."),
    "2.2": gettext_lazy("The mailbox is full."),
    "2.3": gettext_lazy("The message is larger than this mailbox accepts."),
    "3.4": gettext_lazy("The message is larger than the other server accepts."),
    "4.1": gettext_lazy("The other server does not answer."),
    "4.2": gettext_lazy("The connection to the other server broke off."),
    "4.4": gettext_lazy("No way to the other server was found."),
    "4.6": gettext_lazy("The message went round in circles."),
    "4.7": gettext_lazy("The message could not be delivered in time."),
    "6.7": gettext_lazy("The other server cannot take this kind of address."),
    "7.1": gettext_lazy("The other server refuses mail from this sender."),
    "7.4": gettext_lazy("The other server demands protection that is not possible."),
    "7.20": gettext_lazy("The message's DKIM signature was not accepted."),
    "7.23": gettext_lazy("The sender check (SPF) failed."),
    "7.26": gettext_lazy("The sender checks (SPF, DKIM) failed."),
}
_SUBJECTS = {
    "1": gettext_lazy("Something is wrong with the address."),
    "2": gettext_lazy("The mailbox does not take the message."),
    "3": gettext_lazy("The other mail system does not take the message."),
    "4": gettext_lazy("The network or the other server had a problem."),
    "5": gettext_lazy("The servers did not understand each other."),
    "6": gettext_lazy("The other server cannot take this kind of content."),
    "7": gettext_lazy("The other server refuses the message by its rules."),
}
_SEEN = {
    "displayed": gettext_lazy("{name}'s program says the message was displayed."),
    "deleted": gettext_lazy("{name}'s program says the message was deleted unread."),
    "dispatched": gettext_lazy("{name}'s program says the message was passed on."),
    "processed": gettext_lazy("{name}'s program says the message was processed."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientView:
    """What became of the mail for one address."""

    headline: str
    reason: str
    diagnostic: str  # the other server's own words
    tone: str  # bad, warn, ok


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportView:
    """A report above the body; `more` further recipients are in the text."""

    recipients: tuple[RecipientView, ...]
    reporter: str
    has_original: bool  # it names the mail it is about
    more: str
    tone: str


def report_view(report: dict[str, Any]) -> ReportView:
    """Return a report of `previews` in words."""
    has_original = bool(report["message_id"] or report["envelope_id"])
    if report["kind"] == "disposition":
        name = report["address"] or _("somebody")
        said = _SEEN.get(report["disposition"], gettext_lazy("{name}'s program sent a receipt."))
        one = RecipientView(
            headline=str(said).format(name=name),
            reason=_("This does not prove that it was read."),
            diagnostic="",
            tone="ok",
        )
        return ReportView(
            recipients=(one,), reporter="", has_original=has_original, more="", tone="ok"
        )
    shown = [_recipient(each) for each in report["recipients"][:10]]
    left = len(report["recipients"]) - len(shown)
    tones = {each.tone for each in shown}
    return ReportView(
        recipients=tuple(shown),
        reporter=report["reporter"],
        has_original=has_original,
        more=_more(left, is_cut=report.get("is_cut", False)),
        tone="bad" if "bad" in tones else "warn" if "warn" in tones else "ok",
    )


def _more(left: int, *, is_cut: bool) -> str:
    if is_cut:
        return _("and more recipients than are counted here; the report names them all")
    if not left:
        return ""
    return ngettext("and {n} more recipient", "and {n} more recipients", left).format(n=left)


def _recipient(each: dict[str, Any]) -> RecipientView:
    action = each["action"]
    name = each["address"] or _("somebody")
    return RecipientView(
        headline=str(_HEADLINES[action]).format(name=name),
        reason=_reason(action, each["status"]),
        diagnostic=each["diagnostic"] if action in {"failed", "delayed", ""} else "",
        tone={"failed": "bad", "delayed": "warn", "": "warn"}.get(action, "ok"),
    )


def _reason(action: str, status: str) -> str:
    if action in {"delivered", "relayed", "expanded"}:
        return ""
    detail = status.partition(".")[2]
    found = _REASONS.get(detail) or _SUBJECTS.get(detail.partition(".")[0])
    said = str(found) if found else _("The other server gives no reason.")
    if action == "delayed":
        return _("{reason} The server keeps trying; you need do nothing.").format(reason=said)
    return said
