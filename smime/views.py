"""The keys page and its buttons."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.models import User
from smime import people, unlocking, vault
from smime.certificate_rows import CertificateFileError
from smime.keys_page import keys_page
from smime.models import OwnKey
from smime.passphrases import VaultError
from smime.pki import Pkcs12Error
from smime.problems import key_file_problem

FILE_LIMIT = 1024 * 1024  # octets


def _person(request: HttpRequest) -> User:
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
        _person(request),
        is_unlocked=vault.kek_for(request) is not None,
        idle_minutes=unlocking.IDLE_MINUTES,
        search=request.GET.get("q", "")[:100].strip(),
    )
    return render(request, "smime/keys.html", {"page": page, "search": request.GET.get("q", "")})


@require_POST
@login_required
def import_key(request: HttpRequest) -> HttpResponse:
    """Keep the keys of a .p12 file."""
    is_personal = request.POST.get("sealing") == OwnKey.Sealing.PERSONAL
    try:
        kept = vault.import_keys(
            _person(request),
            _uploaded(request),
            request.POST.get("passphrase", ""),
            sealing=OwnKey.Sealing.PERSONAL if is_personal else OwnKey.Sealing.MANAGED,
            vault_passphrase=request.POST.get("vault_passphrase") or None,
            request=request,
        )
    except Pkcs12Error as error:
        messages.error(request, key_file_problem(error.reason))
    except VaultError as error:
        messages.error(request, error.reason)
    else:
        names = ", ".join(key.name for key in kept)
        messages.success(request, _("Imported: {names}.").format(names=names))
    return redirect("smime:keys")


@require_POST
@login_required
def unlock(request: HttpRequest) -> HttpResponse:
    """Unlock personal keys for this session and go back to where they were needed."""
    if not vault.unlock(request, request.POST.get("passphrase", "")):
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
        vault.set_current(_person(request), key_id, request=request)
    except VaultError as error:
        raise Http404 from error
    messages.success(request, _("This key is in use now."))
    return redirect("smime:keys")


@require_POST
@login_required
def delete_key(request: HttpRequest, key_id: int) -> HttpResponse:
    """Delete a key, if the beginning of its fingerprint was typed."""
    person = _person(request)
    row = vault.own_keys_for(person).filter(pk=key_id).first()
    if row is None:
        raise Http404
    typed = request.POST.get("confirm", "").replace(":", "").strip().lower()
    if typed != row.fingerprint[:8]:
        messages.error(
            request,
            _("The key was not deleted: type the first 8 digits of its fingerprint to confirm."),
        )
    else:
        vault.delete(person, key_id, request=request)
        messages.success(request, _("The key is deleted."))
    return redirect("smime:keys")


@require_POST
@login_required
def import_certificate(request: HttpRequest) -> HttpResponse:
    """Keep another person's certificate."""
    try:
        kept = people.import_certificates(_person(request), _uploaded(request), request=request)
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
    if not people.forget(_person(request), certificate_id, request=request):
        raise Http404
    messages.success(request, _("The certificate is forgotten."))
    return redirect("smime:keys")
