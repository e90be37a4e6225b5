"""People: who they are, what they may do, their mail accounts.

Only an administrator without limits changes other administrators or anybody's rights: else the
right to change users would be the right to everything.
"""

from typing import Any, ClassVar, cast

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.widgets import AdminTextInputWidget
from django.contrib.auth.models import Permission
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db.models import Max, Q, QuerySet
from django.db.models.functions import Coalesce, Greatest
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts import audit
from accounts.admin_forms import OwnLookupsAdmin, ReasonForm
from accounts.admin_mail import state_of
from accounts.admin_parts import (
    Figure,
    Section,
    add_figures,
    list_url,
    may_see,
    names_of,
    short_time,
)
from accounts.models import MailAccount, MailServer, User
from accounts.people import canonical_address
from accounts.session_limits import raise_epoch

_RIGHTS = ("is_staff", "is_superuser", "user_permissions")
_VERBS: dict[str, str | Promise] = {
    "view": gettext_lazy("See"),
    "add": gettext_lazy("Add"),
    "change": gettext_lazy("Change"),
    "delete": gettext_lazy("Remove"),
}


class RightsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """The rights that do something in this panel, as words."""

    def label_from_instance(self, obj: Any) -> str:
        """Return "See users" for accounts.view_user."""
        verb = obj.codename.partition("_")[0]
        model = obj.content_type.model_class()
        return f"{_VERBS[verb]} {model._meta.verbose_name_plural}"  # noqa: SLF001


_SERVER_CHECKS = gettext_lazy(
    "The mail server checks this person's password. A local one would open their mail."
)


