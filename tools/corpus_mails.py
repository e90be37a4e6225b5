"""Mails to look at: those of the corpora, and a few kinds that no corpus has.

Each is a name and the octets a mail server would hand out. HTML files of the corpora become the
body of a mail; nothing in them is changed.
"""

import json
import os
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from io import BytesIO
from pathlib import Path
from zlib import crc32

from PIL import Image, ImageDraw

CORPORA = Path(
    os.environ.get("SIGNET_CORPORA") or Path(__file__).resolve().parents[2] / "shared" / "corpora"
)
_MESSAGES = {
    "flowed": "mime/stalwart-mail-parser/thirdparty/011.eml",
    "quotes-plain": "mime/stalwart-mail-parser/thirdparty/014.eml",
    "german-reply": "mime/stalwart-mail-parser/thirdparty/015.eml",
    "inline-image": "mime/stalwart-mail-parser/thirdparty/017.eml",
    "inline-image-and-file": "mime/stalwart-mail-parser/thirdparty/019.eml",
    "utf-16": "mime/stalwart-mail-parser/thirdparty/005.eml",
    "japanese": "mime/mimekit/messages/japanese.txt",
    "outlook-thread": "mime/mimekit/messages/issue358.txt",
    "delivery-status": "mime/mimekit/messages/delivery-status.txt",
    "bounce": "mime/mimekit/messages/bounce.txt",
    "mhtml": "mime/mimekit/messages/multipart-related-mhtml.txt",
    "forwarded": "mime/stalwart-mail-parser/rfc/002.eml",
    "digest": "mime/stalwart-mail-parser/rfc/004.eml",
    "nested": "mime/cpython/msg_38.txt",
    "list-footer-signed": "smime/signet-made/s16-footer-list.eml",
    "signed": "smime/signet-made/s01-valid.eml",
    "altered": "smime/signet-made/s02-content-altered.eml",
    "encrypted": "smime/protected-headers-draft/smime-sign+enc.eml",
    "efail": "smime/signet-made/e07-mixed-efail-direct.eml",
}
_PAGES = {
    "newsletter-small": "mime/newsletters/n1.html",
    "newsletter-large": "mime/newsletters/n3.html",
    "shop": "mime/mimekit/text/homedepot-check-inside-now.html",
    "fitness": "mime/mimekit/text/planet-fitness.html",
    "web-page": "mime/mimekit/text/mimekit.net.html",
    "product-news": "mime/mimekit/html/xamarin3.html",
    "release-news": "mime/mimekit/html/papercut-4.4.html",
    "korean-tables": "mime/mimekit/html/Gimhae_Kim_clan.utf-8.html",
    "broken-attributes": "mime/mimekit/html/badly-quoted-attr.html",
    "dark-rules": "mime/caniemail/css-media-prefers-color-scheme.html",
    "directions": "mime/caniemail/css-direction.html",
    "image-maps": "mime/caniemail/html-image-maps.html",
}
# ruff: noqa: E501 - lines of mail
_RIGHT_TO_LEFT = """<div dir="rtl"><h2>דוח רבעוני</h2><p>שלום נועה, מצורף הדוח. הפגישה ב-14:30, ראו
<a href="https://nordlys.example/report">הדוח המלא</a>.</p><ul><li>טורבינה 3: 98.2%</li><li>טורבינה 4: 91%</li></ul>
<blockquote>متى يصل التقرير؟ نحتاجه قبل يوم الخميس.</blockquote></div>"""
_DARK = """<body style="margin:0;background:#0b0f19"><table width="100%" bgcolor="#0b0f19" cellpadding="24">
<tr><td align="center"><table width="560" style="background:#151b2b;border-radius:12px" cellpadding="24">
<tr><td style="color:#e6ebf5;font:16px/24px Arial"><h1 style="color:#7dd3fc;font-size:28px;line-height:34px">Night build 412</h1>
<p>All 1,204 tests passed in 9 min.</p><a href="https://build.example/412" style="background:#38bdf8;color:#00131f;
padding:12px 20px;border-radius:8px;text-decoration:none">Open the report</a></td></tr></table></td></tr></table></body>"""
_LINKS = """<p>Confirm at <a href="https://evil.example/login">https://bank.example/login</a> or
<a href="https://bank.example@evil.example/">here</a>, <a href="https://xn--pple-43d.example/">our shop</a>,
<a href="javascript:alert(1)">this one</a>, <a href="data:text/html,x">that one</a>, or an honest
<a href="https://nordlys.example/">link</a>.</p><img src="https://track.example/open.gif?u=1" width="1" height="1">
<img src="https://pictures.example/a.png" alt="The new turbine hall" width="320" height="180">"""
_REPLY = """<div dir="ltr">Thursday suits me, let us meet at nine.<br></div><br><div class="gmail_quote"><div dir="ltr"
class="gmail_attr">On Mon, 2 Mar 2026 at 10:12, Petra &lt;petra@werkstrom.example&gt; wrote:<br></div><blockquote
class="gmail_quote" style="margin:0 0 0 0.8ex;border-left:1px solid #ccc;padding-left:1ex"><div>Does Thursday suit
you?</div><blockquote class="gmail_quote"><div>We should meet this week.</div></blockquote></blockquote></div>"""
_FLOWED = (
    "Yes, that is what I meant: the line was broken by the program that wrote it, and \r\n"
    "here it goes on as one paragraph, however wide the window is.\r\n\r\n"
    "> The table says 98.2 %. Is that the mean of the whole quarter, or of the days on which \r\n"
    "> the turbine ran?\r\n>> It is in the appendix, page 4.\r\n\r\nOf the whole quarter.\r\n\r\n"
    "-- \r\nAnna Lindqvist\r\nNordlys Energi · +46 8 123 45 67 · https://nordlys.example/\r\n"
)
_INVITATION = """BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//Nordlys//EN\r
METHOD:REQUEST\r
BEGIN:VEVENT\r
UID:412@nordlys.example\r
DTSTAMP:20260301T080000Z\r
DTSTART:20260312T130000Z\r
DTEND:20260312T140000Z\r
SUMMARY:Turbine 3: the quarter's figures\r
LOCATION:Room 4\r
ORGANIZER;CN=Petra Schulz:mailto:petra@werkstrom.example\r
ATTENDEE;CN=Bob;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:bob@nordlys.example\r
END:VEVENT\r
END:VCALENDAR\r
"""


