"""The mails of the attack checklist (rendering.md §9), by row. `{evil}` is a host that counts."""

import base64
import os
import pickle
import tempfile
from pathlib import Path

from tests.webmail.html.test_sanitise import ATTACKS, BOMBS, EVIL

FROM = b"From: Mallory <mallory@evil.example>\nTo: b@example.test\nSubject: x\n"


def html_mail(source: str) -> bytes:
    body = base64.encodebytes(source.encode("utf-8", "surrogatepass")).replace(b"\n", b"\r\n")
    fields = b"Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: base64\n\n"
    return FROM + fields + body


def attacked(source: str) -> bytes:
    """HTML that calls the sink wherever the tables name a hostile host."""
    source = source.replace(EVIL, "{evil}").replace("//evil.example", "{evil}")
    head = FROM + b"Content-Type: text/html; charset=utf-8\n"
    return head + b"Content-Transfer-Encoding: 8bit\n\n" + source.encode("utf-8", "replace")


def text_mail(text: str, parameters: str = "") -> bytes:
    return FROM + f"Content-Type: text/plain; charset=utf-8{parameters}\n\n{text}".encode()


def attached(*files: tuple[str, str, str]) -> bytes:
    """A mail with attachments: type, the parameters of its disposition, content."""
    parts = [
        f"--b\nContent-Type: {kind}\nContent-Disposition: attachment; {name}\n\n{content}\n"
        for kind, name, content in files
    ]
    body = (
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nHello\n" + "".join(parts) + "--b--\n"
    )
    return FROM + body.encode()


SCRIPT = "<script>alert(1);new Image().src='{evil}/x'</script>"
SVG = f"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'>{SCRIPT}</svg>"
ACTIVE = [
    ("text/html", SCRIPT), ("image/svg+xml", SVG), ("application/xhtml+xml", SVG), ("text/xml", SVG),
    ("application/xml", SVG), ("text/javascript", "alert(1)"), ("multipart/x-mixed-replace", SCRIPT),
    ("message/rfc822", f"Content-Type: text/html\n\n{SCRIPT}"), ("application/pdf", SCRIPT),
    ("image/png", SVG), ("text/css", "@import '{evil}'"), ("application/x-shockwave-flash", "FWS"),
    ("text/vtt", SCRIPT), ("application/octet-stream", SCRIPT), ("", SCRIPT),
]  # fmt: skip
CALENDAR = "\n".join(
    [
        "BEGIN:VCALENDAR", "METHOD:REQUEST", "BEGIN:VEVENT",
        f"SUMMARY:{SCRIPT}", "DESCRIPTION:<img src=x onerror=alert(1)>",
        "X-ALT-DESC;FMTTYPE=text/html:<img src={evil}/a onerror=alert(1)>",
        "LOCATION:javascript:alert(1)", "URL:javascript:alert(1)", "END:VEVENT", "END:VCALENDAR",
    ]
)  # fmt: skip
TNEF_LOOP = b"\x78\x9f\x3e\x22\1\0\1\3\x90\6\0\xff\xff\xff\x7f" + b"\x1e\0\0\x10\0\0\0\0" * 5_000
FAKE_UI = (
    "<div style='position:fixed;top:0;left:0;width:100vw;height:100vh;z-index:2147483647;"
    "margin:-600px 0 0 -600px;background:#fff'>\U0001f512 ✅ Verified: signed by bank.example</div>"
    "<style>html,body{position:absolute!important;top:-500px!important}"
    "body{transform:translate(-500px,-500px)!important;outline:2000px solid red!important}</style>"
)

INJECTED = "x=0D=0AA666_LOGOUT=0D=0ABcc:_v@evil.example=0D=0A=0D=0A<script>alert(1)</script>"


def injected(field: str) -> bytes:
    """A header field whose encoded word holds line ends, a command, a field and markup."""
    head = b"\n".join(
        line
        for line in FROM.splitlines()
        if not line.lower().startswith(field.partition(":")[0].lower().encode())
    )
    return (
        head + f"\n{field.replace('{}', f'=?utf-8?q?{INJECTED}?=')}\n".encode()
        + b"Content-Type: text/plain\n\nx {3+}\r\nA667 LOGOUT\r\n"
    )  # fmt: skip


class _RunsCode:
    """What unpickling it would do: make the file `CANARY`."""

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (CANARY, "w")


CANARY = str(Path(tempfile.gettempdir()) / f"signet-canary-{os.getpid()}")
SERIALISED = {
    "pickle": base64.b64encode(pickle.dumps(_RunsCode())).decode(),
    "php": 'a:1:{i:0;O:16:"Crypt_GPG_Engine":1:{s:7:"_gpgconf";s:10:"touch /tmp";}}',
    "java": base64.b64encode(b"\xac\xed\x00\x05sr\x00\x11java.util.HashMap").decode(),
    "yaml": '!!python/object/apply:os.system ["touch /tmp/x"]',
    "json": '{"__proto__":{"innerHTML":"<img src=x onerror=alert(1)>"},"py/object":"os.system"}',
}


