"""The line of years under the keys: where things lie on it."""

from datetime import UTC, datetime

from smime.comparing import compare
from smime.timeline import plan_timeline


def day(year: int, month: int = 1, number: int = 1) -> datetime:
    return datetime(year, month, number, 12, tzinfo=UTC)


def test_years_begin_with_the_first_key_and_end_with_the_last() -> None:
    line = plan_timeline([(day(2023, 3), day(2025, 3)), (day(2025), day(2027))], now=day(2026, 7))
    assert [year.label for year in line.years] == ["2023", "2024", "2025", "2026", "2027"]
    assert line.years[0].at == "0.00%"
    assert line.today_anchor == "end"
    old, current = line.bars
    assert (old.start, old.anchor) == ("3.26%", "start")
    assert float(old.start[:-1]) + float(old.width[:-1]) < float(current.start[:-1]) + 4


def test_a_late_bar_has_its_words_at_its_end() -> None:
    line = plan_timeline([(day(2020), day(2021)), (day(2026), day(2027))], now=day(2026))
    assert line.bars[1].anchor == "end"
    assert line.bars[1].words_at == "87.53%"


def test_many_years_have_few_labels() -> None:
    line = plan_timeline([(day(2000), day(2040))], now=day(2026))
    assert len(line.years) == 41
    assert sum(bool(year.label) for year in line.years) <= 8


def test_no_key_shows_this_year_and_endless_keys_do_not_overflow() -> None:
    assert [year.label for year in plan_timeline([], now=day(2026)).years] == ["2026"]
    endless = plan_timeline([(day(2026), day(9999, 12, 31))], now=day(2026, 2))
    assert endless.bars[0].start == "0.00%"


def test_addresses_are_compared_letter_by_letter() -> None:
    left, right = compare("anna@nordlys.example", "anna@nord1ys.example")
    assert [(piece.text, piece.differs) for piece in left] == [
        ("anna@nord", False), ("l", True), ("ys.example", False),
    ]  # fmt: skip
    assert "".join(piece.text for piece in right) == "anna@nord1ys.example"


def test_addresses_that_have_nothing_in_common_differ_as_a_whole() -> None:
    left, right = compare("jonas.berg@werkstrom.test", "alice@nordlys.example")
    assert [piece.differs for piece in (*left, *right)] == [True, True]
