"""What is odd about occurrences: a change of the clocks or a calendar moved them, or took those before them away."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from modules.core.scheduler.trigger.after_end import AfterEnd
from modules.core.scheduler.trigger.any_of import AnyOf
from modules.core.scheduler.trigger.on_wall_clock import OnWallClock
from modules.core.scheduler.trigger.protocol import DAY, TICK, Trigger
from modules.core.scheduler.trigger.until import Until
from modules.core.scheduler.trigger.wall_clock import Dst
from modules.core.scheduler.trigger.words import zone_in
from modules.core.scheduler.trigger.zones import Transition, resolve, transitions, zone

FAR = 30  # years: nobody knows the clocks' changes beyond, and sparse triggers reach far
MOST_LEFT_OUT = 10_000
GAPS = ("DST_GAP_SHIFTED", "DST_GAP_SKIPPED")


@dataclass(frozen=True, slots=True)
class Note:
    """Something odd about an occurrence: a stable code, and a sentence for people."""

    code: str
    text: str


AT_THE_EARLIEST = Note("AT_THE_EARLIEST", "counted from the end of the run before, as if that took no time")
AT_ONCE = Note("AT_ONCE", "this has passed: it runs at once")
TOO_LATE = Note("TOO_LATE", "this has passed by more than the task allows: it is recorded as missed and does not run")


class Part(NamedTuple):
    """A trigger within another one; `is_free` where all that it does is done by the whole."""

    trigger: Any
    is_free: bool


def notes_on(trigger: Trigger, after: datetime, moments: Sequence[datetime]) -> dict[datetime, list[Note]]:
    """Return what is odd about the occurrences `moments`, the first ones after `after` (all in UTC), oldest first.

    What a change of the clocks or a calendar left out is told of the occurrence that follows it.
    """
    found: dict[datetime, list[Note]] = {}
    if not moments:
        return found
    for part in parts(trigger):
        told = list(_by_calendars(part, after, moments))
        if isinstance(part.trigger, AfterEnd) and part.is_free:
            told += [(moment, AT_THE_EARLIEST) for moment in moments[1:]]
        if isinstance(part.trigger, OnWallClock):
            told += _by_clocks(trigger, part, after, moments)
        for moment, note in told:
            notes = found.setdefault(moment, [])
            if note not in notes:
                notes.append(note)
    return found


def parts(trigger: Trigger, *, is_free: bool = True) -> Iterator[Part]:
    """Yield a trigger and all triggers within it."""
    yield Part(trigger, is_free)
    inner = getattr(trigger, "triggers", None) or filter(None, [getattr(trigger, "trigger", None)])
    for each in inner:
        yield from parts(each, is_free=is_free and isinstance(trigger, (AnyOf, Until)))


def zone_of(trigger: Trigger, otherwise: str) -> str:
    """Return the name of the first zone that a trigger reads its times in."""
    return zone_in([trigger]) or otherwise


def day_text(moment: datetime) -> str:
    """Return the day of a moment, as `29 March 2026`."""
    return f"{moment.day} {moment:%B %Y}"


def gap_text(trigger: OnWallClock, change: Transition) -> str | None:
    """Return which of a trigger's times a change of the clocks leaves out, as `02:30 does not exist on …`, or None."""
    naive = change.at.replace(tzinfo=None)
    first, stop = naive + change.before, naive + change.after
    where = f"on {day_text(first)} in {trigger.zone}"
    earliest, latest = trigger.times.first_in(first, stop), trigger.times.last_in(first, stop)
    if earliest is None or latest is None:
        return None
    count = trigger.times.count_in(first, stop)
    if count == 1:
        return f"{earliest:%H:%M} does not exist {where}"
    return f"{earliest:%H:%M} to {latest:%H:%M} ({count} times) do not exist {where}"


def fires_at(trigger: Trigger, moment: datetime) -> bool:
    """Tell whether a moment (UTC) is an occurrence."""
    return trigger.next_after(moment - TICK) == moment


def gaps_ahead(trigger: Trigger, after: datetime, until: datetime) -> list[str]:
    """Return in words which times of fixed hours the clocks leave out in `(after, until]`, and what becomes of them."""
    zones = {part.trigger.zone for part in parts(trigger) if isinstance(part.trigger, OnWallClock)}
    found: list[str] = []
    for change in (change for name in sorted(zones) for change in changes(zone(name), after, until)):
        following = trigger.next_after(change.at - TICK) if change.after > change.before else None
        if following is not None:
            notes = notes_on(trigger, change.at - TICK, [following]).get(following, [])
            found += [note.text for note in notes if note.code in GAPS]
    return found


def _by_clocks(
    whole: Trigger, part: Part, after: datetime, moments: Sequence[datetime]
) -> Iterator[tuple[datetime, Note]]:
    for change in changes(zone(part.trigger.zone), after - DAY, moments[-1] + DAY):
        if change.after < change.before:
            yield from _in_fold(part.trigger, change, moments)
        elif after < change.at <= moments[-1] and (text := gap_text(part.trigger, change)) is not None:
            yield from _in_gap(whole, part, change, moments, text)


