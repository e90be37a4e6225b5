"""Dates of header fields (RFC 5322 §3.3, §4.3): always aware, None when absurd."""

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz
from typing import Final

_LONGEST: Final = 200  # octets that can hold a date with comments
_EARLIEST: Final = 1900
_LATEST: Final = 9998  # a conversion between zones must not leave datetime's range
_ISO: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
_DAY: Final = 86_400


def parse_date(value: bytes | str | None) -> datetime | None:
    """The moment a date field names; a missing or absurd zone is read as UTC."""
    if value is None:
        return None
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    text = text[:_LONGEST].strip()
    moment = _parse_iso(text) if _ISO.match(text) else _parse_rfc5322(text)
    if moment is None or not _EARLIEST <= moment.year <= _LATEST:
        return None
    return moment


def _parse_iso(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _parse_rfc5322(text: str) -> datetime | None:
    try:
        fields = parsedate_tz(text)
    except (ValueError, IndexError, TypeError, OverflowError):
        return None  # the parser of the standard library is lenient, not total
    if fields is None:
        return None
    year, month, day, hour, minute, second = fields[:6]
    offset = fields[9]
    zone = UTC
    if offset and abs(offset) < _DAY:
        zone = timezone(timedelta(seconds=offset))
    try:
        # RFC 5322 §3.3 allows the leap second 60, datetime does not.
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=zone)
    except (ValueError, OverflowError):
        return None
