"""Run as a program beside a site's database: make mails, render them, keep them for the pages.

    python -m tests.browser.pane_mails tests.browser.verdict_mails:mails

The function gives `Mail`s: by which trust, clock and keys each is read is the mail's own. It goes
through the pipeline as in the crypto lane and is kept as that lane keeps it, so that the site's own
pages draw it; no mail server and no worker is needed. One line of JSON says what was made.
"""

import importlib
import json
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

ADDRESS = "mira@nordlys.example"


@dataclass(frozen=True)
class Mail:
    """A mail as it came, and what it is read with."""

    name: str  # the subject that the list shows
    raw: bytes
    context: Any  # smime.verdict.Context
    keys: tuple[Any, ...] = ()
    folder: str = "inbox"
    themes: tuple[str, ...] = ("light",)
    thread: str = ""  # the name of the mail whose conversation this one is in
    age: int = 0  # hours
    loads: bool = False  # rendered also for whoever asks for its images, once or always


def _signed_in(user: Any) -> tuple[dict[str, str], bytes]:
    """Begin a session as signing in does; returns its cookies and the key of what it opens."""
    from django.contrib.auth import login
    from django.contrib.sessions.backends.db import SessionStore
    from django.http import HttpResponse
    from django.test import RequestFactory

    from accounts import session_keys, session_limits
    from smime import unlocking

    request, response = RequestFactory().get("/"), HttpResponse()
    request.session = SessionStore()
    request.user = user
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    session_limits.begin(request, user)
    request.session.save()
    session_keys.write_cookie(request, response)
    cookies = {name: morsel.value for name, morsel in response.cookies.items()}
    cookies["signet"] = request.session.session_key or ""
    return cookies, unlocking.opened_key(request)


def _keep(mailbox: Any, mail: Mail, session_key: bytes, *, thread: Any) -> dict[str, Any]:
    from smime import trust
    from smime.reading import read_message
    from webmail.mailbox import blobs, seals
    from webmail.reader import judging, pipeline, rendering, store
    from webmail.reader.variants import Variant

    user = mailbox.user
    message = mailbox.receive(
        mail.name,
        folder=mail.folder,
        thread=thread,
        age=mail.age,
        size=len(mail.raw),
        is_secured=b"pkcs7" in mail.raw,
    )
    blobs.put(mailbox.account, mail.raw, message=message)
    reading = read_message(mail.raw, keys=mail.keys)
    variants = [Variant(theme=theme) for theme in mail.themes]
    if mail.loads:
        variants += [Variant(images=True), Variant(verified_images=True)]
    for variant in variants:
        made = pipeline.make(
            reading=reading,
            context=mail.context,
            variant=variant,
            addresses=rendering._SignedAddresses(user, message, variant),
        )
        findings = rendering._findings(
            made, mail.context, trust.stamp_for(user), store.times_of(message.pk)
        )
        store.save(
            message_id=message.pk,
            variant=variant,
            # The clock of a test is not the machine's, which must not make it due.
            findings=replace(findings, turns_at=None),
            page=made.page,
            documents=made.documents,
            session_key=session_key,
            is_open=True,
        )
    seals.set_seal(
        message.pk,
        seal=judging.seal_of(made.verdict),
        seal_flag=made.verdict.flag,
        is_locked=any(layer.is_encryption for layer in reading.layers),
    )
    return {"id": message.pk, "folder": mail.folder, "thread": message.thread_id}


def main(source: str) -> None:
    """Make a person and all mails of `module:function`; print what there is."""
    import django

    django.setup()
    from accounts.models import User
    from tests.webmail.pages.conftest import Mailbox
    from webmail.mailbox.models import Thread

    module, _, function = source.partition(":")
    mails: Callable[[], Iterable[Mail]] = getattr(importlib.import_module(module), function)
    user = User.objects.create_user(ADDRESS, "a long passphrase", display_name="Mira Halvorsen")
    cookies, session_key = _signed_in(user)
    mailbox = Mailbox(user)
    made: dict[str, dict[str, Any]] = {}
    for mail in mails():
        thread = Thread.objects.get(pk=made[mail.thread]["thread"]) if mail.thread else None
        made[mail.name] = _keep(mailbox, mail, session_key, thread=thread)
    sys.stdout.write(json.dumps({"cookies": cookies, "mails": made}) + "\n")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webmail.settings")
    main(sys.argv[1])
