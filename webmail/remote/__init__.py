"""Asking strangers' servers: the one place that opens a connection because an address in mail or
in a certificate says so.
"""

from webmail.remote.fetching import (
    Answer,
    HostRefused,
    Limits,
    NotFetched,
    NoWord,
    Posted,
    Rules,
    deliver,
    fetch,
)

__all__ = [
    "Answer",
    "HostRefused",
    "Limits",
    "NoWord",
    "NotFetched",
    "Posted",
    "Rules",
    "deliver",
    "fetch",
]
