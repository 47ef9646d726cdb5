"""What every trigger answers, the error it raises, and the range of time it works in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from modules.core.scheduler.trigger.day_masks import Grid, Rows

FIRST = datetime(1, 1, 3, tzinfo=UTC)  # two days inside the calendar, so that no zone's wall clock falls off its edge
LAST = datetime(9999, 12, 29, tzinfo=UTC)
TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)


class TriggerError(ValueError):
    """A definition that is no trigger: one sentence, and in `field` the key that is wrong (empty: the whole)."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


@runtime_checkable
class Trigger(Protocol):
    """When something happens: an immutable value. Moments are aware; those that come out are in UTC and exist."""

    @property
    def recurring(self) -> bool:
        """Whether it may fire more than once."""

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first occurrence strictly later than the moment; None when there is no more."""

    def latest_until(self, moment: datetime, after: datetime) -> datetime | None:
        """Return the newest occurrence in `(after, moment]`; None when there is none."""

    def count_between(self, after: datetime, until: datetime) -> int:
        """Return how many occurrences lie in `(after, until]`, without visiting each of them."""

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON that `from_json` reads back: `v`, `type`, zone names, moments as UTC text."""

    def describe(self, place: str | None = None) -> str:
        """Return when it fires, in plain words; what has no zone of its own is told in `place`, else in UTC."""


@runtime_checkable
class TimeTrigger(Trigger, Protocol):
    """A trigger whose occurrences are known beforehand."""

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """Yield the occurrences in `(after, until]`, oldest first."""

    def on_days(self, grid: Grid) -> Rows:
        """Return what fires on each of many UTC days; raises `TooCoarse` where that cannot be told in its unit."""


def times_from(trigger: Trigger, first: datetime | None, most: int) -> list[datetime]:
    """Return the time `first` of a trigger and those that follow it, at most so many; none where it is None."""
    times: list[datetime] = []
    while first is not None and len(times) < most:
        times.append(first)
        first = trigger.next_after(first)
    return times


def as_utc(moment: datetime) -> datetime:
    """Return an aware moment in UTC, held within `FIRST` and `LAST`; a naive one raises ValueError."""
    if moment.tzinfo is UTC and FIRST <= moment <= LAST:
        return moment
    if moment.utcoffset() is None:
        raise ValueError(f"{moment!r} has no time zone; a trigger is asked with aware datetimes")
    try:
        return min(max(moment.astimezone(UTC), FIRST), LAST)
    except OverflowError:
        return FIRST if moment.year == 1 else LAST


def checked_moment(moment: object, field: str) -> datetime:
    """Return an aware moment in UTC, or raise `TriggerError`: naive, or outside the years 1 to 9999."""
    if not isinstance(moment, datetime) or moment.utcoffset() is None:
        raise TriggerError(f"{field} must be an aware datetime, not {moment!r}", field)
    utc = as_utc(moment)
    if utc != moment:
        raise TriggerError(f"{field} {moment.isoformat()} is too near the end of the calendar", field)
    return utc


def moment_text(moment: datetime) -> str:
    """Return ISO 8601 text in UTC with `Z`."""
    return f"{moment.astimezone(UTC).isoformat()[:-6]}Z"