MAILS: dict[int, list[bytes]] = {
    row: [attacked(source) for source in sources] for row, sources in ATTACKS.items()
}
MAILS |= {
    6: [
        attacked(
            "<p style=\"font-family:'a&quot;;position:fixed;b&amp;quot;',serif;color:red\">x</p>"
        ),
        attacked(
            "<p style='color:red&#59;background&#58;url(https://evil.example/a)'>x</p>"
            "<p style='font-family:\"&amp;#34;;background:url(https://evil.example/b)\"'>x</p>"
        ),
    ],
    10: [
        attacked("<img src='{site}/logout'><img src='http://localhost/a'><td background='{site}/a'>"),
        attacked("<a href='{site}/logout'>x</a><img src='/logout'><img src='cid:none'>"),
    ],
    11: [
        attacked(
            "<p>Hi</p><div class=gmail_quote>On Monday wrote<blockquote><img src=x onerror=alert(1)>"
            "<a title='</div><img src=x onerror=alert(1)>'>y</a></blockquote></div>"
        ),
    ],
    12: [
        text_mail('https://a.example/"onmouseover=alert(1)// x\nhttps://a.example/<img src=x>'),
        text_mail("[a]: javascript:alert(1)\n[1]:<script>alert(1)</script>\njavascript:alert(1)"),
        text_mail("> > <svg onload=alert(1)> \n> \nx \ny", "; format=flowed; delsp=yes"),
        text_mail("{evil}/pixel.png <img src={evil}/a onerror=alert(1)>\n-- \n<script>alert(1)</script>"),
    ],
    13: [attached(*((kind, f"filename=a{n}", content) for n, (kind, content) in enumerate(ACTIVE)))],
    14: [
        attached(
            ("text/html", "filename*=utf-8''a%0D%0ASet-Cookie:%20x=1%0D%0A%0D%0A%3Cscript%3E", SCRIPT),
            ("text/html\r\n\tX-Injected: 1", 'filename="a\\"; filename=b.html"', SCRIPT),
        )
    ],
    15: [
        attached(
            ('text/"><script>alert(1)</script>', 'filename="<img src=x onerror=alert(1)>.txt"', "x"),
            ("application/ms-tnef", "filename=winmail.dat", "x"),
        )
    ],
    16: [
        FROM.replace(b"Subject: x", b"Subject: <img src=x onerror=alert(1)>")
        + b"Content-Type: text/html\n\n<title><script>alert(1)</script></title>x"
    ],
    17: [
        FROM + b"Content-Type: text/calendar; method=REQUEST\n\n" + CALENDAR.encode(),
        FROM
        + b"Content-Type: multipart/alternative; boundary=b\n\n--b\n\nHi\n--b\n"
        + b"Content-Type: text/calendar; method=REQUEST\n\n" + CALENDAR.encode() + b"\n--b--\n",
    ],
    18: [
        FROM + b"Content-Type: application/ms-tnef\nContent-Transfer-Encoding: base64\n\n"
        + base64.encodebytes(TNEF_LOOP)
    ],
    19: [
        FROM + b"Content-Type: text/enriched\n\n<bold>x</bold><param><script>alert(1)</script></param>",
        attacked("<style>body{background:url(https://evil.example/a)}</style><p onclick=alert(1)>x"),
    ],
    20: [injected("Subject: {}"), injected("Message-ID: <{}@evil.example>"), injected("To: {} <b@example.test>")],
    21: [
        injected("Subject: {}"), injected("From: {} <mallory@evil.example>"), injected("Organization: {}"),
        injected("Reply-To: {} <mallory@evil.example>"), injected("X-Injected: {}"),
        attached(("text/plain", f'filename="=?utf-8?q?{INJECTED}?="', "x")),
    ],
    22: [
        *(text_mail(text) for text in SERIALISED.values()),
        attached(*(("application/octet-stream", f"filename=session.{name}", text) for name, text in SERIALISED.items())),
        FROM + f"X-Session: {SERIALISED['pickle']}\nContent-Type: text/plain\n\nx".encode(),
    ],
    26: [
        FROM + b"".join(b"Content-Type: multipart/mixed; boundary=%d\n\n--%d\n" % (n, n) for n in range(5_000))
        + b"\nx",
        FROM + b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 100_000,
        FROM.replace(b"x\n", b"x" * 1_000_000 + b"\n") + b"\nx",
        FROM.replace(b"b@example.test", b"b@example.test, " * 20_000) + b"\nx",
        FROM + b"Content-Type: text/plain" + b";" * 100_000 + b"\n\nx",
    ],
    27: [
        *(html_mail(source) for source in BOMBS.values()),
        html_mail("<style>" + "a{" * 100_000 + "</style>x"),
    ],
    30: [html_mail(FAKE_UI)],
}  # fmt: skip