def _wide_table() -> str:
    head = "".join(f"<th>Month {month}</th>" for month in range(1, 13))
    rows = "".join(
        f"<tr><td>Turbine {row}</td>"
        + "".join(f"<td>{row * 1000 + 37 * n}.5 MWh</td>" for n in range(12))
        + "</tr>"
        for row in range(1, 6)
    )
    return (
        "<p>Figures of the year; the sums are below.</p><table border=1 cellpadding=6 "
        f'style="white-space:nowrap"><tr><th></th>{head}</tr>{rows}</table><p>Regards, Petra</p>'
    )


def _photo(width: int, height: int) -> bytes:
    picture = Image.new("RGB", (width, height), "#7fa7c9")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, height * 2 // 3, width, height), fill="#4c7a4f")
    draw.ellipse(
        (width // 2, height // 6, width // 2 + height // 4, height * 5 // 12), fill="#f4d35e"
    )
    written = BytesIO()
    picture.save(written, "JPEG")
    return written.getvalue()


def _mail(subject: str, html: str = "", text: str = "", **fields: str) -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = "Petra Schulz <petra@werkstrom.example>"
    mail["To"] = "bob@nordlys.example"
    mail["Subject"] = subject
    mail["Date"] = "Mon, 02 Mar 2026 10:12:00 +0100"
    mail["Message-ID"] = f"<{crc32(subject.encode())}@werkstrom.example>"
    if text:
        mail.set_content(text)
    if html and text:
        mail.add_alternative(html, subtype="html")
    elif html:
        mail.set_content(html, subtype="html")
    for name, content in fields.items():
        mail[name.replace("_", "-")] = content
    return mail


def _written() -> Iterator[tuple[str, EmailMessage]]:
    yield "right-to-left", _mail("דוח רבעוני", _RIGHT_TO_LEFT, Content_Language="he")
    yield "dark-designed", _mail("Night build 412 passed", _DARK)
    yield "links", _mail("Your account", _LINKS)
    yield "reply", _mail("Re: This week", _REPLY)
    yield "wide-table", _mail("Figures of the year", _wide_table())
    flowed = _mail("Re: The table")
    flowed.set_content(_FLOWED, params={"format": "flowed"}, cte="8bit")
    yield "flowed-quotes", flowed
    photo = _mail("The hall", '<p>Here it is:</p><img src="cid:hall@x" alt="The turbine hall">')
    photo.add_related(_photo(4000, 2600), "image", "jpeg", cid="<hall@x>", filename="hall.jpg")
    yield "huge-photo", photo
    invitation = _mail("Invitation: the quarter's figures", text="You are invited.\n")
    invitation.add_alternative(_INVITATION, subtype="calendar", params={"method": "REQUEST"})
    yield "invitation", invitation
    yield (
        "list",
        _mail(
            "[plans] Minutes",
            text="Minutes are on the wiki.\n\n-- \nplans mailing list\n",
            List_Id="Plans <plans.lists.example>",
            List_Post="<mailto:plans@lists.example>",
            List_Unsubscribe="<mailto:plans-leave@lists.example>",
        ),
    )


def _hostile() -> EmailMessage:
    found = json.loads((CORPORA / "mime/signet-own/attack-html.json").read_text("utf-8"))
    return _mail("Attacks", "<hr>".join(found[:40]))


def mails() -> Iterator[tuple[str, bytes]]:
    """Yield name and octets of each mail; FileNotFoundError where the corpora are absent."""
    for name, path in _MESSAGES.items():
        raw = (CORPORA / path).read_bytes()
        if raw.startswith(b"From "):  # an mbox line
            raw = raw.partition(b"\n")[2]
        yield name, raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    for name, path in _PAGES.items():
        text = (CORPORA / path).read_text("utf-8", "replace")
        yield name, _mail(name.replace("-", " ").capitalize(), text).as_bytes()
    for name, mail in (*_written(), ("hostile", _hostile())):
        yield name, mail.as_bytes()
