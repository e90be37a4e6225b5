"""The bench's arithmetic: rows and their ratios, times, memory, its own reading of pages."""

import itertools
import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from webmail.demo.bench import floor_database, goals, memory, rendering
from webmail.demo.bench.measuring import Timings, alternating
from webmail.demo.bench.memory import Process
from webmail.demo.bench.rows import NotMeasured, Row, table, unmeasured
from webmail.demo.bench.visitor import Answer, whole

ROLLUP = """55d0c0000000-7ffd0000 ---p 00000000 00:00 0                          [rollup]
Rss:               52340 kB
Pss:               31042 kB
Pss_Dirty:         20000 kB
Pss_Anon:          19000 kB
SwapPss:               0 kB
"""


def row(**fields) -> Row:
    return Row(**({"id": "P1", "what": "list", "unit": "ms", "value": 12.0} | fields))


@pytest.mark.parametrize(
    ("fields", "ratio", "met"),
    [
        ({"floor": 8.0, "goal": 1.8}, 1.5, True),
        ({"floor": 8.0, "goal": 1.5}, 1.5, True),
        ({"floor": 6.0, "goal": 1.8}, 2.0, False),
        ({"goal": 20.0}, None, True),
        ({"goal": 10.0}, None, False),
        ({"floor": 8.0}, 1.5, None),
        ({}, None, None),
        ({"floor": 0.0, "goal": 1.8}, None, None),
        ({"value": None, "floor": 8.0, "goal": 1.8}, None, None),
    ],
)
def test_a_goal_is_a_ratio_where_there_is_a_floor_and_else_a_value(fields, ratio, met):
    made = row(**fields)
    assert (made.ratio, made.met) == (ratio, met)


def test_a_document_holds_the_fields_that_scripts_read():
    assert row(value=12.34567, p95=13.0, floor=8.0, goal=1.8).document() == {
        "id": "P1", "what": "list", "unit": "ms", "value": 12.346, "p95": 13.0, "floor": 8.0,
        "peer": None, "ratio": 1.543, "goal": 1.8, "met": True,
    }  # fmt: skip


def test_what_was_not_measured_says_why():
    made = unmeasured("P9", "sign-in", "ms", "The demo did not start.")
    assert made.document()["value"] is None
    assert made.document()["why"] == "The demo did not start."
    assert "P9 was not measured: The demo did not start." in table([made])


def test_the_table_names_a_missed_goal():
    lines = table([row(floor=6.0, goal=1.8), row(id="P16", value=100.0, goal=450)]).splitlines()
    assert [line.split()[-1] for line in lines[1:]] == ["MISSED", "met"]


@pytest.mark.parametrize(
    ("samples", "median", "p95"),
    [
        ((5.0,), 5.0, 5.0),
        ((3.0, 1.0, 2.0), 2.0, 3.0),
        (tuple(float(n) for n in range(1, 21)), 10.5, 19.0),
        (tuple(float(n) for n in range(1, 101)), 50.5, 95.0),
    ],
)
def test_median_and_nearest_rank(samples, median, p95):
    assert (Timings(samples).median, Timings(samples).p95) == (median, p95)


def test_products_take_turns_and_warm_up_is_not_counted():
    order = []
    counter = itertools.count()

    def sampler(name):
        def sample() -> float:
            order.append(name)
            return float(next(counter))

        return sample

    times = alternating({"a": sampler("a"), "b": sampler("b")}, repetitions=2, warm_up=1)
    assert order == ["a", "b"] * 3
    assert times == {"a": Timings((2.0, 4.0)), "b": Timings((3.0, 5.0))}


def test_pss_is_read_and_nothing_like_it():
    assert memory.pss_of(ROLLUP) == 31042
    with pytest.raises(ValueError, match="Pss"):
        memory.pss_of("Pss_Anon:  19000 kB\nSwapPss:  0 kB\n")


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (("python", "/x/bin/celery", "-A", "webmail.celery", "-n", "worker-crypto@%h"),
         "worker-crypto"),
        (("/x/bin/python", "/x/bin/granian", "--port", "1"), "web"),
        (("/x/bin/python", "/x/bin/pymap", "maildir"), "imap"),
        (("python", "-m", "webmail.demo.submission_server", "f"), "submission"),
        (("python", "manage.py", "watch"), "watcher"),
        (("python", "manage.py", "demo", "--port", "8000"), "supervisor"),
        (("/x/valkey-server", "*:0"), "valkey"),
        (("/usr/bin/other",), "other"),
        ((), "7"),
    ],
)  # fmt: skip
def test_processes_have_the_names_of_their_services(command, name):
    assert Process(7, 1, command).name == name


def _proc(root, *processes):
    for pid, parent, command, pss, *comm in processes:
        directory = root / str(pid)
        directory.mkdir()
        (directory / "stat").write_text(f"{pid} ({(comm or ['a) b'])[0]}) S {parent} 1 1 0")
        (directory / "cmdline").write_bytes(b"\0".join(word.encode() for word in command) + b"\0")
        (directory / "smaps_rollup").write_text(f"Rss: 9 kB\nPss:  {pss} kB\n")


