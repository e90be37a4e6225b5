"""What the admin panel is made of: sections of its sidebar, figures and panels of its overview.

Apps above this one add their parts by the functions here, because accounts knows none of them.
A part is shown only to people whose permissions reach what it counts or lists.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from django.db.models import Model
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.safestring import SafeString, SafeText

type Words = str | Promise
Kind = Literal["ok", "warn", "bad", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Where a table stands in the sidebar; tables of one `group` share a line and become tabs."""

    order: int
    name: Words
    icon: str
    group: str
    tab: Words = ""
    is_counted: bool = False
    # The rights that do something here, in Django's words; others are not offered.
    rights: tuple[str, ...] = ("view",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number of the overview, what it counts and where those are listed."""

    order: int
    count: int
    words: str
    url: str = ""
    is_warning: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A card of the overview; `values` is what its template draws."""

    order: int
    name: str  # a word for its id
    template: str
    values: dict[str, object] = field(default_factory=dict)
    width: Literal["full", "narrow", "wide"] = "full"


@dataclass(frozen=True, slots=True)
class State:
    """A finding in a table's cell: a shape and a word, never a colour alone."""

    kind: Kind
    icon: str
    words: str

    def drawn(self) -> SafeText:
        """Return it as markup."""
        return SafeString(render_to_string("admin/parts/state.html", {"state": self}))


type FigureSource = Callable[[HttpRequest], Iterable[Figure]]
type PanelSource = Callable[[HttpRequest], Panel | None]
figure_sources: list[FigureSource] = []
panel_sources: list[PanelSource] = []


def add_figures(source: FigureSource) -> FigureSource:
    """Show the figures of `source` on the overview, after those that are there."""
    figure_sources.append(source)
    return source


def add_panel(source: PanelSource) -> PanelSource:
    """Show the panel of `source` on the overview, unless it is None for this person."""
    panel_sources.append(source)
    return source


def names_of(model: type[Model]) -> tuple[str, str]:
    """Return a table's app and name as permissions and addresses spell them."""
    options = model._meta  # noqa: SLF001 - documented by Django under this name
    return options.app_label, options.model_name or ""


def list_url(model: type[Model], **query: str) -> str:
    """Return the address of a table's list, with a query."""
    return reverse("admin:{}_{}_changelist".format(*names_of(model)), query=query or None)


def may(request: HttpRequest, right: str, model: type[Model]) -> bool:
    """Say whether the person has the right ("view", "change", …) to a table's rows."""
    return request.user.has_perm(f"{names_of(model)[0]}.{right}_{names_of(model)[1]}")


def may_see(request: HttpRequest, model: type[Model]) -> bool:
    """Say whether the person may look at a table: who may change it may see it, as in Django."""
    return may(request, "view", model) or may(request, "change", model)


def short_time(at: datetime | None, *, now: datetime | None = None) -> str:
    """Return "09:41" today, "Thu" this week, "8 Oct" this year, else with the year; "" for None."""
    if at is None:
        return ""
    local, today = timezone.localtime(at), timezone.localtime(now or timezone.now())
    days = (today.date() - local.date()).days
    if days == 0:
        return f"{local:%H:%M}"
    if 0 < days < 7:
        return date_format(local, "D")
    is_near = local.year == today.year and local < today + timedelta(days=1)
    return date_format(local, "j M" if is_near else "j M Y")


def day(at: datetime | None) -> str:
    """Return "14 Mar 2027"; "" for None."""
    return date_format(timezone.localtime(at), "j M Y") if at is not None else ""
