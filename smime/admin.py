"""The admin panel's tables of certificates and trust. Private keys have no field here."""

from datetime import timedelta
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.admin import ReadOnlyAdmin, ReasonForm
from accounts.admin_site import Figure, add_figures
from accounts.models import User
from smime import trust
from smime.certificate_rows import CertificateFileError
from smime.models import Intermediate, OwnKey, PersonCertificate, TrustAnchor

_CERTIFICATE = (
    "name",
    "addresses",
    "subject",
    "issuer",
    "serial",
    "fingerprint",
    "algorithm",
    "not_before",
    "not_after",
)
REMOVE = "remove"


class _Refused(Exception):  # noqa: N818 - the name says what happened
    """A decision that smime.trust did not take; the text says why."""


@add_figures
def _figures() -> list[Figure]:
    """Count who can sign and whose certificate ends soon."""
    now = timezone.now()
    current = OwnKey.objects.filter(is_current=True, not_after__gt=now)
    signers = current.filter(can_sign=True).values("user").distinct().count()
    ending = current.filter(not_after__lt=now + timedelta(days=30)).count()
    return [
        Figure(signers, str(_("can sign"))),
        Figure(ending, str(_("expire within 30 days")), is_warning=ending > 0),
        Figure(TrustAnchor.objects.count(), str(_("trust anchors"))),
    ]


@admin.register(OwnKey)
class OwnKeyAdmin(ReadOnlyAdmin):
    """Whose certificates there are; the private key is never shown."""

    list_display = ("name", "user", "sealing", "is_current", "not_after", "algorithm")
    list_filter = ("sealing", "is_current")
    search_fields = ("user__address", "name", "fingerprint", "serial")
    fields = ("user", *_CERTIFICATE, "sealing", "can_sign", "can_encrypt", "is_current")


@admin.register(PersonCertificate)
class PersonCertificateAdmin(ReadOnlyAdmin):
    """Certificates of people mail is exchanged with."""

    list_display = ("name", "address", "user", "source", "not_after")
    list_filter = ("source",)
    search_fields = ("name", "address", "fingerprint")
    fields = ("user", "address", "source", *_CERTIFICATE)


@admin.register(Intermediate)
class IntermediateAdmin(ReadOnlyAdmin):
    """Issuers between people and trust anchors."""

    list_display = ("name", "issuer", "not_after")
    search_fields = ("name", "fingerprint")
    fields = _CERTIFICATE


class TrustAnchorForm(ReasonForm):
    """An authority: added by its file, then trusted, limited, blocked or removed."""

    file = forms.FileField(label=_("Certificate file"), required=False)
    decision = forms.ChoiceField(
        label=_("State"), choices=[*TrustAnchor.State.choices, (REMOVE, _("Remove"))]
    )
    limits = forms.CharField(
        label=_("Domains"),
        required=False,
        help_text=_("For a limited authority, separated by commas."),
    )

    class Meta:
        """Everything is written by smime.trust, nothing by the form itself."""

        model = TrustAnchor
        fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["decision"].initial = self.instance.state
            self.fields["limits"].initial = ", ".join(self.instance.domains)

    def clean(self) -> dict[str, Any]:
        """Check the file now, so that what is wrong with it stands beside the field."""
        values = super().clean() or {}
        if not self.instance.pk and not values.get("file"):
            raise ValidationError({"file": _("Choose the authority's certificate file.")})
        return values


@admin.register(TrustAnchor)
class TrustAnchorAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Whom the installation trusts for mail."""

    form = TrustAnchorForm
    list_display = ("name", "state", "domains", "not_after", "reason")
    list_filter = ("state",)
    search_fields = ("name", "fingerprint")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:  # noqa: ARG002
        """A new authority comes by a file, a known one shows its certificate."""
        asked = ("decision", "limits", "reason")
        return (*_CERTIFICATE, *asked) if obj else ("file", *asked)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:  # noqa: ARG002
        """A certificate is what it is."""
        return _CERTIFICATE if obj else ()

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
            self.message_user(request, str(refused), level="ERROR")
            return HttpResponseRedirect(request.path)

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:  # noqa: ARG002
        """Removal is a state of the form, because it asks for a reason, too."""
        return False
