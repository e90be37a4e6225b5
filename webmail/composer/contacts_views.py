"""Addresses of the address book: parse, one call, answer."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from webmail.composer import contacts
from webmail.composer.answers import user_of
from webmail.composer.models import Contact
from webmail.html import attachment_headers


@login_required
@require_GET
def contact_list(request: HttpRequest) -> HttpResponse:
    """Saved contacts, and apart from them whom mail names."""
    user, query = user_of(request), request.GET.get("q", "")
    context = {
        "saved": contacts.saved(user, query),
        "seen": contacts.seen(user, query),
        "query": query,
        "section": "contacts",
    }
    return render(request, "composer/contacts.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Save somebody; `name` and `address` fill the form in."""
    return _form(request, None)


@login_required
@require_http_methods(["GET", "POST"])
def contact(request: HttpRequest, contact_id: int) -> HttpResponse:
    """Show and change a contact."""
    return _form(request, contacts.contact_for(user_of(request), contact_id))


def _form(request: HttpRequest, found: Contact | None) -> HttpResponse:
    problem = ""
    if request.method == "POST":
        values = {name: request.POST.get(name, "") for name in ("name", "addresses", "note")}
        try:
            contacts.save(
                user_of(request),
                name=values["name"],
                addresses=values["addresses"].splitlines(),
                note=values["note"],
                contact=found,
            )
        except contacts.NotSaved as reason:
            problem = str(reason)
        else:
            messages.success(request, _("Saved in your contacts."))
            return redirect("composer:contacts")
    elif found is not None:
        addresses = "\n".join(each.address for each in found.addresses.all())
        values = {"name": found.name, "addresses": addresses, "note": found.note}
    else:
        address = request.GET.get("address", "")[:320]
        values = {"name": request.GET.get("name", "")[:300], "addresses": address, "note": ""}
    context = {"contact": found, "problem": problem, "section": "contacts", **values}
    return render(request, "composer/contact.html", context, status=422 if problem else 200)


@login_required
@require_POST
def delete(request: HttpRequest, contact_id: int) -> HttpResponse:
    """Remove a contact."""
    contacts.delete(contacts.contact_for(user_of(request), contact_id))
    messages.success(request, _("Removed from your contacts."))
    return redirect("composer:contacts")


@login_required
@require_GET
def export(request: HttpRequest) -> HttpResponse:
    """Download all contacts as one vCard file."""
    return _file(contacts.written(contacts.all_of(user_of(request))), _("Contacts"))


@login_required
@require_GET
def export_one(request: HttpRequest, contact_id: int) -> HttpResponse:
    """Download a contact as a vCard file."""
    found = contacts.contact_for(user_of(request), contact_id)
    return _file(contacts.written([found]), found.shown)


def _file(text: str, name: str) -> HttpResponse:
    headers = attachment_headers(f"{name}.vcf", "text/vcard")
    return HttpResponse(text.encode(), headers=headers)
