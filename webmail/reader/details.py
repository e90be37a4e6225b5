"""What "Details" above a message tells of its header, as it is kept with the page (crypto lane)."""

from typing import Any, Final

from smime.reading import Reading
from webmail.mime import Headers
from webmail.mime.trace import read_trace, to_json

_LIST_FIELDS: Final = (
    "List-Id",
    "List-Post",
    "List-Help",
    "List-Subscribe",
    "List-Unsubscribe",
    "List-Archive",
    "List-Owner",
)
_VALUE_LIMIT: Final = 500  # characters
_BULK: Final = frozenset({"list", "bulk", "junk"})


def read_details(reading: Reading) -> dict[str, Any]:
    """Return {"organization", "trace", "list", "is_to_many"} of a reading.

    The trace and what lists say are added on the way, and read outside; what the author says is
    read where the author's fields are protected, if they are.
    """
    outer = reading.message.root.headers
    authors = reading.content.root.headers if reading.headers.scheme is not None else outer
    return {
        "organization": authors.text("organization")[:_VALUE_LIMIT],
        "trace": to_json(read_trace(outer)),
        "list": [[name, outer.text(name)[:_VALUE_LIMIT]] for name in _LIST_FIELDS if name in outer],
        "is_to_many": is_to_many(outer),
    }


def is_to_many(headers: Headers) -> bool:
    """Say whether a list or a newsletter sent this, by what it says of itself."""
    precedence = headers.text("precedence").strip().lower()
    return precedence in _BULK or any(name in headers for name in _LIST_FIELDS)
