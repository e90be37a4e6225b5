"""Fetching from strangers' servers: the one place that opens a connection because an address in
mail or in a certificate says so.
"""

from webmail.remote.fetching import (
    Answer,
    Limits,
    NotFetched,
    Posted,
    Rules,
    fetch,
)

__all__ = ["Answer", "Limits", "NotFetched", "Posted", "Rules", "fetch"]
