"""Builds interval triggers from units and counts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from framework.duration import parse_duration
from modules.core.scheduler.trigger import reading
from modules.core.scheduler.trigger.after_end import AfterEnd
from modules.core.scheduler.trigger.calendar_interval import MAX_EVERY, CalendarInterval, phase_of
from modules.core.scheduler.trigger.near import did_you_mean
from modules.core.scheduler.trigger.protocol import TICK, TriggerError, as_utc
from modules.core.scheduler.trigger.series import MAX_INTERVAL, Every
from modules.core.scheduler.trigger.wall_clock import BY_DEFAULT, Dst
from modules.core.scheduler.trigger.zones import resolve
from modules.core.scheduler.trigger.zones import zone as find_zone

ELAPSED = ("seconds", "minutes", "hours", "days", "weeks")
MONTHS_IN = {"months": 1, "years": 12}
INTERVAL_TYPES = (*ELAPSED, *MONTHS_IN)


def recurring_schedule(
    interval_type: str,
    interval_value: float,
    *,
    start: datetime,
    zone: str,
    end: datetime | None = None,
) -> Every | CalendarInterval:
    """Return the trigger that first fires at `start` (aware) and then every so many units, not after `end`.

    `interval_type` is one of `INTERVAL_TYPES`; months and years are whole numbers and keep the zone's wall clock.
    """
    if interval_type not in INTERVAL_TYPES:
        hint = did_you_mean(interval_type, INTERVAL_TYPES)
        raise TriggerError(
            f"interval_type is one of {', '.join(INTERVAL_TYPES)}, not {interval_type!r}{hint}", "interval_type"
        )
    try:
        return _spaced({interval_type: interval_value}, start, zone, end, BY_DEFAULT, first=0)
    except TriggerError as error:
        field = "interval_value" if error.field in {interval_type, "interval", "months"} else error.field
        raise TriggerError(str(error), field) from None


def interval(given: Mapping[str, Any], zone: str, now: datetime, dst: Dst) -> Every | CalendarInterval | AfterEnd:
    """Return the trigger of an interval dict; without `start_date` its first run is one interval from now.

    With `after_end` the interval is counted from the end of the last run.
    """
    counts = _counts(given)
    start = reading.optional_moment(given, "start_date", zone)
    end = reading.optional_moment(given, "end_date", zone)
    if start is not None and end is not None and end < start:
        raise TriggerError("end_date lies before start_date", "end_date")
    if _is_after_end(given):
        return _after_end(counts, start, as_utc(now), end)
    if start is None:
        return _spaced(counts, as_utc(now), zone, end, dst, first=1)
    wall = reading.wall(given["start_date"], zone, "start_date")
    return _spaced(counts, start, zone, end, dst, first=0, wall=wall)


def _counts(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return how many of each unit an interval has; `every`, a duration, stands for all of them."""
    counts = {unit: given[unit] for unit in INTERVAL_TYPES if given.get(unit) is not None}
    every = given.get("every")
    if (every is None) == (not counts):
        raise TriggerError(f"an interval needs one of {', '.join(INTERVAL_TYPES)}, or every alone", "interval")
    if every is None:
        return counts
    try:
        return {"seconds": parse_duration(every).total_seconds()}
    except ValueError as error:
        raise TriggerError(f"every is a duration such as '10 minutes': {error}", "every") from None


def _is_after_end(given: Mapping[str, Any]) -> bool:
    value = given.get("after_end")
    if value is not None and not isinstance(value, bool):
        raise TriggerError(f"after_end is true or false, not {value!r}", "after_end")
    return bool(value)


def _after_end(counts: Mapping[str, Any], start: datetime | None, now: datetime, end: datetime | None) -> AfterEnd:
    if not MONTHS_IN.keys().isdisjoint(counts):
        raise TriggerError("after_end is counted in weeks or shorter units, not in months or years", "after_end")
    span = _elapsed(counts)
    return AfterEnd(span, now + span if start is None else start, end)


def _spaced(
    counts: Mapping[str, Any],
    anchor: datetime,
    zone: str,
    end: datetime | None,
    dst: Dst,
    *,
    first: int,
    wall: datetime | None = None,
) -> Every | CalendarInterval:
    if MONTHS_IN.keys().isdisjoint(counts):
        span = _elapsed(counts)
        return Every(span, anchor + first * span, end)
    if not MONTHS_IN.keys() >= counts.keys():
        raise TriggerError("months and years cannot be combined with shorter units", next(iter(counts)))
    months = sum(reading.whole_amount(count, unit) * MONTHS_IN[unit] for unit, count in counts.items())
    if not 1 <= months <= MAX_EVERY["months"]:
        raise TriggerError("an interval is longer than nothing and at most a hundred years", next(iter(counts)))
    shown = as_utc(anchor).astimezone(find_zone(zone)).replace(tzinfo=None) if wall is None else wall
    return _from_anchor(months, as_utc(anchor), shown.replace(fold=0), zone, end, dst, first=first)


def _from_anchor(
    months: int, anchor: datetime, wall: datetime, zone: str, end: datetime | None, dst: Dst, *, first: int
) -> CalendarInterval:
    """Return the calendar on the day and time `wall`, as the anchor was written: the clocks may leave that time out.

    Where it is shown twice, it may start at the first pass.
    """
    start = anchor + TICK if first else min(anchor, resolve(find_zone(zone), wall))
    return CalendarInterval(months, "months", wall.time(), zone, wall.day, phase_of(wall, "months"), start, end, dst)


def _elapsed(counts: Mapping[str, Any]) -> timedelta:
    numbers = {unit: reading.amount(count, unit) for unit, count in counts.items()}
    try:
        span = timedelta(**numbers)
    except OverflowError:
        span = timedelta.max
    if not timedelta(0) < span <= MAX_INTERVAL:
        raise TriggerError("an interval is longer than nothing and at most a hundred years", next(iter(counts)))
    return span
