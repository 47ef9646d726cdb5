"""Where several triggers coincide next, or did last: a few steps from one to the next, then many days at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple, Protocol

from modules.core.scheduler.trigger.day_counts import finest
from modules.core.scheduler.trigger.day_masks import Grid, Rows, within
from modules.core.scheduler.trigger.protocol import DAY, FIRST, LAST, TICK, TimeTrigger

STEPS = 16  # from one trigger to the next, before whole days are looked at
BLOCKS = (32, 256, 2_048, 8_192)  # days that are looked at together, more each time
MOST_DAYS = 40_000  # that are looked at for all searches in one definition, or for one time: fifty years, twice
KIND = 4  # days that looking at one more kind of them counts for
HORIZON = timedelta(days=50 * 365.25)
KEPT = 256  # searches whose answer is asked for again: whether there is a time, which, and where it ended

_left: ContextVar[list[int] | None] = ContextVar("days that are left to look at", default=None)


class Met(NamedTuple):
    """The first coincidence, or None; `until` is where the search ended without one, None where none is to come."""

    at: datetime | None = None
    until: datetime | None = None


class Meeting(Protocol):
    """What fires where all of its triggers do."""

    @property
    def triggers(self) -> tuple[TimeTrigger, ...]:
        """What coincides."""

    def on_days(self, grid: Grid) -> Rows:
        """Return the coincidences by the day; raises `TooCoarse`."""

    def __hash__(self) -> int:
        """Equal ones are searched once."""


@contextmanager
def one_search() -> Iterator[list[int]]:
    """Let all searches within have `MOST_DAYS` together, those of a search around them where there is one."""
    left = _left.get()
    if left is not None:
        yield left
        return
    left = [MOST_DAYS]
    token = _left.set(left)
    try:
        yield left
    finally:
        _left.reset(token)


def first_meeting(meeting: Meeting, moment: datetime) -> Met:
    """Return the first coincidence after a UTC moment, looked for up to the horizon."""
    horizon = LAST if LAST - moment < HORIZON else moment + HORIZON
    with one_search():
        return _first_meeting(meeting, moment, horizon)


def _first_meeting(meeting: Meeting, moment: datetime, horizon: datetime) -> Met:
    triggers = meeting.triggers
    agreed, candidate = 0, moment + TICK
    for step in range(STEPS):
        found = triggers[step % len(triggers)].next_after(candidate - TICK)
        if found is None:
            return Met()
        if found > horizon:
            return Met(until=horizon)
        agreed = agreed + 1 if found == candidate else 1
        candidate = found
        if agreed == len(triggers):
            return Met(candidate)
    try:
        return _search(meeting, candidate - TICK, horizon)
    except _Cut as cut:
        return Met(until=cut.until)


class _Cut(Exception):  # noqa: N818  # an answer that is not kept: a search of its own would have gone further
    def __init__(self, until: datetime) -> None:
        super().__init__()
        self.until = until


@lru_cache(maxsize=KEPT)
def _search(meeting: Meeting, after: datetime, horizon: datetime) -> Met:
    with one_search() as left:
        is_whole, begin = left[0] == MOST_DAYS, after
        for days in _blocks(left, len(meeting.triggers)):
            until = min(begin + days * DAY, horizon)
            found = _moments(meeting, begin, until, left, newest=False)
            if found:
                return Met(min(found))
            begin = until
            if begin >= horizon:
                return Met() if _are_over(meeting.triggers, begin) else Met(until=horizon)
        if not is_whole:
            raise _Cut(begin)
        return Met(until=begin)


def last_meeting(meeting: Meeting, moment: datetime, low: datetime) -> datetime | None:
    """Return the last coincidence in `(low, moment]` (UTC), looked for no further back than the horizon."""
    for _ in range(STEPS):
        found = [trigger.latest_until(moment, low) for trigger in meeting.triggers]
        known = [each for each in found if each is not None]
        if len(known) < len(found):
            return None
        if len(set(known)) == 1:
            return known[0]
        moment = min(known)
    low = max(low, moment - HORIZON if moment - FIRST > HORIZON else FIRST)
    left = [MOST_DAYS]
    for days in _blocks(left, len(meeting.triggers)):
        since = max(moment - days * DAY, low) if moment - low > DAY else low
        moments = _moments(meeting, since, moment, left, newest=True)
        if moments or since <= low:
            return max(moments, default=None)
        moment = since
    return None


def _blocks(left: list[int], triggers: int) -> Iterator[int]:
    """Yield how many days to look at next, as long as some are left."""
    number = 0
    while left[0] > 0:
        yield max(min(BLOCKS[min(number, len(BLOCKS) - 1)], left[0] // triggers), 1)
        number += 1


def _are_over(triggers: Sequence[TimeTrigger], moment: datetime) -> bool:
    return any(trigger.next_after(moment) is None for trigger in triggers)


def _moments(meeting: Meeting, after: datetime, until: datetime, left: list[int], *, newest: bool) -> list[datetime]:
    """Return the first or the last coincidence in `(after, until]` of each rest after a unit, if there are any."""
    rows, grid = finest(meeting, after, until)
    left[0] -= grid.days * len(meeting.triggers)
    found = []
    for rest, row in within(rows, grid, after, until).items():
        left[0] -= KIND * len(row.masks)
        days = range(grid.days - 1, -1, -1) if newest else range(grid.days)
        day = next((each for each in days if row.masks[row.kinds[each]]), None) if any(row.masks) else None
        if day is not None:
            mask = row.masks[row.kinds[day]]
            unit = mask.bit_length() - 1 if newest else (mask & -mask).bit_length() - 1
            found.append(grid.midnight(day) + timedelta(seconds=unit * grid.unit, microseconds=rest))
    return found
