"""Take the pictures of README.md from a demo: one that runs (its URL as the argument) or a new one.

make screenshots                                  starts a demo in a directory of its own
.venv/bin/python tools/screenshots.py http://127.0.0.1:8000
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
]
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


def sign_in(browser: Browser, url: str, address: str, password: str, **context: object) -> Page:
    page = browser.new_context(**context).new_page()
    page.goto(f"{url}/sign-in")
    page.get_by_label("Email address").fill(address)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{url}/")
    return page


def take(page: Page, name: str) -> None:
    page.evaluate("document.fonts.ready")
    page.mouse.move(0, 0)
    page.wait_for_timeout(700)  # transitions end
    page.screenshot(path=PICTURES / f"{name}.png")
    print(f"docs/pictures/{name}.png")


def open_mail(page: Page, url: str, subject: str) -> None:
    page.goto(f"{url}/")
    page.locator(".row", has_text=subject).first.click()
    page.wait_for_selector("iframe.body-frame")
    page.wait_for_timeout(800)


def pictures(url: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    alice = ("alice@nordlys.example", "alice")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        page = sign_in(browser, url, *alice, viewport=WIDE)
        page.locator("a[href^='/message/']").nth(12).wait_for()
        open_mail(page, url, "Encrypted message")
        take(page, "mailbox")
        open_mail(page, url, "Turbine 3")
        take(page, "verdict-ok")
        open_mail(page, url, "Invoice 20931")
        take(page, "verdict-bad")
        page.goto(f"{url}/compose")
        page.get_by_label("To", exact=True).first.fill("bob@nordlys.example")
        page.keyboard.press("Enter")
        page.get_by_label("To", exact=True).first.fill("petra.schulz@werkstrom.example")
        page.keyboard.press("Enter")
        page.get_by_label("Subject", exact=True).fill("Handover plan for substations 14 and 15")
        page.get_by_label("Message", exact=True).first.click()
        page.keyboard.type("Hello both,\n\nhere is the handover plan we discussed on Friday.")
        page.get_by_role("switch", name="Encrypt").check(force=True)
        page.wait_for_timeout(1200)
        take(page, "composer")
        page.goto(f"{url}/keys")
        take(page, "keys")
        dark = sign_in(browser, url, *alice, viewport=WIDE, color_scheme="dark")
        open_mail(dark, url, "Encrypted message")
        take(dark, "mailbox-dark")
        phone = sign_in(browser, url, *alice, viewport=PHONE, has_touch=True)
        phone.locator("a[href^='/message/']").nth(5).wait_for()
        take(phone, "mailbox-phone")
        office = sign_in(browser, url, "admin@nordlys.example", "signet-admin", viewport=WIDE)
        office.goto(f"{url}/admin/")
        take(office, "admin")
        browser.close()


def started_demo(directory: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "demo", "--port", "8200"],
        cwd=ROOT,
        env={**os.environ, "SIGNET_DATA_DIR": directory},
        stdout=subprocess.PIPE,
        text=True,
    )
    for line in process.stdout:
        found = re.search(r"running:\s+(http\S+)", line)
        if found:
            return process, found[1]
    sys.exit("✗ The demo did not start.")


def main() -> None:
    if len(sys.argv) > 1:
        pictures(sys.argv[1].rstrip("/"))
        return
    with tempfile.TemporaryDirectory(prefix="shots-") as directory:
        process, url = started_demo(directory)
        try:
            pictures(url)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=60)


if __name__ == "__main__":
    main()
