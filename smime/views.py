"""The keys page and its buttons."""

from http import HTTPStatus
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import confirming
from accounts.models import User
from smime import deciding, key_files, people, unlocking, vault
from smime.certificate_rows import CertificateFileError
from smime.deciding import DecisionError
from smime.forms import ExportForm, KeepForm
from smime.key_files import KeyFileError
from smime.keys_page import certificate_page, certificates_of, keys_page
from smime.models import OwnKey, PersonCertificate
from smime.passphrases import VaultError

_REFUSED = HTTPStatus.UNPROCESSABLE_ENTITY
FILE_LIMIT = 1024 * 1024  # octets


def person(request: HttpRequest) -> User:
    """Return who is signed in."""
    return cast("User", request.user)


def _uploaded(request: HttpRequest) -> bytes:
    """Return the posted file's content; b"" if there is none or it is too large for a key."""
    file = request.FILES.get("file")
    if file is None or file.size is None or file.size > FILE_LIMIT:
        return b""
    return bytes(file.read())


@require_GET
@login_required
def keys(request: HttpRequest) -> HttpResponse:
    """Show own keys and other people's certificates."""
    page = keys_page(
        person(request),
        is_unlocked=vault.kek_for(request) is not None,
        idle_minutes=unlocking.IDLE_MINUTES,
        search=request.GET.get("q", "")[:100].replace("\0", "").strip(),
    )
    return render(request, "smime/keys.html", {"page": page, "search": request.GET.get("q", "")})


@sensitive_post_parameters("passphrase")
@require_POST
@login_required
def import_key(request: HttpRequest) -> HttpResponse:
    """Show what a .p12 file holds, before anything of it is kept."""
    passphrase = request.POST.get("passphrase", "")[:1024]
    try:
        held = key_files.hold(request, _uploaded(request), passphrase)
    except KeyFileError as error:
        messages.error(request, error.reason)
        return redirect("smime:keys")
    return _preview(request, held)


@sensitive_post_parameters("vault_passphrase")
@require_POST
@login_required
def keep_key(request: HttpRequest) -> HttpResponse:
    """Keep the keys of the file that was shown."""
    form = KeepForm(request.POST)
    token = request.POST.get("token", "")[:64]
    try:
        if not form.is_valid():
            problem = str(next(iter(form.errors.values()))[0])
            return _preview(request, key_files.held(request, token), problem)
        kept = key_files.keep(request, **form.cleaned_data)
    except KeyFileError as error:
        if error.code.startswith("vault-"):
            return _preview(request, key_files.held(request, token), error.reason)
        messages.error(request, error.reason)
        return redirect("smime:keys")
    names = ", ".join(key.name for key in kept)
    messages.success(request, _("Imported: {names}.").format(names=names))
    return redirect("smime:keys")


@sensitive_post_parameters("passphrase")
@require_POST
@login_required
def unlock(request: HttpRequest) -> HttpResponse:
    """Unlock personal keys for this session and go back to where they were needed."""
    if unlocking.is_paused(request):
        messages.error(request, _("Too many wrong passphrases. Try again in a few minutes."))
    elif not vault.unlock(request, request.POST.get("passphrase", "")):
        messages.error(request, _("This is not the passphrase of your keys. Try it again."))
    target = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}):
        return HttpResponseRedirect(target)
    return redirect("smime:keys")


@require_POST
@login_required
def lock(request: HttpRequest) -> HttpResponse:
    """Lock personal keys."""
    vault.lock(request)
    messages.success(request, _("Your keys are locked."))
    return redirect("smime:keys")


@require_POST
@login_required
def put_in_use(request: HttpRequest, key_id: int) -> HttpResponse:
    """Put a key in use."""
    try:
        vault.set_current(person(request), key_id, request=request)
    except VaultError as error:
        raise Http404 from error
    messages.success(request, _("This key is in use now."))
    return redirect("smime:keys")


@sensitive_post_parameters("password")
@require_POST
@login_required
def delete_key(request: HttpRequest, key_id: int) -> HttpResponse:
    """Delete a key, if the beginning of its fingerprint and a fresh password were given."""
    row = _own_key(request, key_id)
    typed = request.POST.get("confirm", "").replace(":", "").strip().lower()
    if typed != row.fingerprint[:8]:
        messages.error(
            request,
            _("The key was not deleted: type the first 8 digits of its fingerprint to confirm."),
        )
        return redirect("smime:keys")
    problem = confirmation_problem(request)
    if problem is not None:
        context = {"key": row, "asks_password": True, "problem": problem}
        return _page(request, "delete", context, status=_REFUSED)
    vault.delete(person(request), key_id, request=request)
    messages.success(request, _("The key is deleted."))
    return redirect("smime:keys")


