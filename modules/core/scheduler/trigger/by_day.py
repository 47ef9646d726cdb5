"""Counts what several triggers have in many days: days that look alike are looked at once, and of each trigger once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Sequence
from datetime import datetime, timedelta

from modules.core.scheduler.trigger.protocol import DAY, LAST, TICK, TimeTrigger
from modules.core.scheduler.trigger.series import Every

Ticks = frozenset[int]  # moments, as microseconds after the beginning of a day
Join = Callable[[Sequence[Ticks]], Ticks]
Count = Callable[[Ticks, Sequence[range]], int]


def count_by_day(
    triggers: Sequence[TimeTrigger],
    intervals: Sequence[Every],
    after: datetime,
    until: datetime,
    *,
    join: Join,
    count: Count,
) -> int:
    """Return the sum over the days of `(after, until]` (UTC) of what `count` says of each.

    It is told the moments of the triggers, as `join` makes one set of theirs, and those of each interval as a range.
    """
    looked: list[dict[Hashable, Ticks]] = [{} for _ in triggers]
    joined: dict[Hashable, Ticks] = {}

    def look(after: datetime, stop: datetime, patterns: Sequence[Hashable | None]) -> int:
        if patterns not in joined or None in patterns:
            each = zip(triggers, patterns, looked, strict=True)
            joined[patterns] = join([_moments(*one, after, stop) for one in each])
        return count(joined[patterns], [ticks_of(each, after, stop) for each in intervals])

    days, rest = divmod(max(until - after, timedelta(0)), DAY)
    kinds = list(zip(*(each.day_patterns(after, days) for each in (*triggers, *intervals)), strict=True))
    number, one_of, several = Counter(kinds), dict(zip(kinds, range(days), strict=True)), len(triggers)
    looks = [(number[kind], day, kind) for kind, day in one_of.items() if None not in kind]
    looks += [(1, day, kind) for day, kind in enumerate(kinds) if None in kind]
    total = sum(times * look(after + day * DAY, after + (day + 1) * DAY, kind[:several]) for times, day, kind in looks)
    return total + (look(until - rest, until, (None,) * several) if rest else 0)


def within(moments: Ticks, ticks: range) -> Collection[int]:
    """Return those of the moments that are in the range, whichever of the two is the longer one."""
    return moments.intersection(ticks) if len(ticks) < len(moments) else set(filter(ticks.__contains__, moments))


def _moments(
    trigger: TimeTrigger, pattern: Hashable | None, looked: dict[Hashable, Ticks], after: datetime, stop: datetime
) -> Ticks:
    if pattern is None or pattern not in looked:
        looked[pattern] = frozenset((moment - after) // TICK for moment in trigger.between(after, stop))
    return looked[pattern]


def ticks_of(every: Every, after: datetime, stop: datetime) -> range:
    """Return the moments of an interval in `(after, stop]`."""
    since_start = (after - every.start) // TICK
    interval = every.interval // TICK
    first = max(1, -since_start)
    first += -(first + since_start) % interval
    return range(first, (min(stop, every.end or LAST) - after) // TICK + 1, interval)
