"""Undo against sending, on the tables themselves: cancelled and not sent, or sent and told so."""

import json

import pytest

from tests.live.send_workers import SendSite

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

RUNS = 150
_RACE = """
import django, json, threading, uuid
django.setup()
from django.db import connection
from django.utils import timezone
from accounts.models import User
from webmail.composer import leases, outbox
from webmail.composer.content import DraftContent
from webmail.composer import drafts
from webmail.composer.models import *
user = User.objects.get()
seen = []
for number in range({runs}):
    draft = drafts.new(user, content=DraftContent(text="words"))
    mail = OutgoingMail.objects.create(
        user=user, account=draft.account, draft=draft, message_id="m", envelope_from="a@x",
        sealed_summary=b"", state="queued")
    variant = Variant.objects.create(outgoing=mail, key=f"{{number:064x}}", size=1)
    Delivery.objects.create(variant=variant, recipient="b@x")
    barrier, answers = threading.Barrier(3), {{}}
    def run(name, act):
        try:
            barrier.wait()
            answers[name] = act()
        except Exception as error:
            answers[name] = repr(error)
        finally:
            connection.close()
    acts = {{
        "undo": lambda: outbox.undo(user, mail.pk) is not None,
        "one": lambda: leases.take(mail.pk, state="queued", into="sending") is not None,
        "two": lambda: leases.take(mail.pk, state="queued", into="sending") is not None,
    }}
    threads = [threading.Thread(target=run, args=each) for each in acts.items()]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    mail.refresh_from_db()
    seen.append([answers.get("undo"), answers.get("one"), answers.get("two"), mail.state])
print(json.dumps(seen))
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def send_site(request, tmp_path, valkey_server):
    made = SendSite(tmp_path, valkey_server)
    if request.param == "postgresql":
        made.environment["SIGNET_DATABASE_URL"] = request.getfixturevalue("postgres_server").url(
            "races"
        )
    made.set_up(port=1, ca_pem="")
    return made


def test_one_of_them_wins(send_site):
    seen = json.loads(send_site.python(_RACE.format(runs=RUNS)).splitlines()[-1])
    assert len(seen) == RUNS
    for undone, one, two, state in seen:
        assert {type(undone), type(one), type(two)} == {bool}, (undone, one, two)
        assert [undone, one, two].count(True) == 1
        assert state == ("cancelled" if undone else "sending")
