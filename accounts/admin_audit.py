"""The audit log: its table, its panel on the overview, its export."""

import csv
import json
from collections.abc import Iterator
from typing import cast

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, StreamingHttpResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import audit
from accounts.admin_forms import ReadOnlyAdmin
from accounts.admin_parts import (
    Panel,
    Section,
    State,
    add_panel,
    list_url,
    may_see,
)
from accounts.admin_words import lines, saying_of, who_of
from accounts.models import AuditEvent, User

SHOWN = 8  # newest entries on the overview
_COLUMNS = ("at", "actor_address", "action", "target", "ip", "reason", "details")
# A spreadsheet would take a cell that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class AuditEventAdmin(ReadOnlyAdmin):
    """Sign-ins, key use and admin acts."""

    section = Section(order=70, name=gettext_lazy("Audit log"), icon="scroll-text", group="audit")
    list_display = ("when", "who", "what", "ip", "reason")
    list_filter = ("action", "at")
    list_select_related = ("actor",)
    search_fields = ("actor_address", "actor__display_name", "target", "action", "reason")
    date_hierarchy = "at"
    ordering = ("-at", "-id")
    fields = ("at", "actor_address", "action", "target", "ip", "reason", "details")

    @admin.display(description=gettext_lazy("when"), ordering="at")
    def when(self, event: AuditEvent) -> str:
        """Say when it was, to the second."""
        return date_format(timezone.localtime(event.at), "j M Y, H:i:s")

    @admin.display(description=gettext_lazy("who"), ordering="actor_address")
    def who(self, event: AuditEvent) -> str:
        """Name who did it."""
        return who_of(event)

    @admin.display(description=gettext_lazy("what"), ordering="action")
    def what(self, event: AuditEvent) -> str:
        """Tell the act in words."""
        saying = saying_of(event)
        return State(saying.kind, saying.icon, str(saying.words)).drawn()

    def found_words(self, event: AuditEvent) -> str:
        """Return how a search shows the entry."""
        at = timezone.localtime(event.at)
        return f"{at:%Y-%m-%d %H:%M} {who_of(event)} {saying_of(event).words}"

    def get_urls(self) -> list[URLPattern | URLResolver]:  # type: ignore[override]
        """Add the export."""
        view = self.admin_site.admin_view(self.export)
        own: list[URLPattern | URLResolver] = [
            path("export/", view, name="accounts_auditevent_export")
        ]
        return [*own, *super().get_urls()]

    def export(self, request: HttpRequest) -> StreamingHttpResponse:
        """Give the entries that the list's search and filters leave, as CSV, newest first."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        chosen = self.get_changelist_instance(request).get_queryset(request)
        rows = list(chosen.values_list("pk", flat=True)[:1])
        newest = rows[0] if rows else 0
        audit.record(
            "audit-exported",
            actor=cast("User", request.user),
            request=request,
            details={"newest": newest, "filters": sorted(request.GET)},
        )
        entries = chosen.filter(pk__lte=newest).values_list(*_COLUMNS).iterator(2000)
        answer = StreamingHttpResponse(_csv(entries), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = 'attachment; filename="audit-log.csv"'
        answer["Cache-Control"] = "private, no-store"
        return answer


class _Echo:
    """A file whose lines are taken where they are written."""

    def write(self, line: str) -> str:
        """Return the line."""
        return line


def _csv(entries: Iterator[tuple[object, ...]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(_COLUMNS)
    for at, *texts, details in entries:
        cells = [str(at), *(str(text or "") for text in texts), json.dumps(details)]
        yield writer.writerow(["'" + cell if cell.startswith(_FORMULA) else cell for cell in cells])


@add_panel
def _panel(request: HttpRequest) -> Panel | None:
    """Show the newest entries."""
    if not may_see(request, AuditEvent):
        return None
    newest = AuditEvent.objects.select_related("actor")[:SHOWN]
    return Panel(
        order=40,
        name="audit",
        template="admin/parts/audit.html",
        values={
            "lines": lines(newest, now=timezone.now()),
            "title": _("Audit log"),
            "all_url": list_url(AuditEvent),
            "export_url": reverse("admin:accounts_auditevent_export"),
        },
    )
