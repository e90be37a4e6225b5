"""The allow-lists of HTML. What is not named here does not reach a reader."""

from webmail.html.words import words

TAGS = words(
    """
    a abbr acronym address area article aside b bdi bdo big blockquote br caption center cite code
    col colgroup dd del details dfn dir div dl dt em figcaption figure font footer h1 h2 h3 h4 h5
    h6 header hr i img ins kbd li main map mark menu nav ol p pre q rp rt ruby s samp section
    small span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul var wbr
    """
)
# Elements that go together with everything in them.
DROPPED_WITH_CONTENT = words(
    """
    script style title noscript template iframe object embed applet svg math xmp plaintext noembed
    audio video canvas
    """
)
ATTRIBUTES: dict[str, frozenset[str]] = {
    "*": words(
        """
    style class id title dir lang align valign bgcolor color width height border background role
    aria-label aria-hidden
    """
    ),
    "a": frozenset({"href", "name", "shape", "coords"}),
    "area": frozenset({"href", "name", "shape", "coords", "alt"}),
    "img": frozenset({"src", "alt", "hspace", "vspace", "usemap"}),
    "table": frozenset({"cellpadding", "cellspacing", "summary", "rules", "frame"}),
    "td": frozenset({"colspan", "rowspan", "nowrap", "headers", "scope"}),
    "th": frozenset({"colspan", "rowspan", "nowrap", "headers", "scope"}),
    "col": frozenset({"span"}),
    "colgroup": frozenset({"span"}),
    "font": frozenset({"face", "size", "color"}),
    "ol": frozenset({"start", "type", "reversed", "value"}),
    "ul": frozenset({"start", "type", "reversed", "value"}),
    "li": frozenset({"start", "type", "reversed", "value"}),
    "hr": frozenset({"size", "noshade"}),
    "map": frozenset({"name"}),
    "time": frozenset({"datetime"}),
    "br": frozenset({"clear"}),
    "details": frozenset({"open"}),
    "blockquote": frozenset({"type"}),  # only "cite", which marks a reply's quote
}
SCHEMES = frozenset({"http", "https", "mailto", "tel", "data", "cid"})
LINK_REL = "noopener noreferrer nofollow"
# Every link opens a tab of its own; the link filter takes the target back from fragments.
SET_ATTRIBUTES = {
    "a": {"target": "_blank"},
    "area": {"target": "_blank", "rel": LINK_REL},
}

TEXT_TAGS = frozenset({"a", "br", "span", "blockquote", "pre", "div", "details", "summary"})
TEXT_ATTRIBUTES: dict[str, frozenset[str]] = {"*": frozenset({"class"}), "a": frozenset({"href"})}
