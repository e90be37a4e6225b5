"""The writing pass: nh3 is the last writer of everything this room hands out."""

import logging
from collections.abc import Callable, Mapping
from contextvars import ContextVar

import bleach
import nh3

from webmail.html.allowed import (
    ATTRIBUTES,
    DROPPED_WITH_CONTENT,
    LINK_REL,
    SCHEMES,
    SET_ATTRIBUTES,
    TAGS,
    TEXT_ATTRIBUTES,
    TEXT_TAGS,
)
from webmail.html.css import safe_declarations

logger = logging.getLogger(__name__)

type Filter = Callable[[str, str, str], str | None]


class WriterFailed(Exception):  # noqa: N818 - the name says what happened
    """nh3 gave up on the input, by an error or a panic of its native code."""


def _refuse(_tag: str, _attribute: str, _value: str) -> str | None:
    """The filter while there is none: nothing passes."""
    return None


# The filter of the writing under way. Making a cleaner takes longer than cleaning a short mail, so
# each is made once; what it asks stands here, for each thread by itself.
_filter: ContextVar[Filter] = ContextVar("attribute filter of a writing", default=_refuse)


def _ask(tag: str, attribute: str, value: str) -> str | None:
    return _filter.get()(tag, attribute, value)


def _cleaner(
    tags: frozenset[str],
    attributes: Mapping[str, frozenset[str]],
    *,
    link_rel: str | None,
    set_values: Mapping[str, Mapping[str, str]],
) -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=tags,
        clean_content_tags=DROPPED_WITH_CONTENT,
        attributes=attributes,
        attribute_filter=_ask,
        strip_comments=True,
        link_rel=link_rel,
        set_tag_attribute_values={tag: each for tag, each in set_values.items() if tag in tags},
        url_schemes=SCHEMES,
    )


_LINK = frozenset({"target", "rel"})
_WRITTEN = ATTRIBUTES | {tag: ATTRIBUTES[tag] | _LINK for tag in ("a", "area")}
_OF_HTML = _cleaner(TAGS, ATTRIBUTES, link_rel=LINK_REL, set_values=SET_ATTRIBUTES)
_OF_TEXT = _cleaner(TEXT_TAGS, TEXT_ATTRIBUTES, link_rel=LINK_REL, set_values=SET_ATTRIBUTES)
_AGAIN = _cleaner(TAGS, _WRITTEN, link_rel=None, set_values={})


def write(source: str, attribute_filter: Filter) -> str:
    """Sanitise `source`; every attribute passes `attribute_filter`. Raises WriterFailed."""
    return _clean(source, _OF_HTML, attribute_filter)


def write_text(source: str, attribute_filter: Filter) -> str:
    """Like `write`, for the few elements and attributes that shown text has."""
    return _clean(source, _OF_TEXT, attribute_filter)


def write_again(source: str, attribute_filter: Filter) -> str:
    """Write once more what `write` wrote, after an edit or a wash. Raises WriterFailed.

    Nothing is set here: link targets and rel are those of the first writing, or they are removed.
    """
    return _clean(source, _AGAIN, attribute_filter)


def _clean(source: str, cleaner: nh3.Cleaner, attribute_filter: Filter) -> str:
    outer = _filter.set(attribute_filter)
    try:
        return cleaner.clean(source)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        # A panic of the native code is a BaseException: `except Exception` would let it through.
        logger.exception("nh3 failed")
        raise WriterFailed from error
    finally:
        _filter.reset(outer)


class _DeclarationFilter:
    """The CSS rule for bleach, which would keep url() and var() by itself."""

    def sanitize_css(self, style: str) -> str:
        return safe_declarations(style).text


def wash(source: str) -> str:
    """A second opinion by bleach. The caller lets nh3 write the result again."""
    return str(
        bleach.clean(
            source,
            tags=TAGS,
            attributes={tag: sorted(names) for tag, names in _WRITTEN.items()},
            protocols=SCHEMES,
            strip=True,
            strip_comments=True,
            css_sanitizer=_DeclarationFilter(),
        )
    )
