"""Signet's admin site: Django's own tables, forms and permissions behind Signet's overview.

Sections of the sidebar are declared by the tables themselves (`section`), figures and panels of the
overview by accounts.admin_parts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, override

from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.auth.models import Group
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts import audit, session_limits, signin
from accounts.admin_parts import (
    Section,
    Words,
    figure_sources,
    list_url,
    may_see,
    panel_sources,
)
from accounts.models import MailAccount, User

type Table = ModelAdmin[Any]  # evaluated by type checkers only

FOUND_AT_ONCE = 8  # rows of one table on the page of a search
SEARCH_LIMIT = 200  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A line of the sidebar, or one of the tabs that share it."""

    name: Words
    url: str
    icon: str = ""
    count: int | None = None
    is_current: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search found in one table."""

    name: str
    icon: str
    rows: list[tuple[str, str]]  # words and address of each row
    count: int
    all_url: str


class SignetAdminSite(AdminSite):
    """The admin panel."""

    site_header = gettext_lazy("Signet administration")
    site_title = gettext_lazy("Signet administration")
    index_title = gettext_lazy("Overview")
    enable_nav_sidebar = False
    password_change_template = "admin/password_change.html"  # noqa: S105 - a template's name
    password_change_done_template = "admin/password_change_done.html"  # noqa: S105 - likewise

    @override
    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Take in every table but Django's groups: rights are given to people one by one."""
        models = [model_or_iterable] if isinstance(model_or_iterable, type) else model_or_iterable
        wanted = [model for model in models if model is not Group]
        super().register(wanted, admin_class, **options)

    @override
    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Add the search over all tables."""
        return [path("search/", self.admin_view(self.search), name="search"), *super().get_urls()]

    @override
    def each_context(self, request: Any) -> dict[str, Any]:
        """Add the sidebar, the tabs and the line about mail servers."""
        context = super().each_context(request)
        if not self.has_permission(request):
            return context
        lines, tabs = self._links(request)
        return {
            **context,
            "sidebar": lines,
            "tabs": tabs,
            "servers_line": _servers_line(request),
            "can_search": any(table.search_fields for table, _section in self.tables(request)),
        }

    def tables(self, request: HttpRequest) -> list[tuple[Table, Section]]:
        """Return the tables that this person may look at, in the sidebar's order."""
        found = [
            (table, table.section)
            for table in self._registry.values()
            if hasattr(table, "section") and table.has_view_or_change_permission(request)
        ]
        return sorted(found, key=lambda one: one[1].order)

    def _links(self, request: HttpRequest) -> tuple[list[Link], list[Link]]:
        home = reverse("admin:index")
        lines = [
            Link(
                name=_("Overview"),
                url=home,
                icon="layout-dashboard",
                is_current=request.path == home,
            )
        ]
        groups: dict[str, list[tuple[Table, Section]]] = {}
        for table, section in self.tables(request):
            groups.setdefault(section.group, []).append((table, section))
        tabs: list[Link] = []
        for members in groups.values():
            links = [
                Link(
                    name=section.tab or section.name,
                    url=list_url(table.model),
                    is_current=request.path.startswith(list_url(table.model)),
                )
                for table, section in members
            ]
            is_current = any(link.is_current for link in links)
            table, section = members[0]
            lines.append(
                Link(
                    name=section.name,
                    url=links[0].url,
                    icon=section.icon,
                    count=table.get_queryset(request).count() if section.is_counted else None,
                    is_current=is_current,
                )
            )
            if is_current and len(links) > 1:
                tabs = links
        return lines, tabs

    @override
    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Show the overview: figures, then panels, as far as the person may see them."""
        figures = [figure for source in figure_sources for figure in source(request)]
        panels = [panel for source in panel_sources if (panel := source(request)) is not None]
        context = {
            "figures": sorted(figures, key=lambda figure: figure.order),
            "panels": sorted(panels, key=lambda panel: panel.order),
            "can_add_user": request.user.has_perm("accounts.add_user"),
            **(extra_context or {}),
        }
        return super().index(request, context)

    @override
    def app_index(  # type: ignore[override] # Django's stubs know pages only, not redirects
        self, request: HttpRequest, app_label: str, extra_context: Any = None
    ) -> HttpResponse:
        """Lead to the overview: how Signet is divided into apps is nobody's business."""
        return redirect("admin:index")

    def search(self, request: HttpRequest) -> TemplateResponse:
        """Search every table that the person may see, by each table's own search."""
        wanted = request.GET.get("q", "").strip()[:SEARCH_LIMIT]
        found = [
            self._found(request, table, section, wanted)
            for table, section in self._searched(request, wanted)
        ]
        context = {
            **self.each_context(request),
            "title": _("Search"),
            "wanted": wanted,
            "found": [one for one in found if one.count],
        }
        return TemplateResponse(request, "admin/search.html", context)

    def _searched(self, request: HttpRequest, wanted: str) -> Iterable[tuple[Table, Section]]:
        if not wanted:
            return []
        return [one for one in self.tables(request) if one[0].search_fields]

    def _found(self, request: HttpRequest, table: Table, section: Section, wanted: str) -> Found:
        rows: QuerySet[Model]
        rows, has_duplicates = table.get_search_results(
            request, table.get_queryset(request).order_by(*table.get_ordering(request)), wanted
        )
        if has_duplicates:
            rows = rows.distinct()
        options = table.opts
        name = f"admin:{options.app_label}_{options.model_name}_change"
        return Found(
            name=str(capfirst(options.verbose_name_plural)),
            icon=section.icon,
            rows=[
                (_row_words(table, row), reverse(name, args=[row.pk]))
                for row in rows[:FOUND_AT_ONCE]
            ],
            count=rows.count(),
            all_url=list_url(table.model, q=wanted),
        )

    @override
    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseRedirect:
        """Send people to the one sign-in there is, with its throttle; refuse who may not enter."""
        del extra_context
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next") or request.get_full_path())

    @override
    def logout(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:  # type: ignore[override]
        """End the session as everywhere else in Signet."""
        if request.method != "POST":
            return redirect("admin:index")
        signin.sign_out(request)
        return redirect("accounts:sign-in")

    @override
    def password_change(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:  # type: ignore[override]
        """Change the own local password; every other session of the person ends."""
        user = request.user
        if not (isinstance(user, User) and user.has_usable_password()):
            raise PermissionDenied
        answer = super().password_change(request, extra_context)
        if request.method == "POST" and answer.status_code == 302:
            session_limits.end_others(request, user)
            audit.record("password-changed", actor=user, request=request)
        return answer


def _row_words(table: Table, row: Model) -> str:
    words = getattr(table, "found_words", None)
    return str(words(row)) if words is not None else str(row)


def _servers_line(request: HttpRequest) -> dict[str, str] | None:
    """Say what workers last heard of the mail servers; None where the person may not know."""
    if not may_see(request, MailAccount):
        return None
    away = MailAccount.objects.filter(state=MailAccount.State.UNREACHABLE).count()
    if away:
        words = ngettext(
            "{count} mail account cannot be reached",
            "{count} mail accounts cannot be reached",
            away,
        )
        return {"icon": "unplug", "kind": "bad", "words": words.format(count=away)}
    if MailAccount.objects.filter(state=MailAccount.State.ACTIVE).exists():
        return {"icon": "cloud-check", "kind": "ok", "words": _("Mail servers answer")}
    return None
