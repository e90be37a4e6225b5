"""The outbox in words."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import MailAccount
from webmail.composer.content import seal_summary
from webmail.composer.models import Delivery, OutgoingMail, Variant
from webmail.composer.outbox_page import outbox_for

pytestmark = pytest.mark.django_db


def outgoing(
    writer, state, *, due_in=0, since=0, attempts=0, deliveries=(), enhanced="", **columns
):
    mail = OutgoingMail(
        user=writer.user, account=writer.account, message_id="m", envelope_from="a@x", state=state,
        due_at=timezone.now() + timedelta(seconds=due_in), attempts=attempts,
        state_since=timezone.now() - timedelta(minutes=since), **columns,
    )  # fmt: skip
    mail.sealed_summary = seal_summary(
        people="Tomas", subject="Offer", envelope_id=str(mail.envelope_id)
    )
    mail.save()
    variant = Variant.objects.create(outgoing=mail, key=str(mail.pk), size=1)
    for number, (standing, text) in enumerate(deliveries):
        Delivery.objects.create(
            variant=variant, recipient=f"p{number}@x", state=standing, text=text, code=550,
            enhanced=enhanced,
        )  # fmt: skip
    return mail


@pytest.mark.parametrize(
    ("state", "options", "words", "abilities"),
    [
        ("preparing", {}, "Sending to Tomas", "undo"),
        ("queued", {"due_in": 7}, "Sending to Tomas in 7 s", "undo now"),
        ("queued", {"due_in": -1}, "Sending to Tomas", "undo"),
        ("queued", {"due_in": 60, "attempts": 1}, "Waiting to send to Tomas again", "undo now"),
        ("sending", {}, "Sending to Tomas", ""),
        ("accepted", {}, "Sent to Tomas", ""),
        ("uncertain", {}, "Checking whether your message to Tomas arrived", ""),
        ("uncertain", {"since": 11}, "The server did not confirm. Send again?", "again"),
    ],
)
def test_words(alice, state, options, words, abilities):
    outgoing(alice, state, **options)
    (item,) = outbox_for(alice.user)
    able = {"undo": item.can_undo, "now": item.can_send_now, "again": item.can_send_again}
    assert item.words == words
    assert " ".join(name for name, is_able in able.items() if is_able) == abilities


@pytest.mark.parametrize("options", [{"due_in": 7}, {"due_in": -1}, {"attempts": 2}])
def test_mail_of_a_paused_account_says_that_it_waits(alice, options):
    MailAccount.objects.update(state=MailAccount.State.PAUSED)
    outgoing(alice, "queued", **options)
    (item,) = outbox_for(alice.user)
    assert item.words == "Your message to Tomas waits: this mail account is paused"
    assert item.advice == "It is sent as soon as an administrator resumes the account."
    assert (item.seconds_left, item.can_send_now, item.can_undo) == (0, False, True)


def test_a_failure_says_why_and_where_the_text_is(alice):
    outgoing(alice, "failed", draft=alice.draft(), last_reply="550 5.7.1 not you")
    (item,) = outbox_for(alice.user)
    assert (item.words, item.detail) == (
        "Your message was not sent",
        "550 5.7.1 not you It is safe in Drafts.",
    )
    assert item.draft_id is not None


def test_what_is_done_is_not_listed(alice, mallory):
    outgoing(alice, "filed")
    outgoing(alice, "cancelled")
    outgoing(alice, "failed")  # its draft is gone: it was sent anew or thrown away
    outgoing(alice, "failed", draft=alice.draft(), since=8 * 24 * 60)
    outgoing(mallory, "queued")
    assert outbox_for(alice.user) == ()


def test_a_refused_recipient_of_a_sent_mail_is_shown(alice):
    outgoing(alice, "filed", deliveries=[("accepted", "ok"), ("failed", "No such person")])
    (item,) = outbox_for(alice.user)
    assert [(line.recipient, line.words) for line in item.deliveries] == [
        ("p1@x", "550 No such person")
    ]


def test_each_refused_recipient_has_the_servers_words_and_what_to_do(alice, site):
    mail = outgoing(
        alice,
        "failed",
        draft=alice.draft(),
        last_reply="550 5.1.1 No such person",
        deliveries=[("failed", "No such person"), ("failed", "No such person")],
        enhanced="5.1.1",
    )
    (item,) = outbox_for(alice.user)
    (line,) = item.deliveries  # what is the same is said once
    assert (line.recipient, line.words) == ("p0@x and p1@x", "550 5.1.1 No such person")
    assert line.advice == "Check the address for typing errors, then send it again."
    assert (item.detail, item.advice) == ("It is safe in Drafts.", "")
    page = site.get("/outbox").content.decode()
    for words in ("550 5.1.1 No such person", line.advice, "Open draft"):
        assert words in page
    mail.draft.failure = "p0@x: 550 5.1.1 No such person"
    mail.draft.save()
    page = site.get("/compose", {"draft": mail.draft_id}).content.decode()
    for words in ("Your message was not sent", mail.draft.failure, line.advice):
        assert words in page


def test_a_quote_that_could_not_be_made_is_no_failed_sending(alice, site):
    draft = alice.draft()
    draft.failure = "The message could not be quoted."
    draft.save()
    page = site.get("/compose", {"draft": draft.pk}).content.decode()
    assert "Something of the original is missing" in page
    assert "Your message was not sent" not in page


def test_a_mail_that_waits_says_until_when(alice):
    tried = timezone.now()
    outgoing(alice, "queued", due_in=60, attempts=2, first_tried_at=tried, last_reply="421 busy")
    (item,) = outbox_for(alice.user)
    assert item.detail.startswith("421 busy Next try at ")
    assert item.advice.startswith("There is nothing to do: it is tried again until ")


def test_what_came_too_late_is_said_on_the_page(alice, site):
    mail = outgoing(alice, "sending")
    answer = site.post(f"/outbox/{mail.pk}/undo")
    assert "Too late: the message was already handed over." in answer.content.decode()
