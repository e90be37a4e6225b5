"""Sign-in and sign-out."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import signin
from accounts.forms import SignInForm


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Show the sign-in page, or check what was entered."""
    target = _target(request)
    if request.method != "POST":
        if request.user.is_authenticated:
            return HttpResponseRedirect(target)
        return _page(request, address="", problem="", status=200)
    form = SignInForm(request.POST)
    address = request.POST.get("address", "")[:320]
    if not form.is_valid():
        problem = _("Enter your email address and your password.")
        return _page(request, address=address, problem=problem, status=422)
    result = signin.sign_in(request, form.cleaned_data["address"], form.cleaned_data["password"])
    if result.ok:
        return HttpResponseRedirect(target)
    status = {"throttled": 429, "worker-silent": 503, "server-unreachable": 503}
    return _page(
        request,
        address=address,
        problem=result.message,
        status=status.get(result.problem, 422),
    )


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    signin.sign_out(request)
    return redirect("accounts:sign-in")


def _page(request: HttpRequest, *, address: str, problem: str, status: int) -> HttpResponse:
    context = {
        "form": {"address": address},
        "problem": problem,
        "next": request.POST.get("next", request.GET.get("next", "")),
    }
    return render(request, "accounts/sign_in.html", context, status=status)


def _target(request: HttpRequest) -> str:
    """Return where to go after signing in: a page of this site only."""
    wanted = request.POST.get("next", request.GET.get("next", ""))
    is_ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if wanted and is_ours else resolve_url(settings.LOGIN_REDIRECT_URL)
