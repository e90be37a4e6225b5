"""What waits for the answer is done after it, once, in its own thread."""

import threading
from collections.abc import Iterator

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

from accounts import afterwards
from accounts.afterwards import after_answer

done: list[str] = []


def act(request: HttpRequest) -> HttpResponse:
    def say() -> Iterator[bytes]:
        yield b"answer"
        done.append("answered")

    after_answer(lambda: done.append("afterwards"))
    done.append("view")
    return HttpResponse(say())


urlpatterns = [path("act", act)]


@pytest.fixture(autouse=True)
def _nothing_done() -> None:
    done.clear()


@pytest.mark.django_db
@override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[])
def test_after_the_answer_and_once() -> None:
    Client().get("/act")
    assert done[-1] == "afterwards"
    Client().get("/act")
    assert done.count("afterwards") == 2


def test_one_that_fails_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    after_answer(lambda: 1 / 0)
    after_answer(lambda: done.append("second"))
    afterwards._do(None)
    assert done == ["second"]
    assert "event=afterwards-failed" in caplog.text


def test_another_threads_answer_is_another() -> None:
    after_answer(lambda: done.append("mine"))
    other = threading.Thread(target=afterwards._do, args=(None,))
    other.start()
    other.join()
    assert done == []
    afterwards._do(None)
    assert done == ["mine"]
