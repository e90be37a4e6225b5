"""The whole document of the message frame: our base rules around sanitised parts."""

import html
import re
from collections.abc import Sequence

from webmail.html.model import NO_PICTURE, PLACEHOLDER, Ground, SafeHtml

_LANGUAGE = re.compile(r"[a-zA-Z]{2,8}(?:-[a-zA-Z0-9]{1,8}){0,4}")
_FONTS = "Inter,system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"
_BASE = f"""
html{{margin:0;padding:0;overflow-wrap:break-word;text-size-adjust:100%}}
body{{margin:0;font:400 16px/24px {_FONTS};color:#221D18}}
.signet-part{{overflow-x:auto;overflow-y:hidden}}
.signet-part+.signet-part{{margin-top:24px}}
.signet-text{{white-space:pre-wrap;overflow-wrap:anywhere}}
.signet-plain blockquote,.signet-quote blockquote{{
 margin:8px 0;padding:0 0 0 12px;border-left:2px solid #D6CCBA}}
.signet-plain a{{color:#243F6B}}
.signet-quote>summary,.signet-signature>summary{{
 cursor:pointer;display:inline-block;list-style:none;margin:8px 0;padding:4px 8px;
 border-radius:6px;background:#E6DECF;color:#554D43;font:400 13px/16px {_FONTS}}}
summary::-webkit-details-marker{{display:none}}
summary:focus-visible,a:focus-visible{{outline:2px solid #1F4FBF;outline-offset:2px}}
img{{max-width:100%}}
:where(img[src="{NO_PICTURE}"]){{
 display:inline-block;box-sizing:border-box;overflow:hidden;padding:2px 6px;
 border:1px dashed #8E8474;
 font:400 13px/18px {_FONTS};text-align:left}}
img[src="{NO_PICTURE}"]{{background:#F3EDE2!important;color:#554D43!important}}
a:is([href^="/go/"],[href^="/attached/"]){{text-decoration:underline wavy #A3121F}}
a:is([href^="/go/"],[href^="/attached/"])::after{{
 content:" \\26A0\\FE0E";color:#A3121F;display:inline!important}}
pre{{white-space:pre-wrap}}
@media (max-width:640px){{
 body{{line-height:25px}}
 img:not([src="{PLACEHOLDER}"],[src="{NO_PICTURE}"]){{height:auto!important}}
 table{{max-width:100%}}}}
@media (pointer:coarse){{summary{{min-height:44px;box-sizing:border-box;padding:14px 12px}}}}
@media print{{
 html,body{{background:#fff!important}}
 .signet-part{{overflow:visible}}
 summary{{display:none!important}}
 details::details-content{{content-visibility:visible;display:block}}
 a{{color:inherit}}
 img,tr,blockquote{{break-inside:avoid}}}}
"""
_LIGHT = ":root{color-scheme:only light}"
# White on a dark page: the text keeps the distance from its edge that a light card gives it.
_CARD = _LIGHT + "@media screen{html{background:#fff;padding:16px 20px}}"
_DARK = """
:root{color-scheme:only dark}
@media screen{
 body{background:#1F1D1B;color:#EFE9DF}
 .signet-plain a{color:#A6BFEF}
 .signet-plain blockquote,.signet-quote blockquote{border-left-color:#413B35}
 .signet-quote>summary,.signet-signature>summary{background:#2F2B27;color:#C3B9AC}}
"""
_DARK_INVERTED = """
:root{color-scheme:only light}
@media screen{
 html{background:#fff;filter:invert(1) hue-rotate(180deg)}
 img{filter:invert(1) hue-rotate(180deg)}}
"""


def document(parts: Sequence[SafeHtml], *, theme: Ground, language: str | None, title: str) -> str:
    """The frame's document. The body of each part is inserted as nh3 wrote it.

    `language` is a BCP 47 tag or None; anything else is left out. In the dark theme parts that
    paint no dark ground are drawn inverted; on a "card" everything is light, with a margin.
    """
    lang = f' lang="{language}"' if language and _LANGUAGE.fullmatch(language) else ""
    css = "\n".join(part.css for part in parts if part.css)
    alone = parts[0] if len(parts) == 1 else None
    body_attributes = _body_attributes(alone) if alone else ""
    inner = "\n".join(_section(part, own_body=part is alone) for part in parts)
    return (
        f"<!DOCTYPE html>\n<html{lang}>\n<head>\n"
        '<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n"
        f"<style>{_BASE}{_theme_rules(parts, theme)}</style>\n"
        f"<style>{css}</style>\n"
        f"</head>\n<body{body_attributes}>\n{inner}\n</body>\n</html>\n"
    )


def _theme_rules(parts: Sequence[SafeHtml], theme: Ground) -> str:
    if theme != "dark":
        return _CARD if theme == "card" else _LIGHT
    return _DARK if all(part.adapts_to_dark for part in parts) else _DARK_INVERTED


def _body_attributes(part: SafeHtml) -> str:
    style = f' style="{html.escape(part.body_style)}"' if part.body_style else ""
    background = (
        f' background="{html.escape(part.body_background)}"' if part.body_background else ""
    )
    return style + background


def _section(part: SafeHtml, *, own_body: bool) -> str:
    name = "signet-part signet-plain" if part.is_plain else "signet-part"
    attributes = "" if own_body else _body_attributes(part)
    direction = part.direction or "auto"
    lang = f' lang="{part.language}"' if _LANGUAGE.fullmatch(part.language) else ""
    return f'<div class="{name}" dir="{direction}"{lang}{attributes}>{part.body}</div>'
