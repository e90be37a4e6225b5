"""Users with their certificates: columns of the list, a filter, a table on each person's page."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.admin_parts import may_see
from accounts.admin_people import UserAdmin
from accounts.models import User
from smime.admin_states import ENDS_SOON, standings, standings_of_people
from smime.models import OwnKey


def with_current_key(**conditions: object) -> Exists:
    """Return the condition that a person has a key in use that is valid now."""
    now = timezone.now()
    keys = OwnKey.objects.filter(
        user=OuterRef("pk"), is_current=True, not_before__lte=now, not_after__gt=now
    )
    return Exists(keys.filter(**conditions))


def with_ending_key() -> Exists:
    """Return the condition that a person has a key in use that expires soon."""
    return with_current_key(not_after__lte=timezone.now() + ENDS_SOON)


class CertificateFilter(admin.SimpleListFilter):
    """People by how their certificate stands."""

    title = _("certificate")
    parameter_name = "certificate"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:  # noqa: ARG002
        """Return the choices."""
        return [
            ("current", _("Can sign and encrypt")),
            ("ending", _("Expires within 30 days")),
            ("none", _("None that is valid")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:  # noqa: ARG002
        """Return the people of the choice."""
        match self.value():
            case "current":
                return queryset.filter(
                    with_current_key(can_sign=True), with_current_key(can_encrypt=True)
                )
            case "ending":
                return queryset.filter(with_ending_key())
            case "none":
                return queryset.exclude(with_current_key())
            case _other:
                return queryset


class PeopleList(ChangeList):
    """A page of people, each with the standing of their certificate."""

    def get_results(self, request: HttpRequest) -> None:
        """Look the certificates of the whole page up at once."""
        super().get_results(request)
        people = list(self.result_list)
        self.result_list: Any = people
        if may_see(request, OwnKey):
            found = standings_of_people(people, now=timezone.now())
            for person in people:
                person.standing = found[person.pk]


class PeopleAdmin(UserAdmin):
    """People and their certificates, for those who may see both."""

    def get_list_display(self, request: HttpRequest) -> Any:
        """Put the certificate's columns in their place."""
        if may_see(request, OwnKey):
            return ("person", "address", "certificate", "until", "role", "last_seen")
        return super().get_list_display(request)

    def get_list_filter(self, request: HttpRequest) -> Any:
        """Add the filter by certificate."""
        own = super().get_list_filter(request)
        return (CertificateFilter, *own) if may_see(request, OwnKey) else own

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:  # noqa: ARG002
        """Use the list that knows certificates."""
        return PeopleList

    def shown_facts(self, request: HttpRequest) -> tuple[str, ...]:
        """Add the person's certificates."""
        own = super().shown_facts(request)
        return ("certificates", *own) if may_see(request, OwnKey) else own

    @admin.display(description=_("certificate"))
    def certificate(self, user: Any) -> str:
        """Say how the certificate stands."""
        return str(user.standing.state.drawn())

    @admin.display(description=_("until"))
    def until(self, user: Any) -> str:
        """Say until when it is valid."""
        return str(user.standing.until)

    @admin.display(description=_("certificates"))
    def certificates(self, user: User) -> str:
        """List the certificates, the private keys apart: name, state, until, use."""
        keys = list(OwnKey.objects.filter(user=user).order_by("-is_current", "-not_after"))
        found = standings(keys, now=timezone.now())
        rows = [{"key": key, "standing": each} for key, each in zip(keys, found, strict=True)]
        return SafeString(render_to_string("admin/parts/certificates.html", {"rows": rows}))