def changes(where: ZoneInfo, after: datetime, until: datetime) -> Iterator[Transition]:
    """Yield the changes of a zone's clocks in `(after, until]`, those of the next thirty years."""
    for year in range(after.year, min(until.year, after.year + FAR) + 1):
        yield from (change for change in transitions(where, year) if after < change.at <= until)


def _in_gap(
    whole: Trigger, part: Part, change: Transition, moments: Sequence[datetime], text: str
) -> Iterator[tuple[datetime, Note]]:
    following = moments[bisect_left(moments, change.at)]
    if not part.trigger.times.fixed_hour:
        if part.is_free:
            yield following, Note("DST_GAP_PASSED", f"{text}: its hour is not fixed, so it follows elapsed time")
    elif part.trigger.dst.gap == "skip":
        if fires_at(_shifted(whole), change.at):
            yield following, Note("DST_GAP_SKIPPED", f"{text}: left out")
    elif following == change.at and fires_at(part.trigger, change.at):
        local = change.at.astimezone(zone(part.trigger.zone))
        yield change.at, Note("DST_GAP_SHIFTED", f"{text}: runs at {local:%H:%M}")


def _shifted(trigger: Any) -> Any:
    """Return the same trigger as if no time in a gap were skipped."""
    if hasattr(trigger, "triggers"):
        return replace(trigger, triggers=tuple(_shifted(each) for each in trigger.triggers))
    if hasattr(trigger, "trigger"):
        return replace(trigger, trigger=_shifted(trigger.trigger))
    return replace(trigger, dst=Dst("shift", trigger.dst.fold)) if hasattr(trigger, "dst") else trigger


def _in_fold(trigger: Any, change: Transition, moments: Sequence[datetime]) -> Iterator[tuple[datetime, Note]]:
    size = change.before - change.after
    first, stop = bisect_left(moments, change.at - size), bisect_left(moments, change.at + size)
    for moment in moments[first:stop]:
        if not fires_at(trigger, moment):
            continue
        local = moment.astimezone(zone(trigger.zone))
        is_first = moment < change.at
        other = moment + size if is_first else moment - size
        which = "the first time" if is_first else "the second time"
        verb = "this is" if fires_at(trigger, other) else "runs"
        text = f"{local:%H:%M} comes twice on {day_text(local)} in {trigger.zone}: {verb} {which}"
        yield moment, Note("DST_FOLD", text)


def notes_on_time(nominal: datetime, where: str) -> list[Note]:
    """Return what is odd about a single time, given as the naive time of the clock in a zone."""
    at = resolve(zone(where), nominal)
    local = at.astimezone(zone(where))
    if local.replace(tzinfo=None) != nominal:
        text = f"{nominal:%H:%M} does not exist on {day_text(nominal)} in {where}: runs at {local:%H:%M}"
        return [Note("DST_GAP_SHIFTED", text)]
    if local.replace(fold=0).utcoffset() == local.replace(fold=1).utcoffset():
        return []
    which = "second" if local.fold else "first"
    text = f"{nominal:%H:%M} comes twice on {day_text(nominal)} in {where}: runs the {which} time"
    return [Note("DST_FOLD", text)]


class _Closed(NamedTuple):
    """Times that a calendar closed, told of one occurrence: how many, the first and the last."""

    number: int
    first: datetime
    last: datetime


def _by_calendars(part: Part, after: datetime, moments: Sequence[datetime]) -> Iterator[tuple[datetime, Note]]:
    left_out = getattr(part.trigger, "left_out", None)
    if left_out is None or not part.is_free:
        return
    closed: dict[tuple[str, datetime, str], _Closed] = {}
    looked_at = 0
    for moment, name, moved_to in left_out(after, moments[-1], MOST_LEFT_OUT):
        looked_at += 1
        code = "CALENDAR_SKIPPED" if moved_to is None else "CALENDAR_MOVED"
        index = bisect_left(moments, moved_to or moment)
        if index < len(moments) and (moved_to is not None or moments[index] != moment):
            known = closed.get((code, moments[index], name), _Closed(0, moment, moment))
            closed[code, moments[index], name] = _Closed(known.number + 1, known.first, moment)
    where = zone(zone_of(part.trigger, "UTC"))
    for (code, at, name), times in closed.items():
        at_least = looked_at >= MOST_LEFT_OUT and (code, at, name) == list(closed)[-1]
        yield at, Note(code, _closed_text(code, name, times, where, "at least " if at_least else ""))


def _closed_text(code: str, name: str, times: _Closed, where: ZoneInfo, at_least: str) -> str:
    become = "left out" if code == "CALENDAR_SKIPPED" else "moved here"
    if times.number == 1:
        return f"{_told(times.first, where)} is {become}: it is in calendar {name!r}"
    span = f"{_told(times.first, where)} to {_told(times.last, where)}"
    return f"{at_least}{times.number} times from {span} are {become}: they are in calendar {name!r}"


def _told(moment: datetime, where: ZoneInfo) -> str:
    local = moment.astimezone(where)
    return f"{local:%H:%M} on {day_text(local)}"
