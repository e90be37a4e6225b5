"""The writing pass: nh3 is the last writer of everything this room hands out."""

import logging
from collections.abc import Callable, Mapping

import bleach
import nh3

from webmail.html.allowed import (
    ATTRIBUTES,
    DROPPED_WITH_CONTENT,
    LINK_REL,
    SCHEMES,
    SET_ATTRIBUTES,
    TAGS,
)
from webmail.html.css import safe_declarations

logger = logging.getLogger(__name__)

type Filter = Callable[[str, str, str], str | None]


class WriterFailed(Exception):  # noqa: N818 - the name says what happened
    """nh3 gave up on the input, by an error or a panic of its native code."""


def write(
    source: str,
    attribute_filter: Filter,
    *,
    tags: frozenset[str] = TAGS,
    attributes: Mapping[str, frozenset[str]] = ATTRIBUTES,
) -> str:
    """Sanitise `source`; every attribute passes `attribute_filter`. Raises WriterFailed."""
    return _clean(
        source,
        nh3.Cleaner(
            tags=tags,
            clean_content_tags=DROPPED_WITH_CONTENT,
            attributes=attributes,
            attribute_filter=attribute_filter,
            strip_comments=True,
            link_rel=LINK_REL,
            set_tag_attribute_values={
                tag: values for tag, values in SET_ATTRIBUTES.items() if tag in tags
            },
            url_schemes=SCHEMES,
        ),
    )


def write_again(source: str, attribute_filter: Filter) -> str:
    """Write once more what `write` wrote, after an edit or a wash. Raises WriterFailed.

    Nothing is set here: link targets and rel are those of the first writing, or they are removed.
    """
    link = frozenset({"target", "rel"})
    attributes = ATTRIBUTES | {
        "a": ATTRIBUTES["a"] | link,
        "area": ATTRIBUTES["area"] | link,
    }
    return _clean(
        source,
        nh3.Cleaner(
            tags=TAGS,
            clean_content_tags=DROPPED_WITH_CONTENT,
            attributes=attributes,
            attribute_filter=attribute_filter,
            strip_comments=True,
            link_rel=None,
            url_schemes=SCHEMES,
        ),
    )


def _clean(source: str, cleaner: nh3.Cleaner) -> str:
    try:
        return cleaner.clean(source)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        # A panic of the native code is a BaseException: `except Exception` would let it through.
        logger.exception("nh3 failed")
        raise WriterFailed from error


class _DeclarationFilter:
    """The CSS rule for bleach, which would keep url() and var() by itself."""

    def sanitize_css(self, style: str) -> str:
        return safe_declarations(style).text


def wash(source: str) -> str:
    """A second opinion by bleach. The caller lets nh3 write the result again."""
    link = frozenset({"target", "rel"})
    attributes = {tag: sorted(names) for tag, names in ATTRIBUTES.items()}
    for tag in ("a", "area"):
        attributes[tag] = sorted(ATTRIBUTES[tag] | link)
    return str(
        bleach.clean(
            source,
            tags=TAGS,
            attributes=attributes,
            protocols=SCHEMES,
            strip=True,
            strip_comments=True,
            css_sanitizer=_DeclarationFilter(),
        )
    )
