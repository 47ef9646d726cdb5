"""Time zones: found by name, and how their wall clocks move against UTC."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from modules.core.scheduler.trigger.near import did_you_mean
from modules.core.scheduler.trigger.protocol import DAY, FIRST, LAST, TriggerError

SECOND = timedelta(seconds=1)
NOT_PORTABLE = ("right/", "posix/", "localtime", "posixrules", "Factory")


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of a zone's offset to UTC: valid from the instant `at`."""

    at: datetime
    before: timedelta
    after: timedelta

    @property
    def is_gap(self) -> bool:
        """Whether the wall clock leaves out `[shown_before, shown_after)`."""
        return self.after > self.before

    @property
    def is_fold(self) -> bool:
        """Whether the wall clock shows `[shown_after, shown_before)` twice."""
        return self.after < self.before

    @property
    def shown_before(self) -> datetime:
        """What the wall clock would show at the change by the old offset."""
        return self.at.replace(tzinfo=None) + self.before

    @property
    def shown_after(self) -> datetime:
        """What the wall clock shows at the change."""
        return self.at.replace(tzinfo=None) + self.after


def zone(name: object) -> ZoneInfo:
    """Return the zone of an IANA name, or raise `TriggerError` (a ValueError) that suggests a near name."""
    if not isinstance(name, str) or not name or name.startswith(NOT_PORTABLE):
        raise TriggerError(f"{name!r} is not the name of a time zone, such as 'Europe/Berlin'", "timezone")
    return _zone(name)


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown; not a relative path; the name of a folder
        hint = did_you_mean(name, available_timezones())
        raise TriggerError(f"there is no time zone {name!r}{hint}", "timezone") from None


@lru_cache(maxsize=4096)
def transitions(zone: ZoneInfo, year: int) -> tuple[Transition, ...]:
    """Return the changes of offset in a UTC year, oldest first.

    Looks every three days: no two changes in the tz database lie nearer than that.
    """
    start = max(datetime(year, 1, 1, tzinfo=UTC), FIRST)
    stop = datetime(year + 1, 1, 1, tzinfo=UTC) if year < LAST.year else LAST
    return tuple(_transitions(zone, start - SECOND, stop - SECOND))


def _transitions(zone: ZoneInfo, low: datetime, stop: datetime) -> Iterator[Transition]:
    low, stop = _fields_of(zone, low), _fields_of(zone, stop)
    before = _offset(zone, low)
    while low < stop:
        high = min(low + 3 * DAY, stop)
        after = _offset(zone, high)
        if after != before:
            yield Transition(_change(zone, low, high).replace(tzinfo=UTC), before, after)
        low, before = high, after


def _change(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    before = _offset(zone, low)
    while high - low > SECOND:
        middle = low + (high - low) // SECOND // 2 * SECOND
        if _offset(zone, middle) == before:
            low = middle
        else:
            high = middle
    return high


def _fields_of(zone: ZoneInfo, moment: datetime) -> datetime:
    """Return what `ZoneInfo.fromutc` takes: the fields of UTC, with the zone."""
    return datetime.combine(moment.date(), moment.time(), zone)


def _offset(zone: ZoneInfo, fields: datetime) -> timedelta:
    return zone.fromutc(fields) - fields  # within one zone, what the clocks show is subtracted


def shown_at(zone: ZoneInfo, moment: datetime) -> datetime:
    """Return what the zone's clock shows at a UTC moment, as `astimezone` does, and several times as fast."""
    return zone.fromutc(datetime.combine(moment.date(), moment.time(), zone))


def offset_at(zone: ZoneInfo, moment: datetime) -> timedelta:
    """Return the zone's offset to UTC at a UTC moment."""
    return _offset(zone, _fields_of(zone, moment))


def offset_shown(zone: ZoneInfo, wall: datetime) -> timedelta:
    """Return the offset to UTC while the zone's clock shows a naive time; for a fold its first pass's."""
    offset = zone.utcoffset(wall)
    assert offset is not None  # noqa: S101  # a ZoneInfo always knows its offset
    return offset


def resolve(zone: ZoneInfo, wall: datetime) -> datetime:
    """Return the instant, in UTC, at which the zone's clock first shows the naive wall-clock time or has passed it.

    So a time in a gap is the first valid instant after it, and a time in a fold is its first pass
    (its second only where the datetime itself says `fold=1`).
    """
    instant = wall.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall:
        return instant
    for year in (instant.year, instant.year - 1, instant.year + 1):
        for change in transitions(zone, year):
            if change.shown_before <= wall < change.shown_after:
                return change.at
    raise TriggerError(f"{wall.isoformat()} cannot be read in {zone.key}")
