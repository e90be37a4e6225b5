"""How the composer answers: whole pages and redirects, or fragments when script asks (htmx)."""

import json
import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from webmail.composer import outbox_page
from webmail.composer.composer_page import (
    Trouble,
    composer_view,
    open_url,
    saved_words,
    urls_of,
)
from webmail.composer.forms import ComposerPost, read_post
from webmail.composer.models import Draft
from webmail.composer.presenting import ProtectionView, SavedView
from webmail.composer.sending_off import Sent
from webmail.composer.validation import NotSendable


def user_of(request: HttpRequest) -> User:
    """Return who is signed in (views behind `login_required`)."""
    assert isinstance(request.user, User)
    return request.user


def is_htmx(request: HttpRequest) -> bool:
    """Whether script asks and wants a fragment."""
    return request.headers.get("HX-Request") == "true"


def page(
    request: HttpRequest, draft: Draft, *, trouble: Trouble | None = None, status: int = 200
) -> HttpResponse:
    """Return the composer, or the protection panel as a page (or fragment) of its own."""
    trouble = trouble or Trouble()
    # The same click may be repeated after a choice: its key stays. A new page gets a new one.
    key = read_post(request.POST).key if trouble.protection else uuid.uuid4()
    view = composer_view(user_of(request), draft, request, trouble=trouble, key=key)
    template = "composer/compose.html"
    if trouble.protection is not None:
        part = "composer/partials/protection.html"
        template = part if is_htmx(request) else "composer/protection.html"
    return render(request, template, {"composer": view}, status=status)


def conflict(request: HttpRequest, draft: Draft, posted: ComposerPost) -> HttpResponse:
    """Tell that a newer text is stored, keeping the form's."""
    words = _("You also edited this elsewhere.")
    if is_htmx(request):
        view = SavedView(state="conflict", words=words, revision=draft.revision, at=None)
        return render(request, "composer/partials/saved.html", {"saved": view}, status=409)
    trouble = Trouble(failure=words, is_conflict=True, typed=posted.content)
    return page(request, draft, trouble=trouble, status=409)


def is_sending(request: HttpRequest) -> HttpResponse:
    """Tell that the draft's mail is on its way."""
    if is_htmx(request):
        view = SavedView(
            state="sending", words=_("This message is being sent."), revision=0, at=None
        )
        return render(request, "composer/partials/saved.html", {"saved": view}, status=409)
    return redirect("composer:outbox")


def saved(request: HttpRequest, draft: Draft) -> HttpResponse:
    """Confirm a save."""
    if not is_htmx(request):
        return redirect(open_url(draft.pk))
    view = SavedView(
        state="saved", words=saved_words(draft), revision=draft.revision, at=draft.updated_at
    )
    answer = render(request, "composer/partials/saved.html", {"saved": view})
    answer["Signet-Revision"] = str(draft.revision)
    return answer


def files_changed(
    request: HttpRequest, draft: Draft, *, failures: tuple[str, ...] = ()
) -> HttpResponse:
    """Show the draft's files again, and why some were not attached."""
    status = 422 if failures else 200
    trouble = Trouble(attachments_failures=failures)
    if is_htmx(request):
        view = composer_view(user_of(request), draft, request, trouble=trouble)
        answer = render(
            request, "composer/partials/attachments.html", {"composer": view}, status=status
        )
        answer["Signet-Revision"] = str(draft.revision)
        return answer
    if failures:
        return page(request, draft, trouble=trouble, status=status)
    return redirect(open_url(draft.pk))


def not_sendable(request: HttpRequest, draft: Draft, refusal: NotSendable) -> HttpResponse:
    """Say why nothing was sent, where the reason can be mended."""
    match refusal.kind:
        case "no-recipient" | "too-many-recipients" | "bad-address":
            trouble = Trouble(recipients_failure=refusal.message)
        case "too-large":
            trouble = Trouble(attachments_failures=(refusal.message,))
        case _:
            trouble = Trouble(failure=refusal.message, protection=refusal.protection)
    return page(request, draft, trouble=trouble, status=422)


def protection_panel(
    request: HttpRequest, draft: Draft, panel: ProtectionView | None
) -> HttpResponse:
    """Show script what stands between the form as it is and its sending; 204 if nothing does."""
    if panel is None:
        return HttpResponse(status=204)
    context = {"composer": {"protection": panel, "urls": urls_of(draft.pk)}, "is_live": True}
    return render(request, "composer/partials/protection.html", context)


def sent(request: HttpRequest, outcome: Sent, draft_id: int) -> HttpResponse:
    """Say where the mail stands: on its way, not possible, or still being made by another click."""
    if outcome.has_failed:
        if is_htmx(request) and outcome.mail.draft is not None:
            return page(request, outcome.mail.draft, status=422)
        return redirect(open_url(draft_id))
    if outcome.is_repeat and outcome.is_running:
        return render(request, "composer/still_sending.html", status=409)
    if not is_htmx(request):
        return redirect("composer:outbox")
    item = outbox_page.item(outcome.mail, now=timezone.now())
    toast = {
        "words": item.words,
        "seconds": item.seconds_left,
        "undo": item.undo_url if item.can_undo else "",
        "send_now": item.send_now_url if item.can_send_now else "",
    }
    return toasted(toast)


def toasted(toast: dict[str, object], *, status: int = 204, go_to: str = "") -> HttpResponse:
    """Answer script with words to show, and a page to go to if there is one."""
    answer = HttpResponse(status=status)
    answer["Signet-Toast"] = json.dumps(toast)
    if go_to:
        answer["HX-Redirect"] = go_to
    return answer
