"""Signet's admin site: Django's own, under Signet's name, with figures on its first page.

Apps above this one add their figures by `add_figures`, because accounts knows none of them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.models import MailAccount, User


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of the overview and what it counts."""

    count: int
    words: str
    is_warning: bool = False


type FigureSource = Callable[[], Iterable[Figure]]
_sources: list[FigureSource] = []


def add_figures(source: FigureSource) -> FigureSource:
    """Show the figures of `source` on the overview, after those of accounts."""
    _sources.append(source)
    return source


def _own_figures() -> list[Figure]:
    people = User.objects.filter(is_active=True).count()
    troubled = MailAccount.objects.filter(
        state__in=[MailAccount.State.UNREACHABLE, MailAccount.State.AUTH_FAILED]
    ).count()
    return [
        Figure(people, ngettext("user", "users", people)),
        Figure(
            troubled,
            ngettext("mailbox with a problem", "mailboxes with a problem", troubled),
            is_warning=troubled > 0,
        ),
    ]


class SignetAdminSite(AdminSite):
    """The admin panel."""

    site_header = _("Signet administration")
    site_title = _("Signet administration")
    index_title = _("Overview")

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Show the overview with its figures."""
        figures = [*_own_figures(), *(figure for source in _sources for figure in source())]
        return super().index(request, {"overview": figures, **(extra_context or {})})

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseRedirect:
        """Send people to the one sign-in there is, with its throttle; refuse who may not enter."""
        del extra_context
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next") or request.get_full_path())
