"""How the admin panel words a certificate's standing, and how it counts what expires when."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from smime.admin_overview import TALLEST, bars, months_from
from smime.admin_states import standing, standings_of_people

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("begins", "ends", "is_withdrawn", "kind", "words"),
    [
        (-10 * DAY, 400 * DAY, False, "ok", "Valid"),
        (-10 * DAY, 31 * DAY, False, "ok", "Valid"),
        (-10 * DAY, 30 * DAY, False, "warn", "Expires in 30 days"),
        (-10 * DAY, 1.5 * DAY, False, "warn", "Expires in 1 day"),
        (-10 * DAY, 0.5 * DAY, False, "warn", "Expires today"),
        (-10 * DAY, 0 * DAY, False, "bad", "Expired"),
        (-10 * DAY, -1 * DAY, False, "bad", "Expired"),
        (2 * DAY, 400 * DAY, False, "none", "Not valid yet"),
        (-10 * DAY, 400 * DAY, True, "bad", "Revoked"),
        (-10 * DAY, -1 * DAY, True, "bad", "Revoked"),
    ],
)
def test_standing(begins, ends, is_withdrawn, kind, words) -> None:
    found = standing(
        not_before=NOW + begins, not_after=NOW + ends, is_withdrawn=is_withdrawn, now=NOW
    )
    assert (found.state.kind, found.state.words) == (kind, words)
    assert found.until == f"{NOW + ends:%-d %b %Y}"


def test_months_begin_on_their_first_day_in_the_persons_time() -> None:
    with timezone.override("Pacific/Auckland"):  # there it is December already
        starts = months_from(datetime(2026, 11, 30, 12, tzinfo=UTC))
    assert [(each.year, each.month, each.day, each.hour) for each in starts] == [
        *((2026, 12, 1, 0) for _ in range(1)),
        *((2027, month, 1, 0) for month in range(1, 13)),
    ]


def test_bars_count_by_month_and_warn_of_the_next_thirty_days() -> None:
    ends = [
        NOW - DAY,  # past: not counted
        NOW + 3 * DAY,  # November, soon
        NOW + 10 * DAY,  # December, soon
        *([NOW + 35 * DAY] * 2),  # December, later
        *([datetime(2027, 6, day, tzinfo=UTC) for day in range(1, 11)]),
        datetime(2027, 10, 31, 23, tzinfo=UTC),
        datetime(2027, 11, 1, tzinfo=UTC),  # in a year: not counted
    ]
    drawn = bars(ends, now=NOW)
    assert [bar.count for bar in drawn] == [1, 3, 0, 0, 0, 0, 0, 10, 0, 0, 0, 1]
    assert [bar.ends_soon for bar in drawn] == [True, True] + [False] * 10
    assert [bar.height for bar in drawn] == [
        round(TALLEST * count / 10) for count in (1, 3, 0, 0, 0, 0, 0, 10, 0, 0, 0, 1)
    ]
    assert (drawn[0].month, drawn[1].whole_month) == ("Nov", "December 2026")
    assert [bar.height for bar in bars([], now=NOW)] == [0] * 12


def test_a_blocked_issuer_turns_its_people_revoked(anna, ben, authority, db) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding

    from smime import trust, vault
    from smime.pki.authority import to_pkcs12
    from tests.smime.conftest import certify

    pair = certify(authority, anna.address, name="Anna")
    vault.import_keys(anna, to_pkcs12(pair, "x"), "x", sealing="managed")
    pem = authority.certificate.public_bytes(Encoding.PEM)
    now = timezone.now()

    def words() -> list[str]:
        found = standings_of_people([anna, ben], now=now)
        return [found[anna.pk].state.words, found[ben.pk].state.words]

    trust.add_anchor(pem, actor=None, reason="ours")
    assert words() == ["Valid", "None yet"]
    trust.add_anchor(pem, actor=None, reason="broken into", state="blocked")
    assert words() == ["Revoked", "None yet"]
