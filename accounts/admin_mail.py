"""Mail servers, and the mail accounts of people: their state, last synchronisation, last error."""

from collections.abc import Callable
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts import admin_acts
from accounts.admin_forms import OwnLookupsAdmin, ReadOnlyAdmin, ReasonActionForm, ReasonForm
from accounts.admin_parts import (
    Figure,
    Section,
    State,
    add_figures,
    list_url,
    may_see,
    short_time,
)
from accounts.mail_servers import (
    NotAServer,
    ServerDescription,
    canonical_authserv_ids,
    canonical_domain,
    save_server,
)
from accounts.models import MailAccount, MailServer, User
from webmail.sasl import Endpoint, TlsRefused, tls_context

_State = MailAccount.State
_TROUBLED = (_State.UNREACHABLE, _State.AUTH_FAILED)
_PORT = [MinValueValidator(1), MaxValueValidator(65535)]
_STATES = {
    _State.NEW: ("none", "hourglass"),
    _State.ACTIVE: ("ok", "check"),
    _State.UNREACHABLE: ("warn", "unplug"),
    _State.AUTH_FAILED: ("bad", "circle-x"),
    _State.PAUSED: ("none", "cloud-off"),
}


def state_of(account: MailAccount) -> State:
    """Return what workers last found, as a cell shows it."""
    kind, icon = _STATES[_State(account.state)]
    return State(kind, icon, str(account.get_state_display()))  # type: ignore[arg-type]


def _names_hint(server: MailServer) -> str:
    """Say what the names are for, and which one to look for; none is trusted by itself."""
    words = _(
        "The name with which your receiving server begins the Authentication-Results fields it "
        "adds. Its word on SPF, DKIM and DMARC is then shown to people. Name it only if it removes "
        "forged fields of that name from mail that comes in (RFC 8601 §5), above all if it writes "
        "its own below its Received field, where a stranger's may stand, too."
    )
    if server.imap_host and not server.authserv_ids:
        offer = _("Often it is the server's own name, here perhaps {name}.")
        return f"{words} {offer.format(name=server.imap_host)}"
    return words


class MailServerForm(ReasonForm):
    """A mail domain and its servers."""

    imap_port = forms.IntegerField(label=gettext_lazy("IMAP port"), validators=_PORT, initial=993)
    submission_port = forms.IntegerField(
        label=gettext_lazy("Submission port"), validators=_PORT, initial=587
    )

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
            "authserv_ids",
            "is_enabled",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = self.fields.get("authserv_ids")
        if names is not None:
            names.help_text = _names_hint(self.instance)

    def clean_authserv_ids(self) -> str:
        """Return the names as they are kept."""
        try:
            return canonical_authserv_ids(self.cleaned_data["authserv_ids"])
        except NotAServer as error:
            raise ValidationError(str(error)) from error

    def clean_domain(self) -> str:
        """Return the domain as A-labels."""
        try:
            return canonical_domain(self.cleaned_data["domain"])
        except NotAServer as error:
            raise ValidationError(str(error)) from error

    def clean_ca_pem(self) -> str:
        """Refuse a text that holds no certificate beside its field."""
        text: str = self.cleaned_data["ca_pem"]
        if "PRIVATE KEY" in text:
            raise ValidationError(_("This is a private key. Enter certificates only."))
        if text:
            try:
                tls_context(Endpoint("localhost", 1, "tls", ca_pem=text))
            except TlsRefused as error:
                raise ValidationError(_("There is no certificate in PEM here.")) from error
        return text

    def description(self) -> ServerDescription:
        """Return what was entered."""
        values = {name: self.cleaned_data[name] for name in ServerDescription.__slots__}
        return ServerDescription(**values)


