"""What the panel's tables and forms have in common: a reason for each change, rows to look at."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.helpers import ActionForm
from django.core.exceptions import FieldDoesNotExist
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import User


class PlainForm(forms.ModelForm):  # type: ignore[type-arg]
    """A form whose labels end without a colon."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})


class ReasonForm(PlainForm):
    """A form that asks why. `actor` is who fills it in; its ModelAdmin sets it."""

    actor: User | None = None

    reason = forms.CharField(
        label=_("Reason"), max_length=400, help_text=_("Kept in the audit log.")
    )


class ReasonActionForm(ActionForm):
    """The choice of an action on chosen rows, and why."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=400,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class OwnLookupsAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A table that is filtered by its own filters only.

    Django lets a URL filter by any column: `?password__startswith=` would read a hash out, one
    character after the other.
    """

    # Columns that links of the panel filter by, beside the filters.
    linked_columns: tuple[str, ...] = ()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow what the table offers, and names that are no column (custom filters)."""
        column = lookup.split(LOOKUP_SEP, maxsplit=1)[0]
        try:
            self.model._meta.get_field(column)  # noqa: SLF001
        except FieldDoesNotExist:
            return super().lookup_allowed(lookup, value, request)
        offered = {self.date_hierarchy, *self.get_list_filter(request), *self.linked_columns}
        return column in offered and super().lookup_allowed(lookup, value, request)


class ReadOnlyAdmin(OwnLookupsAdmin):
    """Rows that are looked at, not changed."""

    form = PlainForm

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Nothing is added here."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:  # noqa: ARG002
        """Nothing is changed here."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:  # noqa: ARG002
        """Nothing is deleted here."""
        return False