class UserForm(ReasonForm):
    """A person. A password makes a local account, which needs no mail server."""

    user_permissions = RightsField(
        label=gettext_lazy("Rights"),
        queryset=Permission.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("For those who use the admin panel with limits."),
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        choices=[("", gettext_lazy("As the browser asks")), *settings.LANGUAGES],
        required=False,
    )
    is_superuser = forms.BooleanField(
        label=gettext_lazy("Administrator without limits"),
        required=False,
        help_text=gettext_lazy("Has every right, and is the only one who gives rights."),
    )
    password = forms.CharField(
        label=gettext_lazy("New local password"),
        required=False,
        min_length=12,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("Leave empty for people whose mail server checks their password."),
    )

    class Meta:
        """What may be changed."""

        model = User
        fields = ("address", "display_name", "is_active", "language", *_RIGHTS)
        widgets: ClassVar = {"address": AdminTextInputWidget({"autocomplete": "username"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "user_permissions" in self.fields:
            field = cast("RightsField", self.fields["user_permissions"])
            field.queryset = offered_rights()

    def clean_address(self) -> str:
        """Return the address in its one spelling."""
        try:
            return canonical_address(self.cleaned_data["address"])
        except ValueError as error:
            raise ValidationError(str(error)) from error

    def clean_password(self) -> str:
        """Refuse a weak one, and one that would open somebody else's mail."""
        password: str = self.cleaned_data["password"]
        if not password:
            return password
        person = self.instance
        if self._has_mail() and not (person.is_staff and person.has_usable_password()):
            raise ValidationError(_SERVER_CHECKS)
        validate_password(password, person)
        return password

    def clean(self) -> dict[str, Any]:
        """Keep administrators from locking themselves out, and from other people's mail."""
        values = super().clean() or {}
        self._refuse_others_mail(values)
        if self.actor is not None and self.instance.pk == self.actor.pk:
            for name in ("is_active", "is_staff", "is_superuser"):
                if name in self.fields and getattr(self.actor, name) and not values.get(name):
                    self.add_error(name, _("You cannot take this from yourself."))
        return values

    def _has_mail(self) -> bool:
        return bool(self.instance.pk) and self.instance.mail_accounts.exists()

    def _refuse_others_mail(self, values: dict[str, Any]) -> None:
        """Keep a row that somebody can open from taking the address of another's mailbox."""
        address = values.get("address")
        if address is None:
            return
        is_new_address = "address" in self.changed_data
        if is_new_address and self._has_mail():
            self.add_error("address", _("Somebody who has mail here keeps their address."))
            return
        password = values.get("password")
        opens = bool(password) or (is_new_address and self.instance.has_usable_password())
        is_staff = values.get("is_staff", self.instance.is_staff)
        domain = address.rpartition("@")[2]
        if opens and not is_staff and MailServer.objects.filter(domain=domain).exists():
            self.add_error("password" if password else "address", _SERVER_CHECKS)


def offered_rights() -> QuerySet[Permission]:
    """Return the permissions that the panel's tables know."""
    wanted = Q(pk__in=[])
    for model, table in admin.site._registry.items():  # noqa: SLF001
        section = getattr(table, "section", None)
        if section is not None:
            app, name = names_of(model)
            names = [f"{right}_{name}" for right in section.rights]
            wanted |= Q(content_type__app_label=app, codename__in=names)
    rows = Permission.objects.filter(wanted).select_related("content_type")
    return rows.order_by("content_type__app_label", "content_type__model", "codename")


class UserAdmin(OwnLookupsAdmin):
    """People."""

    section = Section(
        order=10,
        name=gettext_lazy("Users"),
        icon="users",
        group="users",
        is_counted=True,
        rights=("view", "add", "change"),
    )
    form = UserForm
    list_display = ("person", "address", "role", "last_seen")
    list_filter = ("is_active", "is_staff")
    search_fields = ("address", "display_name")
    ordering = ("address",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Add when each was last seen."""
        return seen(super().get_queryset(request))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Divide the form by what it is about."""
        facts = self.shown_facts(request) if obj else ()
        return [
            (None, {"fields": ("address", "display_name", "language", "is_active")}),
            *([(None, {"fields": facts, "classes": ("facts",)})] if facts else []),
            (_("Administration"), {"fields": (*_RIGHTS, "password")}),
            (None, {"fields": ("reason",)}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Rights are given by administrators without limits."""
        facts = self.shown_facts(request) if obj else ()
        return facts if request.user.is_superuser else (*facts, *_RIGHTS)

    def shown_facts(self, request: HttpRequest) -> tuple[str, ...]:
        """Return the facts that this administrator may see."""
        return ("accounts_held",) if may_see(request, MailAccount) else ()

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Tell the form who fills it in."""
        form = super().get_form(request, obj, change=change, **kwargs)
        form.actor = request.user  # type: ignore[attr-defined] # a class made for this request
        return form

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Administrators are changed by those without limits only."""
        is_allowed = super().has_change_permission(request, obj)
        if obj is not None and (obj.is_staff or obj.is_superuser):
            return is_allowed and request.user.is_superuser
        return is_allowed

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:  # noqa: ARG002
        """People are closed (not active), so that their audit trail keeps its owner."""
        return False

    @admin.display(description=gettext_lazy("name"), ordering="display_name")
    def person(self, user: User) -> str:
        """Show the name beside its letters."""
        return SafeString(render_to_string("admin/parts/person.html", {"person": user}))

    @admin.display(description=gettext_lazy("role"), ordering="is_staff")
    def role(self, user: User) -> str:
        """Say what the person may do here."""
        return role_of(user)

    @admin.display(description=gettext_lazy("last seen"), ordering="seen_at")
    def last_seen(self, user: Any) -> str:
        """Say when the person last used Signet."""
        return short_time(user.seen_at)

    @admin.display(description=gettext_lazy("mail accounts"))
    def accounts_held(self, user: User) -> str:
        """List the person's mail accounts and their state."""
        rows = [
            {"account": account, "state": state_of(account)}
            for account in user.mail_accounts.select_related("server").order_by("address")
        ]
        return SafeString(render_to_string("admin/parts/mail_accounts.html", {"rows": rows}))

    def save_model(self, request: HttpRequest, obj: User, form: UserForm, change: bool) -> None:
        """Keep the person; a new password or a closed account ends all their sessions."""
        password = form.cleaned_data.get("password")
        if password:
            obj.set_password(password)
        elif not change:
            obj.set_unusable_password()
        obj.save()
        if change and (password or not obj.is_active or "address" in form.changed_data):
            raise_epoch(obj)
        fields = set(form.changed_data) - {"password", "reason"}
        audit.record(
            "user-changed" if change else "user-added",
            actor=cast("User", request.user),
            target=obj.address,
            request=request,
            reason=form.cleaned_data["reason"],
            details={"fields": sorted(fields), "has_new_password": bool(password)},
        )


def seen(users: QuerySet[User]) -> QuerySet[User]:
    """Add `seen_at`: the last sign-in, or the last use of their mail; None for never."""
    used = users.annotate(used_at=Max("mail_accounts__last_used_at"))
    # Of a null and a time, databases differ on which is the greater.
    return used.annotate(
        seen_at=Greatest(Coalesce("last_login", "used_at"), Coalesce("used_at", "last_login"))
    )


def role_of(user: User) -> str:
    """Return what the person may do, in a word."""
    if not user.is_active:
        return _("Closed")
    if user.is_superuser:
        return _("Administrator")
    return _("Staff") if user.is_staff else _("User")


@add_figures
def _figures(request: HttpRequest) -> list[Figure]:
    """Count the people who may sign in."""
    if not may_see(request, User):
        return []
    count = User.objects.filter(is_active=True).count()
    words = ngettext("user", "users", count)
    return [Figure(order=10, count=count, words=words, url=list_url(User, is_active__exact="1"))]
