"""Hypothesis strategies that build MIME trees as senders do, and damage them."""

from hypothesis import strategies as st

BOUNDARIES = st.sampled_from(["b", "=_x", "b-b", "a b", "----=_NextPart", "b'()+_,./:=?"])
ENCODINGS = st.sampled_from(
    ["7bit", "8bit", "binary", "base64", "quoted-printable", "x-uuencode", "x-rot13", ""]
)
CHARSETS = st.sampled_from(
    [
        "utf-8",
        "us-ascii",
        "iso-8859-1",
        "koi8-r",
        "gb2312",
        "iso-2022-jp",
        "utf-16",
        "x-none",
        "utf-7",
    ]
)
LEAVES = st.sampled_from(
    [
        "text/plain",
        "text/html",
        "text/enriched",
        "text/calendar; method=REQUEST",
        "image/png",
        "application/pdf",
        "application/ms-tnef",
        "application/octet-stream; name=winmail.dat",
        "application/pkcs7-mime; smime-type=enveloped-data",
        "application/pkcs7-signature",
        "message/partial; number=1; total=2; id=x",
        "message/external-body; access-type=URL",
        "message/delivery-status",
        "application/applefile",
        "text",
        "/",
        "",
    ]
)
CONTAINERS = st.sampled_from(
    [
        "mixed",
        "alternative",
        "related",
        "signed",
        "encrypted",
        "report",
        "digest",
        "parallel",
        "appledouble",
        "byteranges",
        "form-data",
        "x-unknown",
    ]
)
FIELDS = st.lists(
    st.sampled_from(
        [
            'Content-Disposition: attachment; filename="a.txt"',
            "Content-Disposition: inline; filename*0*=utf-8''%C3; filename*1*=%A4",
            "Content-ID: <a@b>",
            "Content-Language: de",
            "Content-Type: text/html",
            " folded",
            "no field",
            "Subject: =?utf-8?b?w7w=?=",
            'From: G: a@b.example;, "x" <c@d.example>',
            "From: a@b.example",
            "Date: Mon, 1 Jan 1970 25:61:61 +9999",
            "To: (((",
        ]
    ),
    max_size=3,
)
CONTENTS = st.one_of(
    st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.binary(max_size=60),
    st.sampled_from(
        [
            b"<p>Hello <img src=cid:a@b></p>",
            b"begin 644 a.txt\n#86)C\n`\nend\n",
            b"-- \nsig",
            b"=ybegin line=128 size=1 name=a\n\x8b\n=yend size=1\n",
            b"x \n> y \n>> z\n",
            b"\x78\x9f\x3e\x22\1\0\2\2\x90\6\0\4\0\0\0abcd\0\0",
            b"<svg><script>alert(1)</script>",
            b"aGVsbG8=\n",
            b"=C3=A4=\n",
            b"BEGIN:VCALENDAR\nEND:VCALENDAR\n",
        ]
    ),
)


@st.composite
def leaf(draw: st.DrawFn) -> bytes:
    kind, charset = draw(LEAVES), draw(CHARSETS)
    lines = [f"Content-Type: {kind}; charset={charset}" if kind else "", *draw(FIELDS)]
    if encoding := draw(ENCODINGS):
        lines.append(f"Content-Transfer-Encoding: {encoding}")
    return "\n".join(line for line in lines if line).encode() + b"\n\n" + draw(CONTENTS)


def _container(children: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    @st.composite
    def build(draw: st.DrawFn) -> bytes:
        subtype, boundary = draw(CONTAINERS), draw(BOUNDARIES)
        head = "\n".join(
            [f'Content-Type: multipart/{subtype}; boundary="{boundary}"', *draw(FIELDS)]
        )
        delimiter = f"\n--{boundary}".encode()
        body = b"".join(
            delimiter + draw(st.sampled_from([b"", b" ", b"\t "])) + b"\n" + child
            for child in draw(st.lists(children, max_size=4))
        )
        close = delimiter + b"--\n" if draw(st.booleans()) else b""
        return head.encode() + b"\n\n" + draw(st.sampled_from([b"", b"preamble"])) + body + close

    forwarded = children.map(lambda child: b"Content-Type: message/rfc822\n\nSubject: in\n" + child)
    return st.one_of(build(), forwarded)


TREES = st.recursive(leaf(), _container, max_leaves=12)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A tree with line ends of one kind and up to three pieces cut out, doubled or overwritten."""
    raw = draw(TREES)
    raw = raw.replace(b"\n", draw(st.sampled_from([b"\n", b"\r\n", b"\r\n", b"\r"])))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(raw)))
        end = min(start + draw(st.integers(0, 40)), len(raw))
        piece = draw(
            st.sampled_from([b"", raw[start:end] * 2, b"\n--b\n", b"\0", b"\r", b'"', b"=?"])
        )
        raw = raw[:start] + piece + raw[end:]
    return raw
