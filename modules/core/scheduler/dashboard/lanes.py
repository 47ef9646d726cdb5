"""Lanes of a timeline: where in the window each run stands, in percent, and what is drawn as one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from modules.core.scheduler.dashboard.wording import OUTCOMES

BINS = 150  # parts of the window; runs that begin in one part are drawn as one
LEAST = 100 / BINS
WORST = ("failed", "timed_out", "lost", "missed", "running", "cancelled", "skipped", "succeeded")
TICKS = ((timedelta(hours=4), timedelta(minutes=15)), (timedelta(hours=40), timedelta(hours=3)))
DAY = timedelta(days=1)


class Window(NamedTuple):
    """The time that is shown, with the present in it."""

    start: datetime
    now: datetime
    until: datetime

    def place(self, moment: datetime) -> float:
        """Return where a moment stands, in percent of the window, within its edges."""
        part = (moment - self.start) / (self.until - self.start)
        return round(100 * min(max(part, 0.0), 1.0), 3)

    def part(self, moment: datetime) -> int:
        """Return the number of the part in which a moment lies."""
        return min(int(self.place(moment) / LEAST), BINS - 1)


def ticks(window: Window, zone: str) -> list[dict[str, Any]]:
    """Return `{"x", "label", "is_day"}` of round times within the window, by the wall clock of a zone."""
    length = window.until - window.start
    step = next((step for most, step in TICKS if length <= most), DAY)
    found = []
    for local in _round_times(window, ZoneInfo(zone), step):
        is_day = local.time() == time(0)
        label = f"{local:%a} {local.day}" if is_day else f"{local:%H:%M}"
        found.append({"x": window.place(local), "label": label, "is_day": is_day})
    return found


def _round_times(window: Window, zone: ZoneInfo, step: timedelta) -> Iterator[datetime]:
    day = window.start.astimezone(zone).date()
    while day <= window.until.astimezone(zone).date():
        for place in range(int(DAY / step)):
            minutes = place * step // timedelta(minutes=1)
            local = datetime.combine(day, time(minutes // 60, minutes % 60), zone)
            if window.start < local.astimezone(UTC) < window.until:
                yield local
        day += DAY


def past(rows: Iterable[Mapping[str, Any]], window: Window) -> list[dict[str, Any]]:
    """Return what ran as `{"x", "width", "kind", "state", "count", "at", "id"}`, oldest first.

    Runs that begin in the same part are one, told by the worst of them; neighbours of one kind are one, too, and have
    no `id`.
    """
    parts: dict[int, dict[str, Any]] = {}
    for row in rows:
        begun = row["start_time"] or row["end_time"]
        if begun is None or begun > window.now or (row["end_time"] or window.now) < window.start:
            continue
        ends = window.place(row["end_time"] or window.now)
        one = {"x": window.place(begun), "end": ends, "state": row["state"], "count": 1, "at": begun, "id": row["id"]}
        known = parts.get(window.part(begun))
        parts[window.part(begun)] = one if known is None else _worse(known, one)
    return [_drawn(mark) for mark in _joined([parts[part] for part in sorted(parts)], lambda mark: mark["state"])]


def _worse(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    worse = min(first, second, key=lambda mark: WORST.index(mark["state"]))
    edges = {"x": min(first["x"], second["x"]), "end": max(first["end"], second["end"])}
    return {**worse, **edges, "count": first["count"] + second["count"]}


def _joined(marks: Sequence[dict[str, Any]], alike: Any) -> list[dict[str, Any]]:
    """Join neighbours that would touch and are alike."""
    found: list[dict[str, Any]] = []
    for mark in marks:
        last = found[-1] if found else None
        if last is not None and alike(last) == alike(mark) and mark["x"] - max(last["end"], last["x"] + LEAST) < LEAST:
            last |= {"end": max(last["end"], mark["end"]), "count": last["count"] + mark["count"], "id": None}
        else:
            found.append(dict(mark))
    return found


def _drawn(mark: dict[str, Any]) -> dict[str, Any]:
    width = round(min(max(mark.pop("end") - mark["x"], LEAST * 0.8), 100 - mark["x"] + LEAST), 3)
    return mark | {"width": width, "kind": OUTCOMES.get(mark.get("state", ""), "coming")}


class Coming(NamedTuple):
    """What a forecast tells of each task, by its id: its name, and of each part of the time the runs in it."""

    names: dict[str, str]
    parts: dict[str, dict[int, list[float]]]
    size: float
    forecast: dict[str, Any]


def coming_of(forecast: Mapping[str, Any], hours: float, limit: int) -> Coming:
    """Sort a forecast that lists so many by tasks; of a part `[first moment, number, seconds one of them is late]`."""
    size = hours * 3600 / BINS
    names: dict[str, str] = {}
    parts: dict[str, dict[int, list[float]]] = {}
    for run in forecast["occurrences"]:
        at = run["at"].timestamp()
        names[run["task_id"]] = run["name"]
        part = parts.setdefault(run["task_id"], {}).setdefault(int(at // size), [at, 0, 0.0])
        part[1] += 1
        part[2] = max(part[2], run["late"])
    is_short = len(forecast["occurrences"]) >= limit
    drawn_until = forecast["occurrences"][-1]["at"] if is_short else forecast["until"]
    kept = {name: forecast[name] for name in ("pile_ups", "slots")}
    return Coming(names, parts, size, kept | {"drawn_until": drawn_until, "is_short": is_short or forecast["is_cut"]})


def ahead(parts: Mapping[int, Sequence[float]], window: Window) -> list[dict[str, Any]]:
    """Return what comes as `{"x", "width", "kind", "count", "at", "late"}`; `kind` is `coming`, or `late`."""
    marks = []
    for part in sorted(parts):
        first, count, late = parts[part]
        at = datetime.fromtimestamp(first, UTC)
        if at < window.now - timedelta(minutes=1) or at > window.until:
            continue
        place = window.place(at)
        marks.append({"x": place, "end": place, "count": int(count), "at": at, "late": late, "is_late": late > 60})
    joined = _joined(marks, lambda mark: mark["is_late"])
    return [_drawn(mark) | {"kind": "late" if mark["is_late"] else "coming"} for mark in joined]
