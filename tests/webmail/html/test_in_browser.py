"""The hostile corpora in a real browser, with scripts on and no sandbox: the sanitiser alone."""

import json

import pytest

from tests.corpora import corpus
from webmail.html import ImagePolicy, document, sanitise_html

pytestmark = [pytest.mark.browser, pytest.mark.corpus]
SCAN = """() => [...document.querySelectorAll('*')].flatMap(element => [
  ...(element.matches('script,iframe,object,embed,svg,math,form,input,base,link') ? [element.tagName] : []),
  ...[...element.attributes].filter(item => item.name.startsWith('on')
      || /^\\s*(javascript|vbscript|data:text)/i.test(item.value)).map(item => item.name),
])"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_runs_and_nothing_loads(theme, chromium):
    """Rows 1 to 9, 23 to 25: no script, no handler, no request after a browser's own parse."""
    requests: list[str] = []
    dialogs: list[str] = []
    page = chromium.new_page()
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.route(
        "**/*",
        lambda route: (
            route.continue_()
            if route.request.url.startswith("data:")
            else (requests.append(route.request.url), route.abort())
        ),
    )
    for name in ("html5sec/vectors.json", "signet-own/attack-html.json"):
        for source in json.loads((corpus("mime") / name).read_text(encoding="utf-8")):
            safe = sanitise_html(source, images=ImagePolicy(), theme=theme)
            page.set_content(document([safe], theme=theme, language="en", title="x"))
            assert page.evaluate(SCAN) == [], source
            assert requests == [], source
            assert dialogs == [], source
    page.close()
