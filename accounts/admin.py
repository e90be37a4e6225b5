"""The admin panel's tables of people, servers, accounts and the audit log.

Never a password, key or mail text. Each change asks for a reason and is written to the audit log.
"""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.mail_servers import NotAServer, ServerDescription, canonical_domain, save_server
from accounts.models import AuditEvent, MailAccount, MailServer, User
from accounts.people import canonical_address
from accounts.session_limits import raise_epoch


class ReasonForm(forms.ModelForm):  # type: ignore[type-arg]
    """A form that asks why."""

    reason = forms.CharField(
        label=_("Reason"), max_length=400, help_text=_("Kept in the audit log.")
    )


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows that are looked at, not changed."""

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Nothing is added here."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:  # noqa: ARG002
        """Nothing is changed here."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:  # noqa: ARG002
        """Nothing is deleted here."""
        return False


class UserForm(ReasonForm):
    """A person. A password makes a local account, which needs no mail server."""

    password = forms.CharField(
        label=_("New local password"),
        required=False,
        min_length=12,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Leave empty for people whose mail server checks their password."),
    )

    class Meta:
        """What may be changed."""

        model = User
        fields = ("address", "display_name", "is_active", "is_staff", "is_superuser", "language")

    def clean_address(self) -> str:
        """Return the address in its one spelling."""
        try:
            return canonical_address(self.cleaned_data["address"])
        except ValueError as error:
            raise ValidationError(str(error)) from error


@admin.register(User)
class UserAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """People."""

    form = UserForm
    list_display = ("address", "display_name", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff")
    search_fields = ("address", "display_name")
    fields = (
        "address",
        "display_name",
        "is_active",
        "is_staff",
        "is_superuser",
        "language",
        "password",
        "reason",
    )

    def save_model(self, request: HttpRequest, obj: User, form: UserForm, change: bool) -> None:
        """Keep the person; a new password or a closed account ends all their sessions."""
        password = form.cleaned_data.get("password")
        if password:
            obj.set_password(password)
        elif not change:
            obj.set_unusable_password()
        obj.save()
        if change and (password or not obj.is_active):
            raise_epoch(obj)
        audit.record(
            "user-changed" if change else "user-added",
            actor=cast("User", request.user),
            target=obj.address,
            request=request,
            reason=form.cleaned_data["reason"],
            details={"fields": sorted(set(form.changed_data) - {"password", "reason"})},
        )

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:  # noqa: ARG002
        """People are closed (not active), so that their audit trail keeps its owner."""
        return False


class MailServerForm(ReasonForm):
    """A mail domain and its servers."""

    class Meta:
        """What may be changed."""

        model = MailServer
        fields = (
            "domain",
            "imap_host",
            "imap_port",
            "imap_security",
            "submission_host",
            "submission_port",
            "submission_security",
            "ca_pem",
            "sieve",
            "pop",
            "login_is_local_part",
            "is_enabled",
        )

    def clean_domain(self) -> str:
        """Return the domain as A-labels."""
        try:
            return canonical_domain(self.cleaned_data["domain"])
        except NotAServer as error:
            raise ValidationError(str(error)) from error

    def description(self) -> ServerDescription:
        """Return what was entered."""
        values = {name: self.cleaned_data[name] for name in ServerDescription.__slots__}
        return ServerDescription(**values)


@admin.register(MailServer)
class MailServerAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Mail servers."""

    form = MailServerForm
    list_display = ("domain", "imap_host", "imap_security", "submission_host", "is_enabled")
    search_fields = ("domain",)

    def save_model(
        self, request: HttpRequest, obj: MailServer, form: MailServerForm, change: bool
    ) -> None:
        """Keep the servers through the one way there is."""
        del change
        saved, _is_new = save_server(
            obj.domain,
            form.description(),
            actor=cast("User", request.user),
            reason=form.cleaned_data["reason"],
            request=request,
        )
        if saved.is_enabled != obj.is_enabled:
            saved.is_enabled = obj.is_enabled
            saved.save(update_fields=["is_enabled"])
        obj.pk = saved.pk

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:  # noqa: ARG002
        """A domain keeps its name."""
        return ("domain",) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:  # noqa: ARG002
        """Servers are switched off, because people's accounts point at them."""
        return False


@admin.register(MailAccount)
class MailAccountAdmin(ReadOnlyAdmin):
    """Mailboxes: their state, last synchronisation, last error."""

    list_display = ("address", "user", "server", "state", "last_sync_at", "last_error")
    list_filter = ("state", "server")
    search_fields = ("address", "user__address")
    fields = (
        "address",
        "user",
        "server",
        "login_name",
        "state",
        "last_sync_at",
        "last_error",
        "last_error_at",
        "server_software",
        "created_at",
    )


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """Sign-ins, key use and admin acts."""

    list_display = ("at", "actor_address", "action", "target", "ip", "reason")
    list_filter = ("action", "at")
    search_fields = ("actor_address", "target", "action")
    date_hierarchy = "at"
