"""Cron against an oracle that looks at every minute, and around changes of the clocks against cronsim."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from random import Random
from zoneinfo import ZoneInfo

import cron_at_random
import cron_oracle as oracle
import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.core.scheduler.trigger import Cron

HOUR = timedelta(hours=1)


@pytest.mark.parametrize("chunk", range(4))  # `make torture` looks at 100,000
def test_random_expressions_mean_what_looking_at_every_minute_finds(chunk: int) -> None:
    for number in range(chunk * 12, chunk * 12 + 12):
        cron_at_random.check(Random(number))


def by_cronsim(expression: str, zone: str, after: datetime, until: datetime) -> list[datetime]:
    """The occurrences in (after, until] as cronsim has them, which follows Debian's cron."""
    times: Iterator[datetime] = (
        moment.astimezone(UTC) for moment in CronSim(expression, after.astimezone(ZoneInfo(zone)))
    )
    return list(takewhile(lambda moment: moment <= until, islice(times, 3_000)))


def whole_hours_and_not_at_midnight(zone: str, change: datetime) -> bool:
    """Whether a change of the clocks is one that cronsim can step over."""
    before, after = (
        moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for moment in (change - oracle.MINUTE, change)
    )
    jump = after - before - oracle.MINUTE
    return not jump % HOUR and before.date() == after.date() and after.hour >= 1 and not after.minute


minutes = st.sampled_from(["0", "30", "0,30", "5", "15-45/15"])
hours = st.sampled_from(["0", "1", "2", "3", "1-3", "0,2,23", "0-23", "12", "*", "*/2", "*/3"])
days = st.sampled_from(["*", "*", "*", "1", "15,31", "L", "10-20"])
weekdays = st.sampled_from(["*", "*", "*", "0", "1-5", "5#2", "2L", "1/2"])


@settings(max_examples=80, deadline=None)
@given(
    fields=st.tuples(minutes, hours, days, st.just("*"), weekdays),
    zone=st.sampled_from(oracle.distinct_zones()),
    before=st.integers(1, 30),  # cronsim started in the second pass of a fold goes back
    data=st.data(),
)
def test_cron_agrees_with_debian_cron_around_a_change_of_clocks(
    fields: tuple[str, ...], zone: str, before: int, data: st.DataObject
) -> None:
    change = data.draw(st.sampled_from(oracle.changes(zone)))
    if fields[1].startswith("*") and not whole_hours_and_not_at_midnight(zone, change):
        return  # two rows of the table below
    after = change.replace(second=0) - before * HOUR
    until = after + 50 * HOUR
    expression = " ".join(fields)

    found = list(Cron(expression, zone).between(after, until))

    assert found == by_cronsim(expression, zone, after, until)


UNLIKE_CRONSIM = [
    (
        "*/15 2 * * *",
        "Europe/Berlin",
        "2026-10-25T00:00",
        "the hour alone says whether a time is meant once; Debian's cron runs `*/15 2` in both passes of the fold",
    ),
    (
        "*/15 2 * * *",
        "Europe/Berlin",
        "2026-03-28T23:00",
        "the hour alone says it in the gap too: the times that were left out run once after it, and not at all there",
    ),
    (
        "0 */2 * * 0",
        "Atlantic/Azores",
        "1987-03-28T20:00",
        "cronsim loses its place after a gap at midnight; an hour of */2 runs when the clock shows an even hour",
    ),
    (
        "0 */3 * * *",
        "Asia/Pyongyang",
        "2018-05-04T10:00",
        "cronsim steps by whole hours, and so goes wrong after a gap of half an hour",
    ),
    (
        "0 0 1 * */2",
        "UTC",
        "2026-01-01T00:00",
        "day and weekday both restricted mean either; Debian's cron takes a field that begins with * for unrestricted",
    ),
]


@pytest.mark.parametrize(("expression", "zone", "start", "reason"), UNLIKE_CRONSIM)
def test_where_cron_differs_from_cronsim_it_does_what_is_written(
    expression: str, zone: str, start: str, reason: str
) -> None:
    after = datetime.fromisoformat(start + "Z")
    until = after + 48 * HOUR

    found = list(Cron(expression, zone).between(after, until))

    assert found == oracle.occurrences(expression, zone, after, until), reason
    assert found != by_cronsim(expression, zone, after, until), "cronsim has changed: leave out this row"
