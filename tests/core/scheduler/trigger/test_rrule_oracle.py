"""Random recurrence rules against dateutil's, on naive times; and in zones against zoneinfo's own readings."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import datetime, timedelta
from itertools import islice, takewhile

import pytest
from dateutil.rrule import rrule as other_rrule
from dateutil.rrule import rrulestr
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from wall_oracle import assert_fires_at, lows, moments, policies, wall, zones

from modules.core.scheduler.trigger import RRule, TriggerError
from modules.core.scheduler.trigger.rrule_text import read_rule
from modules.core.scheduler.trigger.rrule_times import RuleTimes, rule_times
from modules.core.scheduler.trigger.wall_clock import Dst

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
BY = {
    "BYMONTH": st.integers(1, 12),
    "BYMONTHDAY": st.integers(1, 31) | st.integers(-31, -1),
    "BYYEARDAY": st.integers(1, 366) | st.integers(-366, -1),
    "BYWEEKNO": st.integers(1, 51) | st.integers(-3, -1),
    "BYDAY": st.sampled_from(DAYS),
    "BYHOUR": st.integers(0, 23),
    "BYMINUTE": st.integers(0, 59),
    "BYSECOND": st.integers(0, 59),
}
DAY_PARTS = {
    "YEARLY": ("BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYDAY"),
    "MONTHLY": ("BYMONTH", "BYMONTHDAY", "BYDAY"),
    "WEEKLY": ("BYMONTH", "BYDAY"),
    "DAILY": ("BYMONTH", "BYMONTHDAY", "BYDAY"),
    "HOURLY": ("BYMONTH", "BYMONTHDAY", "BYDAY"),
    "MINUTELY": ("BYMONTH", "BYDAY"),
    "SECONDLY": ("BYDAY",),
}
INTERVALS = {"HOURLY": [1, 2, 5, 7, 24, 36], "MINUTELY": [1, 5, 7, 45, 97, 2000], "SECONDLY": [1, 7, 61, 3600, 90_001]}
STARTS = st.datetimes(wall(1995, 1, 1), wall(2030, 1, 1)).map(lambda at: at.replace(microsecond=0))


@st.composite
def rules(draw: st.DrawFn, frequencies: tuple[str, ...] = tuple(DAY_PARTS)) -> str:
    frequency = draw(st.sampled_from(frequencies))
    rule = [f"FREQ={frequency}", f"INTERVAL={draw(st.sampled_from(INTERVALS.get(frequency, [1, 1, 2, 3, 4])))}"]
    chosen = draw(
        st.lists(st.sampled_from([*DAY_PARTS[frequency], "BYHOUR", "BYMINUTE", "BYSECOND"]), unique=True, max_size=3)
    )
    for part in chosen:
        values = draw(st.lists(BY[part], min_size=1, max_size=4, unique=True))
        if part == "BYDAY" and frequency in ("MONTHLY", "YEARLY") and "BYWEEKNO" not in chosen and draw(st.booleans()):
            values = [f"{draw(st.sampled_from([1, 2, 4, 5, -1, -2]))}{day}" for day in values]
        rule.append(f"{part}={','.join(map(str, values))}")
    if chosen and frequency not in ("SECONDLY", "WEEKLY") and draw(st.booleans()):
        rule.append(f"BYSETPOS={draw(st.sampled_from(['1', '-1', '2,-2', '1,3,-1']))}")
    if draw(st.booleans()):
        rule.append(f"WKST={draw(st.sampled_from(DAYS))}")
    return ";".join(rule)


def both(text: str, dtstart: datetime) -> tuple[RuleTimes, list[datetime]]:
    """Our times, and the first five hundred of dateutil within twelve years, sixty where a rule is for years."""
    try:
        ours = rule_times(read_rule(text), dtstart)
    except TriggerError:
        assume(False)
    years, least = (60, 3) if "YEARLY" in text else (12, 20)
    stop = dtstart + timedelta(days=years * 366)
    assume(ours.first_in(dtstart, stop) is not None)  # dateutil looks for one until the year 9999
    assume(ours.count_in(dtstart, stop) > least)
    return ours, list(islice(takewhile(lambda at: at < stop, rrulestr(text, dtstart=dtstart)), 500))


@settings(max_examples=100, deadline=None)
@given(text=rules(), dtstart=STARTS, data=st.data())
def test_a_rule_has_the_times_that_dateutil_finds(text: str, dtstart: datetime, data: st.DataObject) -> None:
    ours, wanted = both(text, dtstart)

    assert list(islice(ours.all_in(dtstart, wanted[-1] + timedelta(seconds=1)), 501)) == wanted
    low, high = sorted(data.draw(st.tuples(st.sampled_from(wanted), st.sampled_from(wanted))))
    low += timedelta(seconds=data.draw(st.sampled_from([-1, 0, 1])))
    first, stop = bisect_left(wanted, low), bisect_left(wanted, high)
    assert ours.count_in(low, high) == max(stop - first, 0)
    assert ours.first_in(low, high) == (wanted[first] if first < stop else None)
    assert ours.last_in(low, high) == (wanted[stop - 1] if first < stop else None)


@settings(max_examples=40, deadline=None)
@given(text=rules(), dtstart=STARTS, count=st.integers(1, 60))
def test_a_count_and_an_end_stop_where_dateutil_stops(text: str, dtstart: datetime, count: int) -> None:
    _, wanted = both(text, dtstart)
    assume(count < len(wanted))
    last = wanted[count - 1]

    counted = rule_times(read_rule(f"{text};COUNT={count}"), dtstart)
    ending = rule_times(read_rule(f"{text};UNTIL={last:%Y%m%dT%H%M%S}"), dtstart)

    assert list(counted.all_in(dtstart, wall(9999, 1, 1))) == wanted[:count]
    assert list(ending.all_in(dtstart, wall(9999, 1, 1))) == wanted[:count]


@settings(max_examples=60, deadline=None)
@given(
    text=rules(("WEEKLY", "MONTHLY", "DAILY", "HOURLY", "MINUTELY")),
    hours=st.integers(0, 20_000),
    zone=zones,
    dst=policies,
    low=lows,
    data=st.data(),
)
def test_a_rule_in_a_zone_happens_as_the_clocks_run(
    text: str, hours: int, zone: str, dst: Dst, low: datetime, data: st.DataObject
) -> None:
    naive = low.replace(tzinfo=None)
    dtstart = naive - timedelta(hours=hours)
    try:
        times = rule_times(read_rule(text), dtstart)
    except TriggerError:
        assume(False)
    high = low + timedelta(days=40)
    until = naive + timedelta(days=45)
    assume(0 < times.count_in(naive - timedelta(days=3), until) < 3000)
    walls = set(times.all_in(dtstart, until))
    out = data.draw(st.lists(st.sampled_from(sorted(walls)), max_size=3))
    more = data.draw(st.lists(st.integers(-50, 900).map(lambda hours: naive + timedelta(hours=hours)), max_size=3))

    trigger = RRule(text, dtstart, zone, tuple(out), tuple(more), dst=dst)

    assert_fires_at(trigger, moments((walls | set(more)) - set(out), zone, dst), low, high)


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=WEEKLY;WKST=SU;BYDAY=SU,TU,SA;BYSETPOS=2,-1",
        "FREQ=WEEKLY;INTERVAL=3;WKST=SU;BYDAY=MO,TH,FR;BYSETPOS=-2",
        "FREQ=YEARLY;BYWEEKNO=-1;BYDAY=MO,SU",
        "FREQ=YEARLY;BYYEARDAY=366,-366",
        "FREQ=YEARLY;BYDAY=53MO,-53SU",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
        "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
        "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
        "FREQ=HOURLY;INTERVAL=36;BYDAY=SA",
    ],
)
def test_where_years_and_weeks_end_a_rule_has_the_times_that_dateutil_finds(text: str) -> None:
    start = wall(2012, 12, 23, 9)  # a Sunday: weeks that begin on it are whole

    wanted = list(takewhile(lambda at: at.year < 2110, rrulestr(text, dtstart=start)))[:800]
    found = rule_times(read_rule(text), start).all_in(start, wanted[-1] + timedelta(seconds=1))

    assert list(found) == wanted


@pytest.mark.parametrize("number", [1, 52, 53, -1, -53])
def test_weeks_are_numbered_as_in_iso_8601_also_where_dateutil_errs(number: int) -> None:
    start, stop = wall(2012, 1, 1), wall(2080, 1, 1)
    days = [start + timedelta(days=place) for place in range((stop - start).days)]

    found = rule_times(read_rule(f"FREQ=YEARLY;BYWEEKNO={number}"), start).all_in(start, stop)

    assert list(found) == [day for day in days if number in weeks_of(day)]


def weeks_of(day: datetime) -> tuple[int, int]:
    """The number of a day's week, and the same counted back from the end of its year."""
    week = day.isocalendar()
    return week.week, week.week - wall(week.year, 12, 28).isocalendar().week - 1


def test_a_year_of_every_five_minutes_equals_dateutils() -> None:
    start, now = wall(2020, 1, 1), wall(2021, 1, 1)
    ours = rule_times(read_rule("FREQ=MINUTELY;INTERVAL=5"), start)
    theirs = list(takewhile(lambda at: at < now, other_rrule(freq=5, interval=5, dtstart=start)))

    assert list(ours.all_in(start, now)) == theirs
    assert ours.count_in(start, now) == len(theirs)
    for moment in theirs[::9_973]:
        assert ours.first_in(moment + timedelta(seconds=1), wall(9999, 1, 1)) == theirs[bisect_right(theirs, moment)]
