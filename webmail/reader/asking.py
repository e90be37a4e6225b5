"""What a message asks of its reader, as kept with its page: a way out of its list, a receipt.

    header ─facts_of─► page["asks"] ─webmail.reader.asks─► lines above the body

Made in the crypto lane; nothing is looked up and nothing is answered here.
"""

from typing import Any

from smime.reading import Reading
from webmail.mime import Headers
from webmail.mime.receipts import read_receipt_request
from webmail.mime.unsubscribing import is_list_mail, read_list_id, read_unsubscribe


def facts_of(reading: Reading) -> dict[str, Any]:
    """Return {"list": …, "receipt": …}, each None where nothing is asked.

    The list's fields are those outside: lists add them on the way, and a header that is protected
    within does not forbid them (RFC 9788 §7.1). A request for a receipt is the author's: within,
    where the header is protected.
    """
    outer = reading.message.root.headers
    return {
        "list": _list(outer),
        "receipt": None if is_list_mail(outer) else _receipt(reading, outer),
    }


def _list(outer: Headers) -> dict[str, Any] | None:
    found = read_unsubscribe(outer)
    if found.is_empty:
        return None
    identifier, name = read_list_id(outer)
    return {
        "id": identifier,
        "name": name,
        "web": found.web,
        "mail": found.mail,
        "one_click": found.one_click,
    }


def _receipt(reading: Reading, outer: Headers) -> dict[str, Any] | None:
    # A report is never answered by a report (RFC 8098 §2.1); what is not open was not displayed.
    if not reading.is_shown or reading.content.root.content_type == "multipart/report":
        return None
    headers = Headers(reading.headers.inner_fields) if reading.headers.scheme else outer
    asked = read_receipt_request(headers, delivery=outer)
    if asked is None:
        return None
    return {
        "to": [[each.name, each.address] for each in asked.addresses],
        "return_path": asked.return_path,
        "original_recipient": asked.original_recipient,
    }
