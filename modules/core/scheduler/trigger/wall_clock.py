"""A zone's wall clock as a chain of stretches without any jump, on which naive times can be counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from modules.core.scheduler.trigger.protocol import FIRST, LAST, TICK, TriggerError
from modules.core.scheduler.trigger.zones import offset_at, transitions

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
    start = max(datetime(year, 1, 1, tzinfo=UTC), FIRST)
    stop = datetime(year + 1, 1, 1, tzinfo=UTC) if year < LAST.year else LAST + TICK
    changes = transitions(zone, year)
    starts = [start, *(change.at for change in changes)]
    stops = [*(change.at for change in changes), stop]
    offsets = [changes[0].before if changes else offset_at(zone, start), *(change.after for change in changes)]
    runs = [
        Stretch(begin.replace(tzinfo=None) + offset, end.replace(tzinfo=None) + offset, offset)
        for begin, end, offset in zip(starts, stops, offsets, strict=True)
        if begin < end
    ]
    return tuple(_each_time_once(runs, _shown_before(zone, year))) if dst == BY_DEFAULT else tuple(runs)


def _shown_before(zone: ZoneInfo, year: int) -> datetime | None:
    """Return the wall-clock time up to which everything was shown before the year began; None in the first year."""
    if year <= FIRST.year:
        return None
    start = datetime(year, 1, 1, tzinfo=UTC)
    shown = start.replace(tzinfo=None) + offset_at(zone, start - TICK)
    for change in transitions(zone, year - 1)[-1:]:  # a fold that reaches over the end of the year
        shown = max(shown, change.at.replace(tzinfo=None) + change.before)
    return shown


def _each_time_once(runs: list[Stretch], shown: datetime | None) -> Iterator[Stretch]:
    shown = shown or runs[0].first
    for run in runs:
        if run.first > shown:
            jump = (run.first - run.offset).replace(tzinfo=UTC)
            yield Stretch(shown, run.first + TICK, run.offset, jump)
            shown = run.first + TICK
        if run.stop > shown:
            yield replace(run, first=max(run.first, shown))
            shown = run.stop
