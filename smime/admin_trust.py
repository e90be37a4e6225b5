"""Trust anchors in the panel: added by a file, trusted, limited, blocked, removed."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin_forms import OwnLookupsAdmin, ReasonForm
from accounts.admin_parts import (
    Section,
    day,
    list_url,
    may,
)
from accounts.models import User
from smime import trust
from smime.admin_overview import anchor_reach, anchor_state
from smime.certificate_rows import CertificateFileError
from smime.models import TrustAnchor

_CERTIFICATE = (
    "name",
    "subject",
    "serial",
    "fingerprint",
    "algorithm",
    "not_before",
    "not_after",
)
REMOVE = "remove"


class _Refused(Exception):  # noqa: N818 - the name says what happened
    """A decision that smime.trust did not take; the text says why."""


class TrustAnchorForm(ReasonForm):
    """An authority: added by its file, then trusted, limited, blocked or removed."""

    may_remove = False  # whether the person has the right to; the ModelAdmin says so

    file = forms.FileField(
        label=gettext_lazy("Certificate file"),
        required=False,
        help_text=gettext_lazy("A .pem, .crt, .cer or .p7b file with the authority's certificate."),
    )
    decision = forms.ChoiceField(
        label=gettext_lazy("State"),
        choices=TrustAnchor.State.choices,
        initial=TrustAnchor.State.TRUSTED,
        widget=forms.RadioSelect,
    )
    limits = forms.CharField(
        label=gettext_lazy("Domains"),
        required=False,
        help_text=gettext_lazy("For a limited authority, separated by commas."),
    )

    class Meta:
        """Everything is written by smime.trust, nothing by the form itself."""

        model = TrustAnchor
        fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.pop("reason", None)  # each change has a reason of its own
        if self.instance.pk and "decision" in self.fields:
            decision = cast("forms.ChoiceField", self.fields["decision"])
            decision.initial = self.instance.state
            self.fields["limits"].initial = ", ".join(self.instance.domains)
            if self.may_remove:
                decision.choices = [*TrustAnchor.State.choices, (REMOVE, _("Remove"))]

    def clean(self) -> dict[str, Any]:
        """Check the file now, so that what is wrong with it stands beside the field."""
        values = super().clean() or {}
        if not self.instance.pk and not values.get("file"):
            raise ValidationError({"file": _("Choose the authority's certificate file.")})
        if values.get("decision") == TrustAnchor.State.LIMITED and not values.get("limits"):
            raise ValidationError(
                {"limits": _("Name the domains that this authority is limited to.")}
            )
        return values


class TrustAnchorAdmin(OwnLookupsAdmin):
    """Whom the installation trusts for mail."""

    section = Section(
        order=30,
        name=gettext_lazy("Trust anchors"),
        tab=gettext_lazy("The organisation's"),
        icon="anchor",
        group="trust",
        is_counted=True,
        rights=("view", "add", "change", "delete"),
    )
    form = TrustAnchorForm
    list_display = ("name", "reach", "decision", "until", "reason")
    list_filter = ("state",)
    search_fields = ("name", "fingerprint", "serial")
    ordering = ("name",)

    @admin.display(description=gettext_lazy("counts for"))
    def reach(self, anchor: TrustAnchor) -> str:
        """Say for whose mail it counts."""
        return anchor_reach(anchor)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def decision(self, anchor: TrustAnchor) -> str:
        """Say what was decided."""
        return anchor_state(anchor).drawn()

    @admin.display(description=gettext_lazy("until"), ordering="not_after")
    def until(self, anchor: TrustAnchor) -> str:
        """Say until when its certificate is valid."""
        return day(anchor.not_after)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A new authority comes by a file, a known one shows its certificate."""
        asked = ("decision", "limits", "reason")
        if obj is None:
            return [(None, {"fields": ("file", *asked)})]
        if not self.has_change_permission(request, obj):
            asked = ("state", "domains", "reason")
        return [(None, {"fields": asked}), (_("Certificate"), {"fields": _CERTIFICATE})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:  # noqa: ARG002
        """A certificate is what it is."""
        return _CERTIFICATE if obj else ()

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Tell the form whether this person may remove authorities."""
        form = super().get_form(request, obj, change=change, **kwargs)
        form.may_remove = may(request, "delete", TrustAnchor)  # type: ignore[attr-defined]
        return form

    def save_model(
        self, request: HttpRequest, obj: TrustAnchor, form: TrustAnchorForm, change: bool
    ) -> None:
        """Carry the decision out; a refused one is told."""
        values = form.cleaned_data
        actor = cast("User", request.user)
        domains = [each for each in values["limits"].split(",") if each.strip()]
        try:
            if change and values["decision"] == REMOVE:
                trust.remove_anchor(obj, actor=actor, reason=values["reason"], request=request)
            elif change:
                trust.change_anchor(
                    obj,
                    state=values["decision"],
                    domains=domains,
                    actor=actor,
                    reason=values["reason"],
                    request=request,
                )
            else:
                rows = trust.add_anchor(
                    values["file"].read(),
                    actor=actor,
                    reason=values["reason"],
                    state=values["decision"],
                    domains=domains,
                    request=request,
                )
                obj.pk = rows[0].pk
                obj.name = rows[0].name
        except CertificateFileError as error:
            raise _Refused(str(error)) from error

    def response_change(self, request: HttpRequest, obj: TrustAnchor) -> HttpResponse:
        """Say that an authority is gone; of a change, what Django says."""
        if TrustAnchor.objects.filter(pk=obj.pk).exists():
            return super().response_change(request, obj)
        words = _("{name} is removed. Mail that ends at it is no longer vouched for.")
        self.message_user(request, words.format(name=obj), messages.SUCCESS)
        return HttpResponseRedirect(list_url(TrustAnchor))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Tell a refused decision above the form it came from; nothing of it is kept."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except _Refused as refused:
            self.message_user(request, str(refused), messages.ERROR)
            return HttpResponseRedirect(request.path)

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:  # noqa: ARG002
        """Removal is a state of the form, because it asks for a reason, too."""
        return False
