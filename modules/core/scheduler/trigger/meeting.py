"""Where several triggers coincide next, or did last: a few steps from one to the next, then by kinds of days."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from modules.core.scheduler.trigger.by_day import Ticks, ticks_of, within
from modules.core.scheduler.trigger.protocol import DAY, TICK, TimeTrigger
from modules.core.scheduler.trigger.series import Every

STEPS = 64  # from one trigger to the next, before whole days are looked at
MOST_LOOKS = 10_000  # at a day of one trigger, ahead, of all searches in one definition, or for one next time
MOST_LOOKS_BACK = 100_000  # the same where one was, which ends with what is asked about
KEPT = 256  # searches whose answer is asked for again: whether there is a time, which, and where it ended

_left: ContextVar[list[int] | None] = ContextVar("looks that are left", default=None)

Moments = Ticks | range


class Met(NamedTuple):
    """The first coincidence, or None; `until` is where the search ended without one, None where none is to come."""

    at: datetime | None = None
    until: datetime | None = None


@contextmanager
def one_search() -> Iterator[list[int]]:
    """Let all searches within have `MOST_LOOKS` together, those of a search around them where there is one."""
    left = _left.get()
    if left is not None:
        yield left
        return
    left = [MOST_LOOKS]
    token = _left.set(left)
    try:
        yield left
    finally:
        _left.reset(token)


def first_meeting(triggers: Sequence[TimeTrigger], moment: datetime, horizon: datetime) -> Met:
    """Return the first moment after a UTC one that all have, looked for up to the horizon."""
    with one_search():
        return _first_meeting(triggers, moment, horizon)


def _first_meeting(triggers: Sequence[TimeTrigger], moment: datetime, horizon: datetime) -> Met:
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
        return _search(tuple(triggers), candidate - TICK, horizon)
    except _Cut as cut:
        return Met(until=cut.until)


class _Cut(Exception):  # noqa: N818  # an answer that is not kept: a search of its own would have gone further
    def __init__(self, until: datetime) -> None:
        super().__init__()
        self.until = until


@lru_cache(maxsize=KEPT)
def _search(triggers: tuple[TimeTrigger, ...], after: datetime, horizon: datetime) -> Met:
    with one_search() as left:
        is_whole = left[0] == MOST_LOOKS
        met = _Days(triggers, left).search(after, horizon)
        if met.until is not None and left[0] <= 0 and not is_whole:
            raise _Cut(met.until)
        return met


def last_meeting(triggers: Sequence[TimeTrigger], moment: datetime, low: datetime) -> datetime | None:
    """Return the last moment after `low`, and no later than a UTC one, that all have; None where none is found."""
    for _ in range(STEPS):
        found = [trigger.latest_until(moment, low) for trigger in triggers]
        known = [each for each in found if each is not None]
        if len(known) < len(found):
            return None
        if len(set(known)) == 1:
            return known[0]
        moment = min(known)
    return _Days(triggers, [MOST_LOOKS_BACK]).search_back(moment, low)


class _Days:
    """What each trigger has in each kind of day, and what all have in each combination of kinds: the first, the last.

    A day is `(after, after + 1 day]`, and its moments are microseconds after its beginning.
    """

    def __init__(self, triggers: Sequence[TimeTrigger], left: list[int]) -> None:
        self._triggers = triggers
        self._looked: list[dict[Hashable, Moments]] = [{} for _ in triggers]
        self._met: dict[tuple[Hashable, ...], tuple[int, int] | None] = {}
        self._left = left

    def search(self, after: datetime, horizon: datetime) -> Met:
        """Return the first coincidence after a moment."""
        while after < horizon and self._left[0] > 0:
            kinds = self._kinds(after)
            if isinstance(kinds, int):
                following = self._triggers[kinds].next_after(after + DAY)
                if following is None:
                    return Met()
                after += (following - TICK - after) // DAY * DAY
                continue
            if (found := self._common(kinds)) is not None:
                return Met(after + found[0] * TICK)
            after += DAY
        return Met(until=min(after, horizon))

    def search_back(self, moment: datetime, low: datetime) -> datetime | None:
        """Return the last coincidence in `(low, moment]`."""
        while moment > low and self._left[0] > 0:
            after = moment - DAY
            kinds = self._kinds(after)
            if isinstance(kinds, int):
                before = self._triggers[kinds].latest_until(after, low)
                if before is None:
                    return None
                moment -= ((after - before) // DAY + 1) * DAY
                continue
            if (found := self._common(kinds)) is not None:
                last = after + found[1] * TICK
                return last if last > low else None
            moment = after
        return None

    def _kinds(self, after: datetime) -> tuple[Hashable | None, ...] | int:
        """Return which kind of day it is for each trigger, or the number of one that has nothing in it."""
        kinds: list[Hashable | None] = []
        for number, trigger in enumerate(self._triggers):
            self._left[0] -= 1
            kind, looked = trigger.day_pattern(after), self._looked[number]
            if kind is None or kind not in looked:
                looked[kind] = _moments(trigger, after)
            if not looked[kind]:
                return number
            kinds.append(kind)
        return tuple(kinds)

    def _common(self, kinds: tuple[Hashable | None, ...]) -> tuple[int, int] | None:
        if None in kinds or kinds not in self._met:
            several = sorted((self._looked[number][kind] for number, kind in enumerate(kinds)), key=len)
            common = frozenset(several[0])
            for other in several[1:]:
                common = frozenset(within(common, other)) if isinstance(other, range) else common & other
            self._met[kinds] = (min(common), max(common)) if common else None
        return self._met[kinds]


def _moments(trigger: TimeTrigger, after: datetime) -> Moments:
    if isinstance(trigger, Every):
        return ticks_of(trigger, after, after + DAY)
    return frozenset((moment - after) // TICK for moment in trigger.between(after, after + DAY))
