"""Cron: changes of clocks by name, windows, long sleeps."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from documents import ROOT
from steps import at_most

from modules.core.scheduler.trigger import Cron, wall_clock

DAY = timedelta(days=1)


def wall(*parts: int) -> datetime:
    """A wall-clock time, without a zone."""
    return datetime(*parts)  # noqa: DTZ001  # a wall-clock time has none


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def test_a_time_in_the_gap_fires_at_the_first_valid_instant_after_it() -> None:
    cron = Cron("30 2 * * *", "Europe/Berlin")

    assert list(cron.between(utc(2026, 3, 28, 12), utc(2026, 3, 30, 12))) == [
        utc(2026, 3, 29, 1),
        utc(2026, 3, 30, 0, 30),
    ]


def test_several_times_in_the_gap_fire_once_together() -> None:
    cron = Cron("0,20,40 2,3 * * *", "Europe/Berlin")

    found = list(cron.between(utc(2026, 3, 28, 12), utc(2026, 3, 29, 12)))

    assert found == [utc(2026, 3, 29, 1), utc(2026, 3, 29, 1, 20), utc(2026, 3, 29, 1, 40)]
    assert cron.count_between(utc(2026, 3, 28, 12), utc(2026, 3, 29, 12)) == 3


def test_a_time_in_the_fold_fires_once_the_first_time() -> None:
    cron = Cron("30 2 * * *", "Europe/Berlin")

    assert list(cron.between(utc(2026, 10, 24, 12), utc(2026, 10, 26, 12))) == [
        utc(2026, 10, 25, 0, 30),
        utc(2026, 10, 26, 1, 30),
    ]


def test_asked_in_the_second_pass_of_the_fold_the_next_is_tomorrow() -> None:
    cron = Cron("30 2 * * *", "Europe/Berlin")

    assert cron.next_after(utc(2026, 10, 25, 1, 10)) == utc(2026, 10, 26, 1, 30)


def test_a_wildcard_hour_follows_elapsed_time() -> None:
    cron = Cron("0 * * * *", "Europe/Berlin")

    assert cron.count_between(utc(2026, 3, 28, 23), utc(2026, 3, 29, 22)) == 23
    assert cron.count_between(utc(2026, 10, 24, 22), utc(2026, 10, 25, 23)) == 25


def test_a_day_that_a_zone_left_out_fires_at_the_start_of_the_next() -> None:
    cron = Cron("0 12 * * *", "Pacific/Apia")

    assert list(cron.between(utc(2011, 12, 29, 12), utc(2011, 12, 31))) == [
        utc(2011, 12, 29, 22),
        utc(2011, 12, 30, 10),
        utc(2011, 12, 30, 22),
    ]


def test_a_gap_at_new_year_is_not_lost_between_the_years() -> None:
    cron = Cron("0 12 31 12 *", "Pacific/Kiritimati")  # left out 31 December 1994

    assert cron.next_after(utc(1994, 6, 1)) == utc(1994, 12, 31, 10)


def test_a_gap_at_the_very_turn_of_the_year_in_utc_is_seen() -> None:
    cron = Cron("30 23 * * *", "Europe/Lisbon")  # its clocks went from 23:23:15 to 0:00 as 1912 began in UTC

    assert cron.next_after(utc(1911, 12, 31, 12)) == utc(1912, 1, 1)


def test_a_fold_that_reaches_over_the_turn_of_the_year_fires_once() -> None:
    cron = Cron("45 23 31 12 *", "Africa/Sao_Tome")  # in 1883 its clocks went back from midnight to 22:56:19

    assert list(cron.between(utc(1883, 12, 31, 12), utc(1884, 1, 1, 12))) == [utc(1883, 12, 31, 23, 18, 4)]


def test_day_of_month_and_weekday_together_mean_either() -> None:
    cron = Cron("0 0 13 * 5", "UTC")

    found = list(cron.between(utc(2026, 1, 1), utc(2026, 1, 31)))

    assert [moment.day for moment in found] == [2, 9, 13, 16, 23, 30]


def test_nothing_fires_before_start_or_after_end_and_both_are_included() -> None:
    cron = Cron("0 * * * *", "UTC", utc(2026, 1, 1, 10), utc(2026, 1, 1, 12))

    assert cron.next_after(utc(2020, 1, 1)) == utc(2026, 1, 1, 10)
    assert list(cron.between(utc(2020, 1, 1), utc(2030, 1, 1))) == [utc(2026, 1, 1, hour) for hour in (10, 11, 12)]
    assert cron.next_after(utc(2026, 1, 1, 12)) is None
    assert cron.latest_until(utc(2030, 1, 1), utc(2020, 1, 1)) == utc(2026, 1, 1, 12)
    assert cron.count_between(utc(2020, 1, 1), utc(2030, 1, 1)) == 3


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Antarctica/Troll", "UTC"])
@pytest.mark.parametrize("expression", ["* * * * *", "* 0-23 * * *"])
def test_ten_years_asleep_cost_no_more_than_ten_years_of_changes_of_clocks(expression: str, zone: str) -> None:
    cron = Cron(expression, zone)
    then, now = utc(2016, 3, 1), utc(2026, 3, 1, 0, 0, 30)

    with at_most(40_000):
        following, latest, missed = cron.next_after(then), cron.latest_until(now, then), cron.count_between(then, now)

    assert (following, latest) == (utc(2016, 3, 1, 0, 1), utc(2026, 3, 1))
    minutes = (now - then) // timedelta(minutes=1)
    second_passes = {"Europe/Berlin": 60, "Antarctica/Troll": 120, "UTC": 0}[zone]
    assert missed == minutes - (10 * second_passes if "0-23" in expression else 0)


def test_away_from_changes_of_clocks_the_next_and_the_last_time_are_found_without_going_there_step_by_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(wall_clock, "stretches")  # what lies between is not looked at, however far it is

    for expression in ("* * * * *", "30 3 * * *", "0 0 29 2 *", "0 0 0 29 2 * 2096"):
        cron = Cron(expression, "America/New_York")
        following = cron.next_after(utc(2026, 1, 5))
        assert following is not None
        assert cron.latest_until(following, utc(1990, 1, 1)) == following


def test_the_calendar_ends_without_an_overflow() -> None:
    for zone in ("UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"):
        for expression in ("* * * * *", "0 0 29 2 *", "0 0 1 1 *", "30 2 * * *"):
            cron = Cron(expression, zone)
            assert cron.next_after(datetime.max.replace(tzinfo=UTC)) is None
            assert cron.next_after(datetime.min.replace(tzinfo=UTC)) is not None
            assert cron.latest_until(datetime.max.replace(tzinfo=UTC), utc(9990, 1, 1)) is not None
    assert Cron("0 0 29 2 *", "UTC").next_after(utc(9997, 1, 1)) is None


SAMPLE = """
from datetime import UTC, datetime
from itertools import islice
from modules.core.scheduler.trigger import parse

now = datetime(2026, 3, 28, 12, tzinfo=UTC)
for zone in ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"):
    for expression in ("30 2 * * *", "0 * * * *", "0 0 L * *", "*/20 30 1-3 * * *", "0 0 29 2 *"):
        trigger = parse(expression, zone=zone, now=now)
        print(zone, expression, *islice(trigger.between(now, now.replace(year=2029)), 40), trigger.next_after(now))
"""


def test_the_zone_of_the_host_alters_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    running = [
        subprocess.Popen(
            [sys.executable, "-c", SAMPLE], env={**os.environ, "TZ": host}, cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for host in ("America/New_York", "Pacific/Kiritimati")
    ]
    exec(SAMPLE)

    here = capsys.readouterr().out
    assert len(here.splitlines()) == 20
    assert [process.communicate()[0] for process in running] == [here, here]


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        Cron("* * * * *", "UTC").next_after(wall(2026, 1, 1))
