import re
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
NAMES = re.compile(r"""\{% icon ["']([a-z0-9-]+)["']""")
IN_SCRIPT = re.compile(r"""\bicon\(["']([a-z0-9-]+)["']""")
IN_DATA = re.compile(r"""data-icon="([a-z0-9-]+)\"""")


def listed():
    lines = (ROOT / "static/icons/lucide.txt").read_text().splitlines()
    return {line.strip() for line in lines if line.strip() and not line.startswith("#")}


def used_in_templates():
    return {
        name
        for path in ROOT.glob("templates/**/*.html")
        for pattern in (NAMES, IN_DATA)
        for name in pattern.findall(path.read_text())
    }


def test_every_icon_a_template_draws_is_in_the_sprite():
    assert used_in_templates() - listed() == set()


def test_every_icon_a_script_draws_is_in_the_sprite():
    drawn = {
        name for path in ROOT.glob("static/js/*.js") for name in IN_SCRIPT.findall(path.read_text())
    }
    assert drawn - listed() == set()


def test_templates_and_scripts_hold_nothing_that_the_csp_forbids():
    inline = re.compile(r"<style|<script(?![^>]*src=)|\son[a-z]+=|\sstyle=", re.IGNORECASE)
    found = {
        str(path): inline.findall(path.read_text())
        for path in ROOT.glob("templates/**/*.html")
        if inline.search(path.read_text())
    }
    assert found == {}


def test_message_frames_are_never_given_scripts():
    for path in ROOT.glob("templates/**/*.html"):
        for sandbox in re.findall(r'sandbox="([^"]*)"', path.read_text()):
            assert "allow-scripts" not in sandbox
