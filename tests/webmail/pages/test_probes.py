from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts import lanes
from accounts.redis import client
from webmail.pages import probes, tasks


@pytest.fixture
def worker(monkeypatch, valkey):
    """A worker that runs heartbeats at once."""
    ran = []

    def run(name, args, lane):
        assert (name, lane) == ("pages.heartbeat", "interactive")
        ran.append(args)
        tasks.heartbeat(*args)

    monkeypatch.setattr(lanes, "_send", run)
    return ran


def test_healthz_asks_nobody():
    answer = Client().get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


@pytest.mark.django_db(transaction=True)
def test_ready_means_that_a_worker_took_a_task(worker):
    answer = Client().get("/readyz")
    assert answer.content.decode() == "database ok\nredis ok\nworker ok\n"
    assert answer.status_code == 200
    assert len(worker) == 1


@pytest.mark.django_db(transaction=True)
def test_a_fresh_sign_of_life_is_enough(worker):
    for _ in range(3):
        assert Client().get("/readyz").status_code == 200
    assert len(worker) == 1


@pytest.mark.django_db(transaction=True)
def test_a_silent_worker_is_told_and_asked_seldom(monkeypatch, valkey):
    asked = []
    monkeypatch.setattr(lanes, "_send", lambda *args: asked.append(args))
    monkeypatch.setattr(probes, "PATIENCE", 0.05)
    probes.beat("reply:nobody", now=timezone.now() - timedelta(minutes=5))
    for _ in range(3):
        answer = Client().get("/readyz")
        assert answer.status_code == 503
        assert "worker no answer lately" in answer.content.decode()
    assert len(asked) == 1


@pytest.mark.django_db
def test_redis_away_is_told(monkeypatch, settings):
    settings.REDIS_URL = "unix:///nowhere/valkey.sock"
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert "redis does not answer" in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.usefixtures("worker", "mailbox")
def test_metrics_count_states_and_name_nobody():
    probes.beat("reply:nobody", now=timezone.now())
    answer = Client().get("/metrics")
    text = answer.content.decode()
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert 'signet_mail_accounts{state="active"} 1' in text
    assert 'signet_ready{part="redis"} 1' in text
    assert "nordlys" not in text
    assert client().exists(probes.HEARTBEAT_KEY)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("token", "headers", "address", "status"),
    [
        ("", {}, "127.0.0.1", 200),
        ("", {}, "::1", 200),
        ("", {}, "192.0.2.7", 403),
        ("", {"X-Forwarded-For": "127.0.0.1"}, "127.0.0.1", 403),
        ("secret", {}, "127.0.0.1", 403),
        ("secret", {"Authorization": "Bearer wrong"}, "127.0.0.1", 403),
        ("secret", {"Authorization": "Bearer secret"}, "192.0.2.7", 200),
    ],
)
def test_metrics_are_for_this_machine_or_the_token(
    worker, settings, token, headers, address, status
):
    settings.METRICS_TOKEN = token
    probes.beat("reply:nobody", now=timezone.now())
    answer = Client(REMOTE_ADDR=address).get("/metrics", headers=headers)
    assert answer.status_code == status
