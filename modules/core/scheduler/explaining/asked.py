"""The moment that somebody asks about, read in the zone of the task: some the clock leaves out, or shows twice."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta

from modules.core.scheduler.explaining.words import Gate, Words, closed, untold
from modules.core.scheduler.trigger import zone
from modules.core.scheduler.trigger.reading import moment as read_moment
from modules.core.scheduler.trigger.zones import transitions

NEAR_CHANGE = DAY = timedelta(days=1)
HOUR_ALONE = re.compile(r"\d\d:\d\d(:\d\d)?")


@dataclass(frozen=True, slots=True)
class Asked:
    """The span `[moment, stop)` that is meant: a minute, second or microsecond, whichever was written.

    `left_out` is the naive time where the clock never showed it, and `moment` is then the first instant after it;
    `again` is the second pass of a time that was shown twice.
    """

    moment: datetime
    stop: datetime
    left_out: datetime | None = None
    again: datetime | None = None

    def second_pass(self) -> Asked | None:
        """Return the later of two times that the clock shows alike; None where there is one."""
        if self.again is None:
            return None
        return replace(self, moment=self.again, stop=self.again + (self.stop - self.moment), again=None)


def read_asked(at: datetime | str, zone_name: str, now: datetime) -> Asked:
    """Return what is meant by a datetime or ISO 8601 text; raises `TriggerError` where it is none.

    A time of the day alone is the latest such one: of today or, where it is still to come, of yesterday.
    """
    if isinstance(at, str) and HOUR_ALONE.fullmatch(at):
        at = _latest(at, now.astimezone(zone(zone_name)).replace(tzinfo=None))
    moment = read_moment(at, zone_name, "at")
    stop = moment + _exactness(moment)
    given = datetime.fromisoformat(at) if isinstance(at, str) else at
    if given.utcoffset() is not None:
        return Asked(moment, stop)
    home = zone(zone_name)
    if moment.astimezone(home).replace(tzinfo=None) != given.replace(tzinfo=None):
        return Asked(moment, stop, left_out=given.replace(tzinfo=None))
    again = given.replace(tzinfo=home, fold=1).astimezone(UTC)
    return Asked(moment, stop, again=again if again != moment else None)


def _latest(hour: str, shown: datetime) -> str:
    try:
        at = datetime.combine(shown.date(), time.fromisoformat(hour))
    except ValueError:
        return hour  # refused with its own words
    return (at if at <= shown else at - DAY).isoformat()


def _exactness(moment: datetime) -> timedelta:
    if moment.microsecond:
        return timedelta(microseconds=1)
    return timedelta(seconds=1) if moment.second else timedelta(minutes=1)


def clock_gates(asked: Asked, words: Words) -> list[Gate]:
    """Return what a change of the clocks within a day has to do with the moment; nothing where there is none."""
    for change in transitions(words.zone, asked.moment.year):
        if abs(change.at - asked.moment) <= NEAR_CHANGE:
            before, after = _wall(change.at, change.before), _wall(change.at, change.after)
            on = f"on {before:%a %Y-%m-%d} the clock of {words.zone.key} went from {before:%H:%M} to {after:%H:%M}"
            details = {"at": change.at, "before": change.before.total_seconds(), "after": change.after.total_seconds()}
            if asked.left_out is not None:
                text = f"{asked.left_out:%H:%M:%S} was left out: {on}"
                return [closed("daylight_saving", text, details)]
            return [untold("daylight_saving", on, details)]
    return []


def _wall(moment: datetime, offset: timedelta) -> datetime:
    return (moment + offset).replace(tzinfo=None)
