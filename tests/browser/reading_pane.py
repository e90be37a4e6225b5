"""The reading pane in Chromium over mails that a test made (`tests.browser.pane_mails`)."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.servers.running import remove
from tests.site import ROOT, start_site

WIDE, PHONE = (1440, 900), (390, 844)


@dataclass(frozen=True, slots=True)
class Pane:
    """A site whose one person has the mails that were made."""

    origin: str
    cookies: dict[str, str]
    mails: dict[str, dict[str, object]]

    @contextmanager
    def tab(
        self,
        chromium: Browser,
        size: tuple[int, int] = WIDE,
        theme: str = "light",
        *,
        javascript: bool = True,
    ) -> Iterator[Page]:
        """A tab of that person, signed in. Without script a page is there in half the time."""
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]},
            java_script_enabled=javascript,
            color_scheme="dark" if theme == "dark" else "light",
        )
        held = self.cookies | {"signet-theme": theme}
        context.add_cookies(
            [{"name": name, "value": value, "url": self.origin} for name, value in held.items()]
        )
        try:
            yield context.new_page()
        finally:
            context.close()

    def address(self, name: str) -> str:
        """The mail's page with its list beside it."""
        mail = self.mails[name]
        return f"{self.origin}/message/{mail['id']}?in={mail['folder']}"


@contextmanager
def reading_pane(source: str) -> Iterator[Pane]:
    """Serve the pages over the mails of `module:function`: a web process and Valkey, no more."""
    directory = Path(tempfile.mkdtemp(prefix="pane-"))
    site = start_site(directory, only=frozenset({"valkey", "web"}))
    try:
        made = subprocess.run(
            [sys.executable, "-m", "tests.browser.pane_mails", source],
            cwd=ROOT,
            env=site.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert made.returncode == 0, made.stderr
        found = json.loads(made.stdout.splitlines()[-1])
        yield Pane(site.url, found["cookies"], found["mails"])
    finally:
        site.supervisor.stop()
        remove(directory)