def test_memory_is_added_up_by_service_with_all_its_children(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "_PROC", tmp_path)
    _proc(
        tmp_path,
        (10, 1, ["python", "manage.py", "demo"], 1000),
        (11, 10, ["granian"], 2000),
        (12, 11, ["granian"], 3000),
        (13, 12, ["granian"], 4000),
        (14, 10, ["valkey-server"], 500),
        (15, 10, ["python", "manage.py", "demo"], 250, "worker-interact"),
        (16, 15, ["python", "manage.py", "demo"], 250, "worker-interact"),
        (20, 1, ["granian"], 90000),
    )
    assert memory.child(1, "supervisor") == 10
    sizes = memory.resting(10)
    assert sizes == pytest.approx(
        {"supervisor": 1.024, "web": 9.216, "valkey": 0.512, "worker-interactive": 0.512}
    )
    with pytest.raises(NotMeasured):
        memory.child(1, "watcher")
    with pytest.raises(NotMeasured):
        memory.resting(99)


def test_pages_are_read_as_they_are_drawn():
    page = (
        '<a class="row-link" href="/message/7?in=inbox&amp;x=1" aria-label="unread">'
        '<a href="/message/8" class="row-link"></a><a class="row-links" href="/message/9"></a>'
        '<iframe class="body-frame is-part" src="/m/a%3Ab/frame" sandbox><iframe src="/else">'
    )
    answer = Answer(status=200, location="", page=page, milliseconds=1.0)
    assert answer.list_rows == 2
    assert answer.message_urls == ["/message/7?in=inbox&x=1", "/message/8"]
    assert answer.frame_urls == ["/m/a%3Ab/frame"]
    with pytest.raises(NotMeasured, match="200 and 2 rows"):
        whole(answer)


def test_the_floor_has_as_many_rows_and_the_same_each_time(tmp_path):
    import sqlite3
    from contextlib import closing

    contents = []
    for name in ("one", "two"):
        floor_database.make(tmp_path / name, rows=120)
        with closing(sqlite3.connect(tmp_path / name)) as database:
            contents.append(database.execute("SELECT * FROM letter ORDER BY id").fetchall())
    assert len(contents[0]) == 120
    assert contents[0] == contents[1]


def test_the_command_refuses_names_it_does_not_know(capsys):
    with pytest.raises(CommandError, match="There is no P99") as refusal:
        call_command("bench", "P99")
    assert refusal.value.returncode == 2


def test_the_command_prints_one_document(monkeypatch, capsys):
    asked = []

    def run(names, *, say):
        asked.append(list(names))
        say("measuring")
        return [row(floor=8.0, goal=1.8)]

    monkeypatch.setattr(goals, "run", run)
    call_command("bench", "p1", "--json")
    output = capsys.readouterr()
    document = json.loads(output.out)
    assert asked == [["P1"]]
    assert [found["id"] for found in document["rows"]] == ["P1"]
    assert document["machine"]
    assert "measuring" in output.err


def test_a_goal_that_cannot_be_measured_does_not_stop_the_others(monkeypatch):
    def broken(grounds):
        raise ConnectionRefusedError(111, "Connection refused")

    chosen = (
        goals.Goal("P9", "nine", "ms", broken),
        goals.Goal("P1", "one", "ms", lambda grounds: [row()]),
    )
    monkeypatch.setattr(goals, "GOALS", chosen)
    rows = goals.run([], say=lambda words: None)
    assert [(found.id, found.value) for found in rows] == [("P1", 12.0), ("P9", None)]
    assert "Connection refused" in rows[1].why


def test_rendering_is_measured_over_the_corpora_and_names_the_worst(monkeypatch, tmp_path):
    """P13 without the corpora says so; with them each mail counts, notes beside them do not."""
    monkeypatch.setenv("SIGNET_CORPORA", str(tmp_path / "none"))
    with pytest.raises(NotMeasured, match="SIGNET_CORPORA"):
        rendering.measure(None)
    folder = tmp_path / "mime" / "own"
    folder.mkdir(parents=True)
    (folder / "ORIGIN.txt").write_text("Made here\n")
    (folder / "small.eml").write_text("Subject: x\n\nwords")
    (folder / "long.html").write_text("<p><b>words</b> in a row</p>\n" * 900)
    monkeypatch.setenv("SIGNET_CORPORA", str(tmp_path))
    monkeypatch.setattr(rendering, "LARGE", 100_000)
    rows = rendering.measure(None)
    assert {each.id for each in rows} == {"P13"}
    assert "all 2 mails" in rows[0].what and rows[0].goal == rendering.GOAL
    assert "reading mail" in rows[1].what and "washing HTML" in rows[2].what
    assert rows[2].ratio > 1
    assert "for each kB: median of 2 mails, short ones too" in rows[3].what
    assert "for each kB: median of 1 mails above 10 kB" in rows[4].what
    assert "whole: median of 2 mails" in rows[5].what
    assert "the worst of them: own/long.html, 26 kB" in rows[6].what
    assert [row.goal for row in rows[1:6]] == [None] * 5
    assert all(each.value > 0 for each in rows)
