"""The scheduler: in workers of the lane `scan` only, and not to be stopped by a failure."""

import json
import threading

import celery.beat
import pytest
import redis

from tests.site import wait_for
from webmail import scheduler
from webmail.celery import app
from webmail.scheduler import Clock, Scheduler


@pytest.mark.parametrize(
    ("lanes", "is_enabled"),
    [("scan", True), ("sync,send,scan", True), ("interactive,fetch", False), ("crypto", False)],
)
@pytest.mark.django_db  # Celery runs Django's system checks
@pytest.mark.filterwarnings("ignore::celery.exceptions.SecurityWarning")
def test_it_goes_with_the_lane_scan(monkeypatch, lanes, is_enabled):
    monkeypatch.setattr(app.amqp.queues, "_consume_from", {})
    worker = app.Worker(queues=lanes, pool="threads", quiet=True)
    started = [type(step) for step in worker.steps]
    assert (Scheduler in started) is is_enabled


def test_a_failure_is_logged_and_it_goes_on(monkeypatch, caplog):
    served = threading.Event()

    class Failing:
        tries = 0

        def __init__(self, app, **options):
            assert options["scheduler_cls"] == "celery.beat:Scheduler"

        def start(self):
            Failing.tries += 1
            if Failing.tries == 1:
                raise OSError("the broker is away")
            served.set()

        def stop(self):
            pass

    monkeypatch.setattr(celery.beat, "Service", Failing)
    monkeypatch.setattr(scheduler, "RETRY", 0.01)
    clock = Clock(app)
    clock.start()
    assert served.wait(10)
    clock.stop()
    clock.join(10)
    assert not clock.is_alive()
    assert "event=scheduler-failed" in caplog.text


def test_every_entry_is_posted_when_due_and_none_after_the_stop(monkeypatch, valkey):
    for entry in app.conf.beat_schedule.values():
        monkeypatch.setitem(entry, "schedule", 0.01)
    wanted = {entry["task"] for entry in app.conf.beat_schedule.values()}
    clock = Clock(app)
    with redis.Redis.from_url(valkey) as client:

        def posted() -> list[str]:
            return [json.loads(each)["headers"]["task"] for each in client.lrange("scan", 0, -1)]

        clock.start()
        wait_for("all entries", lambda: wanted <= set(posted()))
        clock.stop()
        clock.join(10)
        assert not clock.is_alive()
        assert client.keys("interactive") == []
