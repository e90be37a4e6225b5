"""New drafts from links: /compose, mailto fields, answers and forwards."""

from urllib.parse import unquote

from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

from accounts.models import Identity, User
from webmail.composer import certificates, drafts, habits, replying
from webmail.composer.content import DraftContent
from webmail.composer.forms import whole_number
from webmail.composer.models import Draft
from webmail.composer.recipients import parse
from webmail.html import html_to_text, own_html
from webmail.html.links import safe_mailto
from webmail.mailbox.access import message_for

_LONGEST_BODY = 50_000  # characters of a mailto link


def start(user: User, query: QueryDict, request: HttpRequest) -> Draft:
    """Make the draft that a link asks for. Raises Http404, NoIdentityError."""
    if "edit" in query:
        message = message_for(user, whole_number(query.get("edit")) or 0)
        return replying.continue_draft(user, message, request=request)
    for parameter, relation in (("reply", "reply"), ("forward", "forward")):
        if parameter in query:
            message = message_for(user, whole_number(query.get(parameter)) or 0)
            to_all = relation == "reply" and bool(query.get("all"))
            return replying.start(
                user, message, relation="reply-all" if to_all else relation, request=request
            )
    identity = drafts.identity_for(user, whole_number(query.get("from")))
    sign, encrypt = certificates.default_protection(user, identity, request)
    if query.get("ask") == "certificate":
        content = _request_for_certificate(query)
        encrypt = False
    else:
        content = _from_link(_taken_apart(query), identity)
    return drafts.new(user, content=content, identity=identity, sign=sign, encrypt=encrypt)


def _taken_apart(query: QueryDict) -> QueryDict:
    """Return the fields of the mailto URI (RFC 6068) that `mailto` holds, else the query itself."""
    uri = query.get("mailto", "")[:_LONGEST_BODY]
    if not uri.lower().startswith("mailto:"):
        return query
    addresses, _question, fields = safe_mailto(uri.partition(":")[2])[7:].partition("?")
    found = QueryDict(fields.replace("+", "%2B"), mutable=True)
    found.appendlist("to", unquote(addresses))
    return found


def _from_link(query: QueryDict, identity: Identity) -> DraftContent:
    """Return the fields of a mailto link (RFC 6068) and the identity's signature."""
    body = query.get("body", "")[:_LONGEST_BODY].replace("\r\n", "\n")
    signature = own_html(identity.signature) if identity.signature.strip() else ""
    text = body
    html = ""
    if signature:
        text = f"{body}\n\n-- \n{html_to_text(signature)}"
        if not body and not habits.habits_of(identity.user).writes_plain:
            html = f"<p><br></p><div>-- <br>{signature}</div>"
    return DraftContent(
        to=parse(", ".join(query.getlist("to"))),
        cc=parse(", ".join(query.getlist("cc"))),
        bcc=parse(", ".join(query.getlist("bcc"))),
        subject=" ".join(query.get("subject", "").split())[:998],
        text=text,
        html=html,
    )


def _request_for_certificate(query: QueryDict) -> DraftContent:
    return DraftContent(
        to=parse(", ".join(query.getlist("to"))),
        subject=_("Your certificate"),
        text=_("Could you send me a signed message? Then I can write to you encrypted.") + "\n",
    )
