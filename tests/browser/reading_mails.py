"""Mails as people get them: to be looked at, walked through by keyboard and printed."""

from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP

from tests.browser.pane_mails import Mail
from tests.smime.pki.people import context

LINKS = """<p>Confirm at <a id="shown" href="https://evil.example/login">https://bank.example/login</a>,
<a id="at" href="https://bank.example@evil.example/">here</a>,
<a id="alike" href="https://xn--pple-43d.example/">our shop</a>,
<a id="script" href="javascript:alert(1)">this</a>, <a id="inline" href="data:text/html,x">that</a>,
or an honest <a id="honest" href="https://nordlys.example/plan">link</a>.</p>
<img src="https://track.example/open.gif?u=1" width="1" height="1">
<img src="https://pictures.example/hall.png" alt="The turbine hall" width="320" height="180">"""
WIDE = (
    "<p>Figures of the year.</p><table border=1 style='white-space:nowrap'><tr>"
    + "".join(f"<td>Month {month}: {month}037.5 MWh</td>" for month in range(1, 13))
    + "</tr></table><p>Regards, Petra</p>"
)
NEWSLETTER = (
    '<div id="sheet" style="width:700px;margin:0 auto"><table cellpadding="0" width="700"><tr>'
    '<td style="min-width:460px"><h1>The week at Fjell</h1>'
    "<p>Forty words on the tunnel, the bridge and the ferry, as every week.</p></td>"
    '<td style="min-width:200px;background:#e6decf">Read on</td></tr></table></div>'
)
QUOTED = (
    "Yes, Thursday.\r\n\r\n"
    + "".join(f"Line {number} of the answer.\r\n" for number in range(1, 81))
    + "\r\n> Does Thursday suit you?\r\n>> We should meet this week.\r\n\r\n-- \r\nAnna Lindqvist\r\n"
)
PAINTED = (
    "<style>p{color:#222}@media (prefers-color-scheme:dark){body{background:#101820}"
    "p{color:#e8e8e8}}</style><body><p>Night build passed</p>"
)
REPORT = b"%PDF-1.4\n% the report, as far as anybody opens it\n"


def letter(subject: str, *, html: str = "", text: str = "", **fields: str) -> bytes:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = "Anna Lindqvist <anna@nordlys.example>"
    mail["To"] = "mira@nordlys.example"
    mail["Subject"] = subject
    mail["Date"] = "Mon, 23 Nov 2026 09:38:00 +0000"
    mail["Message-ID"] = "<1@nordlys.example>"
    mail.set_content(html or text, subtype="html" if html else "plain")
    for name, content in fields.items():
        mail[name.replace("_", "-")] = content
    if "X-File" in mail:
        mail.add_attachment(REPORT, "application", "pdf", filename=mail["X-File"])
    return mail.as_bytes()


def mails() -> Iterator[Mail]:
    """Yield the mails, each rendered for both themes and for what may be asked for in the dark."""
    raw = {
        "links": letter("links", html=LINKS),
        "wide": letter("wide", html=WIDE),
        "newsletter": letter("newsletter", html=NEWSLETTER),
        "quoted": letter("quoted", text=QUOTED, X_File="report.pdf"),
        "short": letter("short", html="<p>Here is the report.</p>", X_File="report.pdf"),
        "painted": letter("painted", html=PAINTED),
        "hebrew": letter("hebrew", html="<html dir=rtl><p>שלום נועה</p>", Content_Language="he"),
    }
    for name, each in raw.items():
        yield Mail(name, each, context(), themes=("light", "dark", "inverted", "card"))