class MailServerAdmin(OwnLookupsAdmin):
    """Mail servers."""

    section = Section(
        order=50,
        name=gettext_lazy("Mail servers"),
        icon="server",
        group="servers",
        rights=("view", "add", "change"),
    )
    form = MailServerForm
    list_display = ("domain", "imap", "submission", "used_by", "troubled", "sign_in")
    list_filter = ("is_enabled",)
    search_fields = ("domain", "imap_host", "submission_host")
    fieldsets = (
        (None, {"fields": ("domain", "is_enabled", "login_is_local_part")}),
        (gettext_lazy("Reading mail"), {"fields": ("imap_host", ("imap_port", "imap_security"))}),
        (
            gettext_lazy("Sending mail"),
            {"fields": ("submission_host", ("submission_port", "submission_security"))},
        ),
        (gettext_lazy("What it checked"), {"fields": ("authserv_ids",)}),
        (gettext_lazy("Besides"), {"fields": ("ca_pem", "sieve", "pop")}),
        (None, {"fields": ("reason",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[MailServer]:
        """Count the mail accounts of each, and those with a problem."""
        troubled = Q(accounts__state__in=_TROUBLED)
        rows: QuerySet[MailServer] = super().get_queryset(request)
        return rows.annotate(
            accounts_count=Count("accounts"), troubled_count=Count("accounts", filter=troubled)
        )

    @admin.display(description=gettext_lazy("reading"), ordering="imap_host")
    def imap(self, server: MailServer) -> str:
        """Show where mail is read."""
        security = server.get_imap_security_display()
        return f"{server.imap_host}:{server.imap_port} {security}"

    @admin.display(description=gettext_lazy("sending"), ordering="submission_host")
    def submission(self, server: MailServer) -> str:
        """Show where mail is sent."""
        security = server.get_submission_security_display()
        return f"{server.submission_host}:{server.submission_port} {security}"

    @admin.display(description=gettext_lazy("mail accounts"), ordering="accounts_count")
    def used_by(self, server: Any) -> int:
        """Count the mail accounts here."""
        return int(server.accounts_count)

    @admin.display(description=gettext_lazy("state"), ordering="troubled_count")
    def troubled(self, server: Any) -> str:
        """Say how many mail accounts have a problem."""
        count = server.troubled_count
        if count:
            words = ngettext("{count} has a problem", "{count} have a problem", count)
            return State("warn", "triangle-alert", words.format(count=count)).drawn()
        if not server.accounts_count:
            return State("none", "seal-none", _("Not used yet")).drawn()
        return State("ok", "check", _("No problem")).drawn()

    @admin.display(description=gettext_lazy("sign-in"), ordering="is_enabled")
    def sign_in(self, server: MailServer) -> str:
        """Say whether its people may sign in."""
        if server.is_enabled:
            return State("ok", "check", _("Open")).drawn()
        return State("none", "ban", _("Off")).drawn()

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


class MailAccountAdmin(ReadOnlyAdmin):
    """Mail accounts: looked at, synchronised now, paused and resumed; their mail stays theirs."""

    section = Section(
        order=60,
        name=gettext_lazy("Mail accounts"),
        icon="inbox",
        group="mail_accounts",
        is_counted=True,
        rights=("view", "change"),
    )
    list_display = ("address", "user", "server", "found", "synchronised", "last_error")
    list_filter = ("state", "server")
    list_select_related = ("user", "server")
    search_fields = ("address", "user__address", "user__display_name", "last_error")
    ordering = ("address",)
    fields = (
        "address",
        "user",
        "server",
        "login_name",
        "found",
        "last_sync_at",
        "last_error",
        "last_error_at",
        "server_software",
        "last_used_at",
        "created_at",
    )
    readonly_fields = ("found",)
    action_form = ReasonActionForm
    actions = ("sync_now", "pause", "resume")

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def found(self, account: MailAccount) -> str:
        """Say what workers last found."""
        return state_of(account).drawn()

    @admin.display(description=gettext_lazy("last synchronised"), ordering="last_sync_at")
    def synchronised(self, account: MailAccount) -> str:
        """Say when the mirror last heard of the server."""
        return short_time(account.last_sync_at) or _("Never")

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Say whether the person may act on mail accounts; the rows themselves are not edited."""
        return request.user.has_perm("accounts.change_mailaccount")

    @admin.action(description=gettext_lazy("Synchronise now"), permissions=["operate"])
    def sync_now(self, request: HttpRequest, accounts: QuerySet[MailAccount]) -> None:
        """Have workers look at the chosen mail accounts now."""
        count = admin_acts.ask_for_sync(accounts, actor=cast("User", request.user), request=request)
        words = ngettext(
            "{count} mail account is being synchronised.",
            "{count} mail accounts are being synchronised.",
            count,
        )
        self._tell(request, words, count, _("A paused mail account is not synchronised."))

    @admin.action(description=gettext_lazy("Pause"), permissions=["operate"])
    def pause(self, request: HttpRequest, accounts: QuerySet[MailAccount]) -> None:
        """Stop synchronising the chosen mail accounts."""
        count = self._done_with_reason(request, accounts, admin_acts.pause)
        if count is None:
            return
        words = ngettext(
            "{count} mail account is paused.", "{count} mail accounts are paused.", count
        )
        self._tell(request, words, count, _("It was paused already."))

    @admin.action(description=gettext_lazy("Resume"), permissions=["operate"])
    def resume(self, request: HttpRequest, accounts: QuerySet[MailAccount]) -> None:
        """Synchronise the chosen mail accounts again."""
        count = self._done_with_reason(request, accounts, admin_acts.resume)
        if count is None:
            return
        words = ngettext(
            "{count} mail account is resumed.", "{count} mail accounts are resumed.", count
        )
        self._tell(request, words, count, _("It was not paused."))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Offer the actions on the mail account's own page, too."""
        context = {
            "acts": self.get_action_choices(request, []) if self._may_act(request) else [],
            "list_url": list_url(MailAccount),
            **(extra_context or {}),
        }
        return super().change_view(request, object_id, form_url, context)

    def _may_act(self, request: HttpRequest) -> bool:
        return self.has_operate_permission(request)

    def _done_with_reason(
        self, request: HttpRequest, accounts: QuerySet[MailAccount], act: Callable[..., int]
    ) -> int | None:
        """Do an act that needs a reason; None, and a word to the person, if they gave none."""
        actor, reason = cast("User", request.user), request.POST.get("reason", "")
        try:
            return act(accounts, actor=actor, reason=reason, request=request)
        except admin_acts.ReasonMissing:
            self._ask_why(request)
            return None

    def _tell(self, request: HttpRequest, words: str, count: int, otherwise: str) -> None:
        if count:
            self.message_user(request, words.format(count=count), messages.SUCCESS)
        else:
            self.message_user(request, otherwise, messages.WARNING)

    def _ask_why(self, request: HttpRequest) -> None:
        self.message_user(request, _("Give a reason: it is kept in the audit log."), messages.ERROR)


@add_figures
def _figures(request: HttpRequest) -> list[Figure]:
    """Count mail accounts with a problem, if there are any."""
    if not may_see(request, MailAccount):
        return []
    count = MailAccount.objects.filter(state__in=_TROUBLED).count()
    if not count:
        return []
    words = ngettext("mail account has a problem", "mail accounts have a problem", count)
    url = list_url(MailAccount, state__in=",".join(_TROUBLED))
    return [Figure(order=30, count=count, words=words, url=url, is_warning=True)]
