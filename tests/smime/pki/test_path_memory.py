"""A memory answers as `find_path` does, and asks only once."""

from datetime import timedelta

import pytest

from smime.pki import path_memory
from smime.pki.authority import new_intermediate
from smime.pki.path_memory import PathMemory
from smime.pki.paths import find_path
from tests.smime.pki.people import DAY, NOW, YEAR, person, world

ROOT = (world().root.certificate,)
ISSUERS = (world().inter.certificate,)


@pytest.fixture
def searches(monkeypatch):
    """How often a path was looked for."""
    found = []

    def counted(*args):
        found.append(args[0])
        return real(*args)

    real = path_memory.choose_path
    monkeypatch.setattr(path_memory, "choose_path", counted)
    return found


def ask(memory, certificate, *, pinned=(), travelling=(), moments=(NOW,)):
    """Ask both; they must agree."""
    question = {
        "anchors": (*ROOT, *pinned),
        "others": (*ISSUERS, *travelling),
        "moments": moments,
    }
    found = memory.find(certificate, **question)
    assert found == find_path(certificate, **question)
    return found


def test_once_for_each_certificate(searches):
    memory = PathMemory(ROOT, ISSUERS)
    for _ in range(3):
        assert ask(memory, world().alice.certificate).trust == "trusted"
        assert ask(memory, world().bob.certificate).trust == "trusted"
    assert len(searches) == 2


def test_other_moments_of_the_same_lives_cost_nothing(searches):
    memory = PathMemory(ROOT, ISSUERS)
    for days in range(5):
        ask(memory, world().alice.certificate, moments=(NOW + days * DAY, NOW - days * DAY))
    assert len(searches) == 1


@pytest.mark.parametrize("seconds", [-1, 0, 1])
def test_the_end_of_a_life_is_asked_about(seconds):
    memory = PathMemory(ROOT, ISSUERS)
    brief = new_intermediate(world().root, "Brief", NOW - 60 * DAY, lifetime=50 * DAY)
    alice = person("alice@example.org", "Alice", brief)
    travelling = (brief.certificate,)
    for end in (brief.certificate.not_valid_after_utc, alice.certificate.not_valid_before_utc):
        for received in (end + timedelta(seconds=seconds), end):
            for now in (NOW, end + timedelta(seconds=seconds)):
                ask(
                    memory,
                    alice.certificate,
                    travelling=travelling,
                    moments=(now, received),
                )


def test_what_comes_with_a_question_is_part_of_it():
    memory = PathMemory(ROOT, ISSUERS)
    stranger = person("alice@example.org", "A", world().stranger, not_before=NOW - YEAR)
    end = (world().stranger.certificate,)
    assert ask(memory, stranger.certificate).trust == "incomplete"
    assert ask(memory, stranger.certificate, travelling=end).trust == "unknown-root"
    assert ask(memory, stranger.certificate, pinned=end).trust == "trusted"
    assert ask(memory, stranger.certificate, pinned=(stranger.certificate,)).trust == "pinned"
    assert ask(memory, stranger.certificate).trust == "incomplete"


def test_a_memory_is_bounded_and_keeps_what_is_asked_for(monkeypatch):
    monkeypatch.setattr(path_memory, "LIMIT", 8)
    memory = PathMemory(ROOT, ISSUERS)
    asked = []

    def ask_for(number):
        return memory.remember(number, lambda: asked.append(number))

    for number in range(1, 30):
        assert ask_for(number) is ask_for(0) is None  # None is an answer, too
        assert len(memory._recent) + len(memory._older) <= 8
    assert asked == [1, 0, *range(2, 30)]
    ask_for(29)
    assert asked[-1] == 29
    assert len(asked) == 30
    ask_for(1)
    assert asked[-1] == 1
