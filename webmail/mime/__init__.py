"""Reading and writing mail: MIME trees with byte offsets, header fields, addresses, dates.

Pure: no Django, no network, no clock. Everything that reads accepts any octets and never raises;
everything that writes (`webmail.mime.write`) refuses what it cannot write faithfully.
"""

from webmail.mime.addresses import (
    Address,
    AddressList,
    ascii_domain,
    parse_addresses,
    read_address_list,
)
from webmail.mime.body import DecodedText, decode_body, decode_text, part_source
from webmail.mime.choosing import AttachmentPart, BodyBlock, BodyChoice, choose_body, is_secured
from webmail.mime.dates import parse_date
from webmail.mime.embedded import find_part
from webmail.mime.envelope import read_envelope
from webmail.mime.filenames import is_deceptive_filename, safe_filename
from webmail.mime.headers import Headers
from webmail.mime.limits import Limits
from webmail.mime.parts import STRUCTURE_UNUSUAL, Envelope, Flag, Message, Part
from webmail.mime.shown import shown_safe
from webmail.mime.tree import parse_message
from webmail.mime.words import decode_header_value

__all__ = [
    "STRUCTURE_UNUSUAL",
    "Address",
    "AddressList",
    "AttachmentPart",
    "BodyBlock",
    "BodyChoice",
    "DecodedText",
    "Envelope",
    "Flag",
    "Headers",
    "Limits",
    "Message",
    "Part",
    "ascii_domain",
    "choose_body",
    "decode_body",
    "decode_header_value",
    "decode_text",
    "find_part",
    "is_deceptive_filename",
    "is_secured",
    "parse_addresses",
    "parse_date",
    "parse_message",
    "part_source",
    "read_address_list",
    "read_envelope",
    "safe_filename",
    "shown_safe",
]
