"""Why a CMS object could not be read, as codes to choose words by."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

type Reason = Literal[
    "damaged",  # the bytes are no complete CMS object
    "trailing-bytes",  # something follows the CMS object
    "content-type",  # what is inside is not a mail
    "attributes",  # signed attributes missing, doubled, or contradicting each other
    "unknown-algorithm",
    "certificate-missing",  # the signer's own certificate came neither with the mail nor otherwise
    "certificate-damaged",
    "key-too-large",
    "structure",  # multipart/signed without two children, or without a signature
    "not-unpacked",  # packed too deeply or too large
    "old-kind",  # signedAndEnvelopedData
]


class CmsError(Exception):
    """The object cannot be read; `reason` says why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


@contextmanager
def reading(reason: Reason = "damaged") -> Iterator[None]:
    """Turn whatever asn1crypto raises on hostile bytes into one CmsError."""
    try:
        yield
    except (
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        raise CmsError(reason) from error
