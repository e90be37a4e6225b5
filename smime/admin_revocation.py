"""Where withdrawals are asked about: what came last, what went wrong, "ask again now"."""

from datetime import datetime
from typing import Any, cast

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.admin_forms import ReadOnlyAdmin
from accounts.admin_parts import (
    Figure,
    Section,
    State,
    add_figures,
    list_url,
    may,
    may_see,
    short_time,
)
from accounts.models import User
from smime import revocation
from smime.problems import revocation_problem
from smime.revocation_models import RevocationSource

SHOWN_AFTER = 3  # failures in a row before the overview speaks of an address


def source_state(source: RevocationSource, *, now: datetime) -> State:
    """Return how an address answers, as a cell shows it."""
    if source.failures:
        return State("warn", "triangle-alert", _("Does not answer"))
    if source.fetched_at is None:
        return State("none", "hourglass", _("Not asked yet"))
    if source.until is not None and source.until <= now:
        return State("none", "clock-alert", _("Out of date"))
    return State("ok", "check", _("Answers"))


class RevocationSourceAdmin(ReadOnlyAdmin):
    """The addresses that certificates on trusted paths name."""

    section = Section(
        order=35,
        name=gettext_lazy("Withdrawals"),
        icon="refresh-cw",
        group="withdrawals",
        rights=("view", "change"),
    )
    change_list_template = "admin/smime/revocationsource/change_list.html"
    list_display = ("place", "watched", "state", "words", "answered", "fresh_until", "again")
    list_filter = ("kind",)
    search_fields = ("url", "problem")
    ordering = ("-failures", "url", "pk")
    fields = (
        "url",
        "kind",
        "watched",
        "state",
        "fetched_at",
        "until",
        "failures",
        "words",
        "next_at",
    )
    readonly_fields = ("watched", "state", "words")
    actions = ("ask_again",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[RevocationSource]:
        """Count the certificates of each; the lists themselves, up to 16 MiB, are not loaded."""
        rows: QuerySet[RevocationSource] = super().get_queryset(request)
        return rows.defer("content").annotate(watched_count=Count("certificates"))

    @admin.display(description=gettext_lazy("address"), ordering="url")
    def place(self, source: RevocationSource) -> str:
        """Show the address, and what is found there."""
        return format_html("{}<small>{}</small>", source.url, source.get_kind_display())

    @admin.display(description=gettext_lazy("certificates"), ordering="watched_count")
    def watched(self, source: Any) -> int:
        """Count the certificates that name it."""
        return int(source.watched_count)

    @admin.display(description=gettext_lazy("state"), ordering="failures")
    def state(self, source: RevocationSource) -> str:
        """Say how it answers."""
        return source_state(source, now=timezone.now()).drawn()

    @admin.display(description=gettext_lazy("last answer"), ordering="fetched_at")
    def answered(self, source: RevocationSource) -> str:
        """Say when something that counts came last."""
        return short_time(source.fetched_at) or _("Never")

    @admin.display(description=gettext_lazy("next update"), ordering="until")
    def fresh_until(self, source: RevocationSource) -> str:
        """Say until when the last answer counts."""
        return _ahead(source.until)

    @admin.display(description=gettext_lazy("last problem"), ordering="problem")
    def words(self, source: RevocationSource) -> str:
        """Say what went wrong last, in words."""
        return revocation_problem(source.problem) if source.problem else ""

    @admin.display(description=gettext_lazy("asked again"), ordering="next_at")
    def again(self, source: RevocationSource) -> str:
        """Say when it is asked again."""
        return _ahead(source.next_at) if source.next_at else _("When it is needed")

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Say whether the person may have addresses asked; the rows themselves are not edited."""
        return may(request, "change", RevocationSource)

    @admin.action(description=gettext_lazy("Ask again now"), permissions=["operate"])
    def ask_again(self, request: HttpRequest, sources: QuerySet[RevocationSource]) -> None:
        """Have a worker ask the chosen addresses now."""
        if not settings.FETCH_REVOCATION:
            words = _("Nothing is asked here: SIGNET_FETCH_REVOCATION forbids it.")
            self.message_user(request, words, messages.WARNING)
            return
        count = revocation.ask_again(sources, actor=cast("User", request.user), request=request)
        if count:
            words = ngettext(
                "{count} address is being asked.", "{count} addresses are being asked.", count
            )
            self.message_user(request, words.format(count=count), messages.SUCCESS)
        else:
            words = _("Nobody needs it now: no certificate on a trusted path names it any more.")
            self.message_user(request, words, messages.WARNING)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Show the rules in force beside the table."""
        context = {
            "fetches": settings.FETCH_REVOCATION,
            "demands": settings.DEMAND_REVOCATION,
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)


def _ahead(moment: datetime | None) -> str:
    """Return "14 Mar 2027, 09:41"; "" for None."""
    return date_format(timezone.localtime(moment), "j M Y, H:i") if moment is not None else ""


@add_figures
def _figures(request: HttpRequest) -> list[Figure]:
    """Count addresses that keep failing, if there are any."""
    if not may_see(request, RevocationSource):
        return []
    count = RevocationSource.objects.filter(failures__gte=SHOWN_AFTER).count()
    if not count:
        return []
    words = ngettext(
        "revocation address does not answer", "revocation addresses do not answer", count
    )
    url = list_url(RevocationSource)
    return [Figure(order=40, count=count, words=words, url=url, is_warning=True)]
