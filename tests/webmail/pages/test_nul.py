"""NUL in what a browser sends: PostgreSQL cannot hold it (these tests run on both databases)."""

import pytest
from django.test import Client

from webmail.composer import drafts
from webmail.composer.content import DraftContent

NUL = "a\0b"


@pytest.mark.parametrize(
    "path",
    [
        "/search?q=a%00b",
        "/search?q=from:a%00b",
        "/search?q=in:a%00b",
        "/search?q=subject:%22a%00b%22",
        "/mail/a%00b",
        "/mail/inbox?after=a%00b",
        "/mail/inbox?before=a%00b",
        "/keys?q=a%00b",
        "/compose?to=a%00b%40example.org&subject=a%00b&body=a%00b",
        "/compose/suggest?q=a%00b",
        "/compose/recipients?address=a%00b%40example.org",
    ],
)
def test_nul_in_a_url_is_no_error_of_the_server(client: Client, mailbox, path: str) -> None:
    client.force_login(mailbox.user)
    assert client.get(path).status_code < 500


def test_nul_in_a_draft_is_left_out(client: Client, mailbox) -> None:
    client.force_login(mailbox.user)
    draft = drafts.new(
        mailbox.user,
        content=DraftContent(subject="", text=""),
        identity=mailbox.identity,
        sign=False,
        encrypt=False,
    )
    fields = {"from": mailbox.identity.pk, "to": f"{NUL}@example.org", "cc": NUL, "bcc": NUL,
              "subject": NUL, "text": NUL, "html": f"<p>{NUL}</p>", "revision": 0, "key": "k"}  # fmt: skip
    assert client.post(f"/compose/{draft.pk}/save", fields).status_code < 500


def test_nul_in_a_sign_in_is_no_error_of_the_server(client: Client, db) -> None:
    assert client.get("/sign-in").status_code == 200
    fields = {"address": f"{NUL}@example.org", "password": NUL}
    assert client.post("/sign-in", fields).status_code < 500
