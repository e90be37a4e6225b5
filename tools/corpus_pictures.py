"""Put mails of the corpora into a running demo's mailbox and take each as a person sees it.

    SIGNET_DATA_DIR=/tmp/look .venv/bin/python manage.py demo --port 8100       in another terminal
    SIGNET_DATA_DIR=/tmp/look .venv/bin/python tools/corpus_pictures.py http://127.0.0.1:8100

The mails (tools/corpus_mails.py) go to bob by IMAP APPEND and come back through the whole pipeline.
Pictures are left in var/corpus-pictures (or the second argument): each mail wide in light and dark
and 390 px wide, and sheets of many. Names after these arguments choose some mails. What a picture
does not show is printed: sideways overflow, layout shift, complaints of the console.
"""

import imaplib
import os
import ssl
import sys
import time
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

from corpus_mails import mails  # noqa: E402
from screenshots import ARGUMENTS  # noqa: E402

ADDRESS, PASSWORD = "bob@nordlys.example", "bob"
VIEWS = {"light": (1180, 1000), "dark": (1180, 1000), "phone": (390, 844)}
CELL, COLUMNS = (420, 480), 4
SHIFTS = """window.shift = 0;
new PerformanceObserver((list) => {
  for (const each of list.getEntries()) if (!each.hadRecentInput) window.shift += each.value;
}).observe({type: 'layout-shift', buffered: true})"""
SIDEWAYS = """() => document.documentElement.scrollWidth - innerWidth"""


def append(chosen: dict[str, bytes]) -> dict[str, int]:
    """APPEND the mails and wait for the mirror; returns the message ids by name."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webmail.settings")
    import django

    django.setup()
    from accounts.models import MailAccount
    from webmail.mailbox.models import Placement

    account = MailAccount.objects.select_related("server").get(address=ADDRESS)
    server = account.server
    context = ssl.create_default_context(cadata=server.ca_pem)
    uids: dict[str, int] = {}
    with imaplib.IMAP4(server.imap_host, server.imap_port) as connection:  # a demo's: STARTTLS
        connection.starttls(context)
        connection.login(account.login_name, PASSWORD)
        for name, raw in chosen.items():
            _, (answer,) = connection.append("INBOX", "", "", raw)
            uids[name] = int(answer.split(b"APPENDUID ")[1].split()[1].rstrip(b"]"))
    inbox = Placement.objects.filter(folder__account=account, folder__role="inbox")
    deadline = time.monotonic() + 120
    found: dict[int, int] = {}
    while len(found) < len(uids):
        if time.monotonic() > deadline:
            sys.exit(f"The mirror has {len(found)} of {len(uids)} mails after two minutes.")
        time.sleep(0.5)
        wanted = inbox.filter(uid__in=uids.values())
        found = dict(wanted.values_list("uid", "message_id"))
    return {name: found[uid] for name, uid in uids.items()}


def signed_in(browser: Browser, url: str) -> dict[str, object]:
    """Sign in once, which also makes the account; the cookies serve every view."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{url}/sign-in")
    page.get_by_label("Email address").fill(ADDRESS)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{url}/")
    state = context.storage_state()
    context.close()
    return dict(state)


def take(page: Page, url: str, file: Path) -> str:
    """Take one mail; returns what is not right, in words."""
    page.goto(url)
    page.locator(".opened:not([data-state=rendering])").first.wait_for(timeout=60_000)
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready")
    page.locator("#reading").screenshot(path=file)
    problems = []
    sideways = page.evaluate(SIDEWAYS)
    if sideways > 0:
        problems.append(f"{sideways} px sideways")
    shift = page.evaluate("window.shift")
    if shift > 0.001:
        problems.append(f"shift {shift:.3f}")
    return ", ".join(problems)


def chromium(playwright: Playwright) -> Browser:
    """Start Debian's Chromium."""
    return playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)


def look(
    browser: Browser, url: str, ids: dict[str, int], directory: Path, state: dict[str, object]
) -> None:
    """Take every mail in every view, with a line about each picture that says too little."""
    for view, (width, height) in VIEWS.items():
        theme = "dark" if view == "dark" else "light"
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=theme,
            storage_state=state,  # type: ignore[arg-type]
        )
        context.add_cookies([{"name": "signet-theme", "value": theme, "url": url}])
        context.add_init_script(SHIFTS)
        page = context.new_page()
        said: list[str] = []
        page.on("console", lambda message, said=said: said.append(message.text))
        for name, number in ids.items():
            said.clear()
            problems = take(page, f"{url}/message/{number}", directory / f"{name}-{view}.png")
            found = [each for each in (problems, *said) if each]
            if found:
                print(f"{name} {view}: {'; '.join(found)}")
        context.close()
        sheets(view, list(ids), directory)


def sheets(view: str, names: list[str], directory: Path) -> None:
    """Lay the pictures of a view out on sheets of eight, each under its name."""
    per_sheet = COLUMNS * 2
    for start in range(0, len(names), per_sheet):
        sheet = Image.new("RGB", (CELL[0] * COLUMNS, CELL[1] * 2), "#888888")
        draw = ImageDraw.Draw(sheet)
        for place, name in enumerate(names[start : start + per_sheet]):
            picture = Image.open(directory / f"{name}-{view}.png").convert("RGB")
            picture.thumbnail((CELL[0] - 8, CELL[1] - 24))
            left, top = place % COLUMNS * CELL[0] + 4, place // COLUMNS * CELL[1]
            draw.text((left, top + 4), name, fill="#000000")
            sheet.paste(picture, (left, top + 20))
        sheet.save(directory / f"sheet-{view}-{start // per_sheet + 1}.png")


def main(url: str, directory: Path, names: list[str]) -> None:
    """Append, open, take."""
    directory.mkdir(parents=True, exist_ok=True)
    chosen = {name: raw for name, raw in mails() if not names or name in names}
    with sync_playwright() as playwright:
        state = signed_in(chromium(playwright), url)
    ids = append(chosen)  # by Django, which refuses to work inside Playwright's loop
    with sync_playwright() as playwright:
        look(chromium(playwright), url, ids, directory, state)
    print(f"{len(ids)} mails in {len(VIEWS)} views: {directory}")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(
        sys.argv[1].rstrip("/"),
        Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT / "var" / "corpus-pictures",
        sys.argv[3:],
    )
