"""The trigger that leaves out, or moves, the occurrences of another one that fall into calendars."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple, cast

from modules.core.scheduler.trigger.calendar import Calendar
from modules.core.scheduler.trigger.calendar_definition import Lookup
from modules.core.scheduler.trigger.closed import Closed, Span, together
from modules.core.scheduler.trigger.day_counts import count, moved_on
from modules.core.scheduler.trigger.day_masks import Grid, Rows, TooCoarse, without
from modules.core.scheduler.trigger.event import awaited_in
from modules.core.scheduler.trigger.outside import count_outside
from modules.core.scheduler.trigger.protocol import TICK, TimeTrigger, Trigger, TriggerError, as_utc
from modules.core.scheduler.trigger.series import Every
from modules.core.scheduler.trigger.until import Until

SKIP, MOVE = "skip", "move"
MOST_CALENDARS = 20
MOST_LEFT_OUT = 1_000
MINUTE = timedelta(minutes=1)
FAR = timedelta(days=50 * 366)  # behind its first one, in which the leap day has had each weekday
PATIENCE = 4_000  # closed stretches in a row that an open occurrence is looked for behind


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A calendar as it was when it was looked up by its name, and what becomes of an occurrence in it."""

    name: str
    calendar: Calendar
    when: str = SKIP

    def __post_init__(self) -> None:
        if self.when not in (SKIP, MOVE):
            raise TriggerError(
                f"an occurrence in a calendar is skipped or moved: skip or move, not {self.when!r}", "when"
            )


class LeftOut(NamedTuple):
    """A time of the trigger that is no occurrence, or another one: why, and what it became (None: nothing)."""

    moment: datetime
    calendar: str
    moved_to: datetime | None


