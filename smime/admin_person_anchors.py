"""People's own trust anchors in the panel: whose they are, removed, or forbidden to everybody."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin_forms import OwnLookupsAdmin, ReasonForm
from accounts.admin_parts import Section, State, day, list_url, may
from accounts.models import User
from smime import deciding_anchors, person_anchors, trust
from smime.models import PersonAnchor, TrustAnchor

_CERTIFICATE = (
    "subject",
    "issuer",
    "serial",
    "fingerprint",
    "algorithm",
    "not_before",
    "not_after",
)
_FACTS = ("user", "reach", "state", *_CERTIFICATE)
REMOVE, FORBID = "remove", "forbid"


def anchor_state(row: PersonAnchor) -> State:
    """Return whether a person's anchor counts, as a cell shows it."""
    match deciding_anchors.standing_of(row):
        case "counts":
            return State("ok", "check", _("Counts for its owner"))
        case "not-allowed":
            return State("none", "minus", _("Not allowed, does not count"))
        case "blocked":
            return State("bad", "ban", _("Blocked here, does not count"))
        case "decided":
            return State("none", "minus", _("Decided here, does not count"))


class PersonAnchorForm(ReasonForm):
    """What becomes of a person's authority."""

    may_forbid = False  # whether whoever looks may block authorities; the ModelAdmin says so

    decision = forms.ChoiceField(
        label=gettext_lazy("Decision"),
        choices=[(REMOVE, gettext_lazy("Remove it from this person"))],
        initial=REMOVE,
        widget=forms.RadioSelect,
    )

    class Meta:
        """Everything is written by smime.deciding_anchors and smime.trust."""

        model = PersonAnchor
        fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.may_forbid and "decision" in self.fields:
            decision = cast("forms.ChoiceField", self.fields["decision"])
            decision.choices = [
                (REMOVE, _("Remove it from this person")),
                (FORBID, _("Block it for everybody here, and remove it")),
            ]


class PersonAnchorAdmin(OwnLookupsAdmin):
    """Whom people trust beside the installation's anchors."""

    section = Section(
        order=31,
        name=gettext_lazy("Trust anchors"),
        tab=gettext_lazy("People's own"),
        icon="anchor",
        group="trust",
        rights=("view", "change"),
    )
    form = PersonAnchorForm
    change_list_template = "admin/smime/personanchor/change_list.html"
    list_display = ("name", "user", "reach", "state", "until")
    list_select_related = ("user",)
    search_fields = ("name", "fingerprint", "serial", "user__address", "user__display_name")
    ordering = ("name", "user__address")
    readonly_fields = _FACTS

    @admin.display(description=gettext_lazy("counts for"))
    def reach(self, anchor: PersonAnchor) -> str:
        """Say for whose mail it counts."""
        return _("Only {domains}").format(domains=", ".join(anchor.domains))

    @admin.display(description=gettext_lazy("state"))
    def state(self, anchor: PersonAnchor) -> str:
        """Say whether it counts."""
        return anchor_state(anchor).drawn()

    @admin.display(description=gettext_lazy("until"), ordering="not_after")
    def until(self, anchor: PersonAnchor) -> str:
        """Say until when its certificate is valid."""
        return day(anchor.not_after)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show the certificate; ask for a decision those who may take one."""
        asked = ("decision", "reason") if self.has_change_permission(request, obj) else ()
        certificate = (_("Certificate"), {"fields": _FACTS})
        return [(None, {"fields": asked}), certificate] if asked else [certificate]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Tell the form whether this person may block authorities."""
        form = super().get_form(request, obj, change=change, **kwargs)
        form.may_forbid = _may_forbid(request)  # type: ignore[attr-defined]
        return form

    def save_model(
        self, request: HttpRequest, obj: PersonAnchor, form: PersonAnchorForm, change: bool
    ) -> None:
        """Carry the decision out; `changeform_view` keeps it one transaction."""
        assert change, "nothing is added here"
        values, actor = form.cleaned_data, cast("User", request.user)
        if values["decision"] == FORBID:
            trust.add_anchor(
                bytes(obj.der),
                actor=actor,
                reason=values["reason"],
                state=TrustAnchor.State.BLOCKED,
                request=request,
            )
        deciding_anchors.remove(obj, actor=actor, reason=values["reason"], request=request)

    def response_change(self, request: HttpRequest, obj: PersonAnchor) -> HttpResponse:
        """Say that it is gone."""
        words = _("{name} is removed: mail that ends at it is no longer vouched for.")
        self.message_user(request, words.format(name=obj), messages.SUCCESS)
        return HttpResponseRedirect(list_url(PersonAnchor))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Show the rule in force beside the table."""
        context = {"are_allowed": person_anchors.are_allowed(), **(extra_context or {})}
        return super().changelist_view(request, context)

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Nobody trusts in another's name."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:  # noqa: ARG002
        """Removal is a decision of the form, because it asks for a reason, too."""
        return False


def _may_forbid(request: HttpRequest) -> bool:
    return may(request, "add", TrustAnchor) and may(request, "change", TrustAnchor)