@sensitive_post_parameters("passphrase", "repeated", "password")
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def export_key(request: HttpRequest, key_id: int) -> HttpResponse:
    """Hand a key out as .p12, after the person proved themselves again."""
    key = _own_key(request, key_id)
    context = {"key": key, "asks_password": not confirming.is_fresh(request)}
    if request.method != "POST":
        return _page(request, "export", context)
    form = ExportForm(request.POST)
    problem = None if form.is_valid() else str(next(iter(form.errors.values()))[0])
    problem = problem or confirmation_problem(request)
    if problem is None:
        try:
            content = key_files.take_export(request, key.pk, form.cleaned_data["passphrase"])
        except KeyFileError as error:
            problem = error.reason
        else:
            return _download(content, f"key-{key.fingerprint[:8]}.p12")
    return _page(request, "export", {**context, "problem": problem}, status=_REFUSED)


@require_GET
@login_required
def certificate(request: HttpRequest, certificate_id: int) -> HttpResponse:
    """Show another person's certificate in full."""
    return _certificate_page(request, certificate_id)


@require_POST
@login_required
def pin_certificate(request: HttpRequest, certificate_id: int) -> HttpResponse:
    """Trust a self-made certificate, or no longer."""
    row = _certificate(request, certificate_id)
    pinned = request.POST.get("pinned") == "yes"
    try:
        deciding.pin(person(request), row, pinned=pinned, request=request)
    except DecisionError as error:
        return _certificate_page(request, certificate_id, problem=error.reason)
    words = _("You trust this certificate now.") if pinned else _("It is no longer trusted.")
    messages.success(request, words)
    return redirect("smime:certificate", certificate_id)


@require_POST
@login_required
def bind_certificate(request: HttpRequest, certificate_id: int) -> HttpResponse:
    """Say that someone also writes from another address."""
    row = _certificate(request, certificate_id)
    address = request.POST.get("address", "")[:320]
    try:
        bound = deciding.bind(person(request), row, address, request=request)
    except DecisionError as error:
        return _certificate_page(request, certificate_id, problem=error.reason)
    words = _("{address} counts as the same person now. To take it back, forget that entry.")
    messages.success(request, words.format(address=bound.address))
    return redirect("smime:certificate", bound.pk)


@require_POST
@login_required
def import_certificate(request: HttpRequest) -> HttpResponse:
    """Keep another person's certificate."""
    try:
        kept = people.import_certificates(person(request), _uploaded(request), request=request)
    except CertificateFileError as error:
        messages.error(request, str(error))
    else:
        names = ", ".join(sorted({row.address for row in kept}))
        messages.success(request, _("Saved for {names}.").format(names=names))
    return redirect("smime:keys")


@require_POST
@login_required
def forget_certificate(request: HttpRequest, certificate_id: int) -> HttpResponse:
    """Forget another person's certificate."""
    if not people.forget(person(request), certificate_id, request=request):
        raise Http404
    messages.success(request, _("The certificate is forgotten."))
    return redirect("smime:keys")


def _certificate(request: HttpRequest, certificate_id: int) -> PersonCertificate:
    row = certificates_of(person(request)).filter(pk=certificate_id).first()
    if row is None:
        raise Http404
    return row


def _certificate_page(
    request: HttpRequest, certificate_id: int, *, problem: str | None = None
) -> HttpResponse:
    asked = request.POST.get("address") or request.GET.get("address", "")
    page = certificate_page(person(request), certificate_id, asked=asked[:320])
    if page is None:
        raise Http404
    context = {"page": page, "certificate": page.row, "problem": problem}
    return _page(request, "certificate", context, status=_REFUSED if problem else HTTPStatus.OK)


def _own_key(request: HttpRequest, key_id: int) -> OwnKey:
    row = vault.own_keys_for(person(request)).filter(pk=key_id).first()
    if row is None:
        raise Http404
    return row


def confirmation_problem(request: HttpRequest) -> str | None:
    """Return why the person has not proved themselves lately; None when they have."""
    if confirming.is_fresh(request):
        return None
    password = request.POST.get("password", "")[:1024]
    if not password:
        return _("Enter your sign-in password to go on.")
    if not confirming.confirm(request, password):
        return _("Your password is not right, or there were too many tries.")
    return None


def _download(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type="application/x-pkcs12")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "private, no-store"
    return response


def _preview(
    request: HttpRequest, held: key_files.HeldFile, problem: str | None = None
) -> HttpResponse:
    context = {"held": held, "problem": problem, "has_vault": hasattr(person(request), "vault")}
    return _page(request, "preview", context, status=_REFUSED if problem else HTTPStatus.OK)


def _page(
    request: HttpRequest, name: str, context: dict[str, Any], *, status: int = HTTPStatus.OK
) -> HttpResponse:
    return render(request, f"smime/{name}.html", {"section": "keys", **context}, status=status)