@dataclass(frozen=True, slots=True)
class Excluding:
    """The occurrences of a trigger of times, but for those that its calendars close.

    One in a calendar with `skip` is none. One in a calendar with `move` is moved to the next instant that no calendar
    closes; those moved to the same instant, or onto another occurrence, are one.
    """

    trigger: TimeTrigger
    exclusions: tuple[Exclusion, ...]
    _skipped: Closed = field(init=False, compare=False, repr=False)
    _closed: Closed = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if awaited_in(self.trigger) is not None:
            raise TriggerError("calendars are for triggers of times; an event comes when it comes", "calendars")
        if not 1 <= len(self.exclusions) <= MOST_CALENDARS:
            raise TriggerError(f"a trigger takes 1 to {MOST_CALENDARS} calendars", "calendars")
        skipped = tuple(each.calendar for each in self.exclusions if each.when == SKIP)
        moved = tuple(each.calendar for each in self.exclusions if each.when == MOVE)
        object.__setattr__(self, "_skipped", together(skipped))
        object.__setattr__(self, "_closed", together(skipped + moved) if moved else self._skipped)

    @property
    def _moves(self) -> bool:
        return self._closed is not self._skipped

    @property
    def _does_one_thing(self) -> bool:
        return len({each.when for each in self.exclusions}) == 1

    @property
    def recurring(self) -> bool:
        return self.trigger.recurring

    def next_after(self, moment: datetime) -> datetime | None:
        at: datetime | None = self._since(as_utc(moment))
        first: datetime | None = None
        for _ in range(PATIENCE):
            nominal = None if at is None else self.trigger.next_after(at)
            if nominal is None:
                return None
            if self._skipped.span_at(nominal) is None:
                return self._closed.open_from(nominal)
            first = first or nominal
            if nominal - first > FAR:
                return None
            at = _before(self._skipped.open_from(nominal))
        return None

    def latest_until(self, moment: datetime, after: datetime) -> datetime | None:
        after, moment = as_utc(after), as_utc(moment)
        at, low = self._since(moment), self._since(after)
        for _ in range(PATIENCE):
            nominal = self.trigger.latest_until(at, low) if at > low else None
            if nominal is None:
                return None
            since = self._skipped.closed_since(nominal, low)
            if since is None:
                found = self._closed.open_from(nominal)
                return found if found is not None and found > after else None
            at = since - TICK
        return None

    def count_between(self, after: datetime, until: datetime) -> int:
        """Days that are alike are counted once, or where that is no way, what lies in each open stretch."""
        after, until = as_utc(after), as_utc(until)
        if after >= until:
            return 0
        if isinstance(self.trigger, Every) and self.trigger.interval % MINUTE and self._does_one_thing:
            return count_outside(self.trigger, self._closed, after, until, moves=self._moves)
        try:
            return count(self, after, until)
        except TooCoarse:
            return self._count_by_stretch(after, until)

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        after, until = as_utc(after), as_utc(until)
        newest, open_until = after, self._since(after)
        for nominal in self.trigger.between(open_until, until):
            moment: datetime | None = nominal
            if nominal >= open_until:  # where it is open the calendars are not asked again
                if self._skipped.span_at(nominal) is not None:
                    continue
                moment = self._closed.open_from(nominal)
                open_until = self._closed.open_until(nominal) if moment == nominal else open_until
            if moment is not None and newest < moment <= until:
                newest = moment
                yield moment

    def on_days(self, grid: Grid) -> Rows:
        rows, closed = self.trigger.on_days(grid), self._closed.on_days(grid)
        if not self._moves:
            return {rest: without(row, closed) for rest, row in rows.items()}
        begin = grid.midnight()
        since = self._closed.closed_since(begin - TICK)
        is_moving = since is not None and self._has_one_to_move(since, begin)
        return moved_on(rows, self._skipped.on_days(grid), closed, grid, is_moving=is_moving)

    def left_out(self, after: datetime, until: datetime, most: int = MOST_LEFT_OUT) -> Iterator[LeftOut]:
        """Yield the times in `(after, until]` at which the trigger alone would fire, oldest first, at most so many."""
        after, until = as_utc(after), as_utc(until)
        return islice(self._left_out(after, until), most)

    def to_json(self) -> dict[str, Any]:
        calendars = [
            {"name": each.name, "when": each.when, "definition": each.calendar.to_json()} for each in self.exclusions
        ]
        return {"v": 1, "type": "excluding", "trigger": self.trigger.to_json(), "calendars": calendars}

    def describe(self, place: str | None = None) -> str:
        told = [f"except on {_names(self.exclusions, SKIP)}"] if _names(self.exclusions, SKIP) else []
        told += [f"moved behind {_names(self.exclusions, MOVE)}"] if _names(self.exclusions, MOVE) else []
        return ", ".join([self.trigger.describe(place), *told])

    def _since(self, moment: datetime) -> datetime:
        """Return from where, exclusively, occurrences count that come after the moment: some are moved over it."""
        since = self._closed.closed_since(moment) if self._moves else None
        return moment if since is None else since - TICK

    def _count_by_stretch(self, after: datetime, until: datetime) -> int:
        total, opened = 0, after
        for span in self._closed.between(self._since(after) + TICK, until + TICK):
            total += self._count_open(opened, span.start - TICK)
            total += after < span.stop <= until and self._sends_on(span)
            opened = span.stop - TICK
        return total + self._count_open(opened, until)

    def _count_open(self, after: datetime, until: datetime) -> int:
        return self.trigger.count_between(after, until) if after < until else 0

    def _sends_on(self, span: Span[datetime]) -> bool:
        """Tell whether an occurrence is moved out of a closed stretch to where there is no other one."""
        if not self._moves or self.trigger.latest_until(span.stop, span.stop - TICK) is not None:
            return False
        return self._has_one_to_move(span.start, span.stop)

    def _has_one_to_move(self, start: datetime, stop: datetime) -> bool:
        """Tell whether an occurrence that is not skipped lies in a closed `[start, stop)`."""
        nominal = self.trigger.next_after(start - TICK)
        while nominal is not None and nominal < stop:
            after = self._skipped.open_from(nominal)
            if after == nominal:
                return True
            nominal = None if after is None else self.trigger.next_after(after - TICK)
        return False

    def _left_out(self, after: datetime, until: datetime) -> Iterator[LeftOut]:
        for span in self._closed.between(after + TICK, until + TICK):
            for moment in self.trigger.between(span.start - TICK, span.stop - TICK):
                by = next(each for each in self._in_order if each.calendar.span_at(moment) is not None)
                yield LeftOut(moment, by.name, self._closed.open_from(moment) if by.when == MOVE else None)

    @property
    def _in_order(self) -> list[Exclusion]:
        return sorted(self.exclusions, key=lambda each: each.when == MOVE)


def with_calendars(trigger: Trigger, given: object, action: str, lookup: Lookup) -> Excluding:
    """Return the trigger with the calendars of a list: names, or `{"name", "when"}` where one differs from `action`.

    Raises `TriggerError`, also for a name that `lookup` does not know.
    """
    uses = [given] if isinstance(given, (str, Mapping)) else given
    if not isinstance(uses, (list, tuple)) or len(uses) > MOST_CALENDARS:
        raise TriggerError(f"calendars are a list of at most {MOST_CALENDARS} names, not {given!r}", "calendars")
    return Excluding(cast(TimeTrigger, trigger), tuple(_exclusion(use, action, lookup) for use in uses))


def without_calendars(trigger: Trigger) -> Trigger:
    """Return what a trigger is but for the calendars of the whole; an end that it was given by hand stays."""
    if isinstance(trigger, Excluding):
        return without_calendars(trigger.trigger)
    if isinstance(trigger, Until):
        return replace(trigger, trigger=cast(TimeTrigger, without_calendars(trigger.trigger)))
    return trigger


def _exclusion(use: object, action: str, lookup: Lookup) -> Exclusion:
    if isinstance(use, str):
        use = {"name": use}
    if not isinstance(use, Mapping) or not {"name"} <= set(use) <= {"name", "when"} or not isinstance(use["name"], str):
        raise TriggerError(f'a calendar is used by its name or {{"name", "when"}}, not {use!r}', "calendars")
    return Exclusion(use["name"], lookup(use["name"]), use.get("when") or action)


def _before(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment - TICK


def _names(exclusions: tuple[Exclusion, ...], when: str) -> str:
    return " and ".join(each.name for each in exclusions if each.when == when)
