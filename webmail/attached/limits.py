"""Bounds for looking into hostile files. Sizes are octets unless said otherwise."""

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB

PICTURE: Final = 25 * MIB  # a picture's file
PIXELS: Final = 50_000_000  # of its first frame, before it is made small
FRAMES: Final = 200  # of a moving picture that is played
MOVING_PIXELS: Final = 20_000_000  # of all its frames together, after they are made small
REMOTE: Final = 5 * MIB  # a remote image's file
REMOTE_PIXELS: Final = 25_000_000  # of all its frames together
REMOTE_FRAMES: Final = 1000  # 5 MiB hold 350,000 of one pixel each: 14 s of CPU
PDF: Final = 50 * MIB  # a PDF's file
PDF_PAGES: Final = 50  # shown; the rest is to be had by downloading
PAGE_PIXELS: Final = 4_000_000  # of one drawn page
TEXT: Final = 512 * KIB  # of a text file shown
CALENDAR: Final = 256 * KIB  # rendering.md §3
EVENTS: Final = 20  # of one calendar
ATTENDEES: Final = 500  # of one event
CONTACTS: Final = 256 * KIB
CARDS: Final = 50  # of one contacts file
REPORT: Final = 256 * KIB
RECIPIENTS: Final = 100  # of one delivery report
VALUE: Final = 4 * KIB  # characters of one value shown
LINES: Final = 20_000  # content lines of a calendar or contacts file

DRAWING_SECONDS: Final = 8.0  # for one picture or page; then the child is killed
DRAWING_CPU: Final = 60  # seconds of one child, of all its jobs together
DRAWING_JOBS: Final = 20  # of one kept child
DRAWING_IDLE: Final = 5.0  # seconds that a kept child waits for more remote images
DRAWING_MEMORY: Final = 1024 * MIB  # address space of the child
