"""The recurrence rule of RFC 5545 as a trigger: its wall-clock times, found in a zone."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, ClassVar

from modules.core.scheduler.trigger.day_masks import HOUR, MINUTE, SECOND_TICKS, TooCoarse
from modules.core.scheduler.trigger.on_wall_clock import OnWallClock, WallTimes
from modules.core.scheduler.trigger.protocol import TICK, TriggerError, checked_moment, moment_text
from modules.core.scheduler.trigger.rrule_text import Rule, read_rule
from modules.core.scheduler.trigger.rrule_times import RuleTimes, rule_times
from modules.core.scheduler.trigger.rrule_words import rule_words
from modules.core.scheduler.trigger.wall_clock import BY_DEFAULT, Dst
from modules.core.scheduler.trigger.words import window_text
from modules.core.scheduler.trigger.zones import zone

MAX_DATES = 1_000


@dataclass(frozen=True, slots=True)
class RRule(OnWallClock):
    """A recurrence rule that counts from the wall-clock time `dtstart` in a zone, within `[start, end]`.

    `rdates` are further wall-clock times, `exdates` those that are left out, both without a zone. The start itself is
    an occurrence only where the rule says so. Raises `TriggerError` when built wrong, or where it never happens.
    """

    rule: str
    dtstart: datetime
    zone: str
    exdates: tuple[datetime, ...] = ()
    rdates: tuple[datetime, ...] = ()
    start: datetime | None = None
    end: datetime | None = None
    dst: Dst = BY_DEFAULT
    recurring: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "rule", read_rule(self.rule).text)
        object.__setattr__(self, "dtstart", _wall(self.dtstart, "dtstart"))
        for field in ("exdates", "rdates"):
            walls = getattr(self, field)
            if len(walls) > MAX_DATES:
                raise TriggerError(f"{field} are at most {MAX_DATES:,} times", field)
            object.__setattr__(self, field, tuple(sorted({_wall(wall, field) for wall in walls})))
        self._check_window()
        until = read_rule(self.rule).until
        if until is not None and until.tzinfo is not None and (self.end is None or until < self.end):
            object.__setattr__(self, "end", checked_moment(until, "rrule"))
        zone(self.zone)
        rule_times(read_rule(self.rule), self.dtstart)

    @property
    def times(self) -> WallTimes:
        return _times(read_rule(self.rule), self.dtstart, self.exdates, self.rdates)

    def to_json(self) -> dict[str, Any]:
        return {
            "v": 1,
            "type": "rrule",
            "rrule": self.rule,
            "dtstart": self.dtstart.isoformat(),
            "exdates": [wall.isoformat() for wall in self.exdates],
            "rdates": [wall.isoformat() for wall in self.rdates],
            "zone": self.zone,
            "start": self.start and moment_text(self.start),
            "end": self.end and moment_text(self.end),
            "gap": self.dst.gap,
            "fold": self.dst.fold,
        }

    def describe(self, place: str | None = None) -> str:  # noqa: ARG002  # it has a zone of its own
        rule = read_rule(self.rule)
        told = rule_words(rule_times(rule, self.dtstart), self.zone, len(self.rdates), len(self.exdates))
        return told + window_text(self.start, self.end, self.zone)


def _wall(value: object, field: str) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is not None:
        raise TriggerError(f"{field} must be a wall-clock time without a zone, not {value!r}", field)
    return value.replace(microsecond=0, fold=0)


@lru_cache(maxsize=512)
def _times(rule: Rule, dtstart: datetime, exdates: tuple[datetime, ...], rdates: tuple[datetime, ...]) -> WallTimes:
    times = rule_times(rule, dtstart)
    if not exdates and not rdates:
        return times
    out = tuple(wall for wall in exdates if times.count_in(wall, wall + TICK))
    more = tuple(wall for wall in rdates if wall not in exdates and not times.count_in(wall, wall + TICK))
    return _Amended(times, out, more)


@dataclass(frozen=True, slots=True)
class _Amended:
    """The times of a rule without `out`, which are some of them, and with `more`, which are not."""

    rule: RuleTimes
    out: tuple[datetime, ...]
    more: tuple[datetime, ...]
    fixed_hour: ClassVar[bool] = True

    def first_in(self, first: datetime, stop: datetime) -> datetime | None:
        further = min((wall for wall in self.more if first <= wall < stop), default=None)
        found = self.rule.first_in(first, stop)
        while found is not None and found in self.out:
            found = self.rule.first_in(found + TICK, stop)
        return min((wall for wall in (further, found) if wall is not None), default=None)

    def last_in(self, first: datetime, stop: datetime) -> datetime | None:
        further = max((wall for wall in self.more if first <= wall < stop), default=None)
        found = self.rule.last_in(first, stop)
        while found is not None and found in self.out:
            found = self.rule.last_in(first, found)
        return max((wall for wall in (further, found) if wall is not None), default=None)

    def count_in(self, first: datetime, stop: datetime) -> int:
        further = sum(first <= wall < stop for wall in self.more) - sum(first <= wall < stop for wall in self.out)
        return self.rule.count_in(first, stop) + further

    def all_in(self, first: datetime, stop: datetime) -> Iterator[datetime]:
        while (found := self.first_in(first, stop)) is not None:
            yield found
            first = found + TICK

    def kinds_of(self, first: date, days: int) -> Sequence[Hashable]:
        """Return keys of so many days from the first on, equal for those with the same times, in this answer alone."""
        found = list(self.rule.kinds_of(first, days))
        for wall in (*self.out, *self.more):
            if 0 <= (number := (wall.date() - first).days) < days:
                found[number] = wall.date()
        return found

    def rest(self, unit: int) -> int:
        """Return how many microseconds after a unit of so many seconds each time lies; else raises `TooCoarse`."""
        rest = self.rule.rest(unit)
        if any(wall.second % unit * SECOND_TICKS != rest for wall in self.more):
            raise TooCoarse
        return rest

    def mask_of(self, day: date, unit: int) -> int:
        """Return the units of a day in which it has a time, as bits."""
        mask = self.rule.mask_of(day, unit)
        for wall in (*self.out, *self.more):
            if wall.date() == day:
                mask ^= 1 << (wall.hour * HOUR + wall.minute * MINUTE + wall.second) // unit
        return mask
