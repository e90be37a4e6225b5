"""Read receipts (RFC 8098): who asks to be told, and what the answer says."""

import re
from dataclasses import dataclass
from typing import Final

from webmail.mime.addresses import Address, read_address_list
from webmail.mime.fields import encode_addr_spec
from webmail.mime.headers import Headers
from webmail.mime.words import decode_header_value

FIELD: Final = "disposition-notification-to"
OPTIONS_FIELD: Final = "disposition-notification-options"
MOST_ADDRESSES: Final = 5  # whoever asks for more of them asks for none
_OPTION: Final = re.compile(r"[^;=]+=\s*([A-Za-z]+)\s*,")
_PRINTABLE: Final = re.compile(r"[!-~][ -~]{0,900}")


@dataclass(frozen=True, slots=True)
class ReceiptRequest:
    """A request to be told that the mail was displayed."""

    addresses: tuple[Address, ...]  # 1 to MOST_ADDRESSES
    return_path: str  # where the mail itself would go back to, if that is somebody else
    original_recipient: str  # as sent, with its type; empty if unknown


def read_receipt_request(headers: Headers, *, delivery: Headers) -> ReceiptRequest | None:
    """Return what is asked for; None for nothing, and for what cannot be answered rightly.

    headers: the author's; delivery: as transported, where servers put Return-Path and
    Original-Recipient. An option that is required and unknown forbids an answer (RFC 8098 §2.2),
    and so does an empty return path: a program wrote that.
    """
    fields = headers.get_all(FIELD)
    if len(fields) != 1 or _requires_more(headers):
        return None
    found = read_address_list(fields[0], limit=MOST_ADDRESSES)
    by_address = {each.address.lower(): each for each in found.addresses if each.address}
    if not by_address or found.is_cut or found.has_group:
        return None
    path = delivery.get("return-path")
    sent_back = _return_path(path) if path is not None else None
    if sent_back == "":
        return None
    differs = sent_back is not None and sent_back.lower() not in by_address
    return ReceiptRequest(
        addresses=tuple(by_address.values()),
        return_path=sent_back if differs and sent_back else "",
        original_recipient=decode_header_value(delivery.get("original-recipient") or b"").strip(),
    )


def _requires_more(headers: Headers) -> bool:
    options = headers.text(OPTIONS_FIELD)
    return any(value.lower() == "required" for value in _OPTION.findall(options[:4000]))


def _return_path(value: bytes) -> str:
    """Return the address; empty for <>, and for what is no address."""
    found = read_address_list(value, limit=1).addresses
    return found[0].address if found else ""


def displayed(
    *,
    final_recipient: str,
    original_recipient: str,
    original_message_id: str,
    product: str,
) -> str:
    """Return the fields of a message/disposition-notification: a person let it be sent.

    RFC 8098 §3.2: manual-action/MDN-sent-manually; displayed. original_message_id: without angle
    brackets, "" if the mail has none. Raises ValueError, NeedsSmtpUtf8Error for an address that
    cannot be written.
    """
    lines = [f"Reporting-UA: {product}"]
    if _PRINTABLE.fullmatch(original_recipient) and ";" in original_recipient:
        lines.append(f"Original-Recipient: {original_recipient}")
    lines.append(f"Final-Recipient: rfc822;{encode_addr_spec(final_recipient)}")
    if _PRINTABLE.fullmatch(original_message_id):
        lines.append(f"Original-Message-ID: <{original_message_id}>")
    lines.append("Disposition: manual-action/MDN-sent-manually; displayed")
    return "".join(f"{line}\r\n" for line in lines)
