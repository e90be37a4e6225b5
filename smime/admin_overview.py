"""The overview's panels about certificates: people, what expires when, whom the site trusts."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from django.db.models import Case, F, IntegerField, Value, When
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.admin_parts import (
    Figure,
    Panel,
    State,
    add_figures,
    add_panel,
    list_url,
    may,
    may_see,
    short_time,
)
from accounts.admin_people import role_of, seen
from accounts.models import User
from smime.admin_people import with_current_key, with_ending_key
from smime.admin_states import ENDS_SOON, standings_of_people
from smime.models import OwnKey, TrustAnchor

SHOWN_PEOPLE = 5
SHOWN_ANCHORS = 4
MONTHS = 12
TALLEST = 70  # percent of the chart: its numbers and names need the rest
_STATES = {
    TrustAnchor.State.TRUSTED: ("ok", "check", "anchor"),
    TrustAnchor.State.LIMITED: ("none", "seal-none", "anchor"),
    TrustAnchor.State.BLOCKED: ("bad", "circle-x", "ban"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One month of the chart. `height` is in percent of the chart's own."""

    month: str  # "Dec"
    whole_month: str  # "December 2026"
    count: int
    height: int
    ends_soon: bool
    url: str


def months_from(now: datetime) -> list[datetime]:
    """Return the beginnings of this month and the twelve after it, in local time. Pure."""
    first = timezone.localtime(now).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    starts = [first]
    for _month in range(MONTHS):
        starts.append((starts[-1] + timedelta(days=32)).replace(day=1))
    return starts


def bars(ends: list[datetime], *, now: datetime) -> list[Bar]:
    """Count the ends of certificates by month, from this one on; those past are left out."""
    starts = months_from(now)
    months = list(pairwise(starts))
    ahead = [end for end in ends if end > now]
    counts = [sum(start <= end < until for end in ahead) for start, until in months]
    tallest = max(counts, default=0) or 1
    return [
        Bar(
            month=date_format(start, "M"),
            whole_month=date_format(start, "F Y"),
            count=count,
            height=round(TALLEST * count / tallest),
            ends_soon=any(start <= end < until and end <= now + ENDS_SOON for end in ahead),
            url=list_url(
                OwnKey,
                is_current__exact="1",
                not_after__gte=max(start, timezone.localtime(now)).isoformat(),
                not_after__lt=until.isoformat(),
            ),
        )
        for (start, until), count in zip(months, counts, strict=True)
    ]


def anchor_state(anchor: TrustAnchor) -> State:
    """Return what the installation thinks of an authority, as a cell shows it."""
    kind, icon, _picture = _STATES[TrustAnchor.State(anchor.state)]
    words = (
        _("Limited") if anchor.state == TrustAnchor.State.LIMITED else anchor.get_state_display()
    )
    return State(kind, icon, str(words))  # type: ignore[arg-type]


def anchor_reach(anchor: TrustAnchor) -> str:
    """Say for whose mail an authority counts."""
    match anchor.state:
        case TrustAnchor.State.LIMITED:
            return _("Only {domains}").format(domains=", ".join(anchor.domains))
        case TrustAnchor.State.BLOCKED:
            return _("Nobody. Its signers are refused")
        case _other:
            return _("Anyone whose address its certificates name")


@add_figures
def _figures(request: HttpRequest) -> list[Figure]:
    """Count who can sign and encrypt, who cannot, and whose certificate expires soon."""
    if not (may_see(request, User) and may_see(request, OwnKey)):
        return []
    people = User.objects.filter(is_active=True)
    able = people.filter(with_current_key(can_sign=True), with_current_key(can_encrypt=True))
    without = people.exclude(with_current_key()).count()
    ending = people.filter(with_ending_key()).count()
    query = {"is_active__exact": "1"}
    return [
        Figure(
            order=20,
            count=able.count(),
            words=_("can sign and encrypt"),
            url=list_url(User, certificate="current", **query),
        ),
        Figure(
            order=20,
            count=without,
            words=ngettext("has no certificate", "have no certificate", without),
            url=list_url(User, certificate="none", **query),
        ),
        Figure(
            order=20,
            count=ending,
            words=ngettext("expires within 30 days", "expire within 30 days", ending),
            url=list_url(User, certificate="ending", **query),
            is_warning=ending > 0,
        ),
    ]


@add_panel
def _people(request: HttpRequest) -> Panel | None:
    """Show whose certificate needs attention, then who was here last."""
    if not (may_see(request, User) and may_see(request, OwnKey)):
        return None
    now = timezone.now()
    needs = Case(
        When(with_ending_key(), then=Value(0)), default=Value(1), output_field=IntegerField()
    )
    active = User.objects.filter(is_active=True)
    ordered = (
        seen(active)
        .annotate(needs=needs)
        .order_by("needs", F("seen_at").desc(nulls_last=True), "address")
    )
    people = list(ordered[:SHOWN_PEOPLE])
    found = standings_of_people(people, now=now)
    rows = [
        {
            "person": person,
            "url": reverse("admin:accounts_user_change", args=[person.pk]),
            "standing": found[person.pk],
            "role": role_of(person),
            "seen": short_time(getattr(person, "seen_at"), now=now),  # noqa: B009 - annotated
        }
        for person in people
    ]
    return Panel(
        order=10,
        name="people",
        template="admin/parts/people.html",
        values={
            "title": _("Users"),
            "count": User.objects.count(),
            "rows": rows,
            "all_url": list_url(User),
        },
    )


@add_panel
def _expiry(request: HttpRequest) -> Panel | None:
    """Draw how many certificates in use expire in each month."""
    if not may_see(request, OwnKey):
        return None
    now = timezone.now()
    keys = OwnKey.objects.filter(
        is_current=True, not_after__gt=now, not_after__lt=months_from(now)[-1]
    )
    drawn = bars(list(keys.values_list("not_after", flat=True)), now=now)
    return Panel(
        order=20,
        name="expiry",
        template="admin/parts/expiry.html",
        width="narrow",
        values={
            "title": _("Certificates that expire"),
            "bars": drawn,
            "total": sum(bar.count for bar in drawn),
        },
    )


@add_panel
def _anchors(request: HttpRequest) -> Panel | None:
    """Show whom the installation trusts."""
    if not may_see(request, TrustAnchor):
        return None
    refused = Case(When(state=TrustAnchor.State.BLOCKED, then=Value(1)), default=Value(0))
    rows = [
        {
            "anchor": anchor,
            "url": reverse("admin:smime_trustanchor_change", args=[anchor.pk]),
            "icon": _STATES[TrustAnchor.State(anchor.state)][2],
            "state": anchor_state(anchor),
            "reach": anchor_reach(anchor),
        }
        for anchor in TrustAnchor.objects.order_by(refused, "name", "pk")[:SHOWN_ANCHORS]
    ]
    add_url = reverse("admin:smime_trustanchor_add") if may(request, "add", TrustAnchor) else ""
    return Panel(
        order=30,
        name="anchors",
        template="admin/parts/anchors.html",
        width="wide",
        values={
            "title": _("Trust anchors"),
            "count": TrustAnchor.objects.count(),
            "rows": rows,
            "add_url": add_url,
            "all_url": list_url(TrustAnchor),
        },
    )
