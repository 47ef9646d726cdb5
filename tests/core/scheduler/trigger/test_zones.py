"""Zones: found by name, and their changes of offset."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import cron_oracle as oracle
import pytest
import zones_swept

from modules.core.scheduler.trigger import TriggerError, resolve, zone
from modules.core.scheduler.trigger.zones import transitions

NAMES = [
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Pacific/Apia",
    "Africa/Cairo",
    "America/Caracas",
    "UTC",
]


def wall(*parts: int) -> datetime:
    """A wall-clock time, without a zone."""
    return datetime(*parts)  # noqa: DTZ001  # a wall-clock time has none


@pytest.mark.parametrize(
    "name",
    [
        "Europe/Berln",
        "Europe",
        "",
        "../etc/passwd",
        "/etc/localtime",
        "localtime",
        "right/UTC",
        "a\x00b",
        "ä",
        "x" * 5000,
        None,
        5,
        [],
    ],
)
def test_a_bad_name_is_one_kind_of_error_whatever_zoneinfo_raises(name: object) -> None:
    with pytest.raises(TriggerError) as refusal:
        zone(name)

    assert refusal.value.field == "timezone"


def test_a_misspelt_zone_is_answered_with_the_near_name() -> None:
    with pytest.raises(ValueError, match="did you mean 'Europe/Berlin'"):
        zone("europe/berln")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("year", [1994, 2010, 2011, 2026])
def test_no_change_of_offset_is_missed(name: str, year: int) -> None:
    quarters = [datetime(year, 1, 1, tzinfo=UTC) + number * timedelta(minutes=15) for number in range(-1, 365 * 96)]
    offsets = [moment.astimezone(ZoneInfo(name)).utcoffset() for moment in quarters]
    steps = zip(pairwise(offsets), quarters[1:], strict=True)
    expected = [(moment, before, after) for (before, after), moment in steps if before != after]

    found = [(change.at, change.before, change.after) for change in transitions(zone(name), year)]

    assert found == expected


@pytest.mark.parametrize("name", [*oracle.distinct_zones()[::24], "UTC", "Africa/Monrovia"])
def test_every_change_that_looking_twice_a_day_shows_is_found(name: str) -> None:
    zones_swept.check_table(name)


def test_zones_with_changes_are_among_those_that_are_looked_at() -> None:
    assert sum(bool(zones_swept.changes(name)) for name in oracle.distinct_zones()[::24]) > 5


# Every change in every zone takes many minutes: `python tests/zones_swept.py`, which `make torture` does.
@pytest.mark.parametrize(
    ("name", "year"),
    [
        ("Europe/Berlin", 2026),
        ("America/Havana", 2012),
        ("Australia/Lord_Howe", 2026),
        ("Africa/Casablanca", 2030),
        ("Africa/Monrovia", 1972),
        ("Pacific/Apia", 2011),
        ("Pacific/Kwajalein", 1993),
        ("Asia/Pyongyang", 2015),
    ],
)
def test_every_kind_of_trigger_is_right_around_a_change_by_every_policy(name: str, year: int) -> None:
    around = [change for change in zones_swept.changes(name) if change.at.year == year]

    assert around
    assert sum(map(zones_swept.check, around[-2:])) > 70


def test_a_wall_clock_time_in_the_gap_is_the_first_valid_instant_after_it() -> None:
    assert resolve(zone("Europe/Berlin"), wall(2026, 3, 29, 2, 30)) == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert resolve(zone("Pacific/Apia"), wall(2011, 12, 30, 5)) == datetime(2011, 12, 30, 10, tzinfo=UTC)


def test_a_wall_clock_time_in_the_fold_is_its_first_pass_unless_it_says_the_second() -> None:
    in_fold = wall(2026, 10, 25, 2, 30)

    assert resolve(zone("Europe/Berlin"), in_fold) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert resolve(zone("Europe/Berlin"), in_fold.replace(fold=1)) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
