"""A zone's wall clock as a chain of stretches without any jump, on which naive times can be counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from modules.core.scheduler.trigger.protocol import DAY, FIRST, LAST, TICK, TriggerError
from modules.core.scheduler.trigger.zones import Transition, offset_at, transitions

GAPS, FOLDS = ("shift", "skip"), ("first", "last", "both")


@dataclass(frozen=True, slots=True)
class Dst:
    """What becomes of times that a change of the clocks leaves out (`gap`) or shows twice (`fold`).

    A gap's time is shifted to the first valid instant after it, or skipped; a fold's is meant at its first pass, its
    last, or both.
    """

    gap: str = "shift"
    fold: str = "first"

    def __post_init__(self) -> None:
        for field, allowed in (("gap", GAPS), ("fold", FOLDS)):
            if getattr(self, field) not in allowed:
                message = f"dst_{field} is one of {', '.join(allowed)}, not {getattr(self, field)!r}"
                raise TriggerError(message, f"dst_{field}")


BY_DEFAULT = Dst()
AS_IT_RUNS = Dst("skip", "both")


@dataclass(frozen=True, slots=True)
class Stretch:
    """The naive wall-clock times `[first, stop)`, `offset` ahead of UTC; those of a gap all fire at `at`."""

    first: datetime
    stop: datetime
    offset: timedelta
    at: datetime | None = None

    def instant(self, wall: datetime) -> datetime:
        """Return when, in UTC, a wall-clock time of this stretch fires."""
        return self.at or (wall - self.offset).replace(tzinfo=UTC)

    def within(self, after: datetime, until: datetime) -> Stretch | None:
        """Return the part that fires in `(after, until]`; None when nothing of it does."""
        if self.at is not None:
            return self if after < self.at <= until else None
        first = max(self.first, after.replace(tzinfo=None) + self.offset + TICK)
        stop = min(self.stop, until.replace(tzinfo=None) + self.offset + TICK)
        return Stretch(first, stop, self.offset) if first < stop else None


def stretches(
    zone: ZoneInfo, after: datetime, until: datetime, dst: Dst, *, newest_first: bool = False
) -> Iterator[Stretch]:
    """Yield what the wall clock shows in `(after, until]` (UTC).

    What the clock leaves out or shows twice is there as `dst` says.
    """
    years = range(after.year, until.year + 1)
    for year in reversed(years) if newest_first else years:
        whole = _stretches_of_year(zone, year, dst)
        for stretch in reversed(whole) if newest_first else whole:
            part = stretch.within(after, until)
            if part is not None:
                yield part


@lru_cache(maxsize=4096)
def _stretches_of_year(zone: ZoneInfo, year: int, dst: Dst) -> tuple[Stretch, ...]:
    """Return what fires in a UTC year, in order. Changes lie days apart, so each is decided by itself."""
    start = max(datetime(year, 1, 1, tzinfo=UTC), FIRST)
    stop = datetime(year + 1, 1, 1, tzinfo=UTC) if year < LAST.year else LAST + TICK
    changes = transitions(zone, year)
    around = _changes_around(zone, year)
    starts = [start, *(change.at for change in changes)]
    stops = [*(change.at for change in changes), stop]
    offsets = [changes[0].before if changes else offset_at(zone, start), *(change.after for change in changes)]
    found = [
        Stretch(change.shown_before, change.shown_after + TICK, change.after, change.at)
        for change in changes
        if change.is_gap and dst.gap == "shift"
    ]
    for begin, end, offset in zip(starts, stops, offsets, strict=True):
        first, last = begin.replace(tzinfo=None) + offset, end.replace(tzinfo=None) + offset
        if any(stretch.at == begin for stretch in found):
            first += TICK  # the jump itself fires with the gap
        for change in around:  # one of the next year may reach back into this one, and one of the last year into it
            if change.is_fold and dst.fold == "first" and change.at <= begin:
                first = max(first, change.shown_before)
            if change.is_fold and dst.fold == "last" and change.at >= end:
                last = min(last, change.shown_after)
        if first < last:
            found.append(Stretch(first, last, offset))
    return tuple(sorted(found, key=lambda stretch: stretch.instant(stretch.first)))


@lru_cache(maxsize=16384)
def changing_days(zone: ZoneInfo, year: int) -> frozenset[tuple[int, int]]:
    """Return the (month, day) of a wall clock's year on which it leaves out or shows twice any time, or begins to."""
    found = set()
    for change in _changes_around(zone, year):
        low, high = sorted((change.shown_before, change.shown_after))
        days = ((low + number * DAY) for number in range((high.date() - low.date()).days + 1))
        found |= {(day.month, day.day) for day in days if day.year == year}
    return frozenset(found)


def _changes_around(zone: ZoneInfo, year: int) -> tuple[Transition, ...]:
    years = (each for each in (year - 1, year, year + 1) if FIRST.year <= each <= LAST.year)
    return tuple(change for each in years for change in transitions(zone, each))
