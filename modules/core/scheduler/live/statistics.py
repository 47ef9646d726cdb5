"""Statistics: from sums of ended executions and the few that are not in them yet; of one task, from its newest ones."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row

from modules.core.scheduler.bounded_text import MAX_ID, storable
from modules.core.scheduler.execution import success_of
from modules.core.scheduler.live.sums import Place, Sum, floor, stored, summed
from modules.core.scheduler.pages import one_task
from modules.core.scheduler.refusing import refuse
from modules.core.scheduler.store import rollups

MOST_ROWS = 5_000  # executions that are not in the sums yet
MOST_OF_TASK = 1_000


class Window(NamedTuple):
    """How far back to look, and the length of a step of the series in seconds."""

    reach: timedelta
    step: int


WINDOWS = {
    "1h": Window(timedelta(hours=1), 60),
    "24h": Window(timedelta(hours=24), 600),
    "7d": Window(timedelta(days=7), 3600),
}


def statistics(c: Connection, task_id: str | None, window: str, now: datetime) -> dict[str, Any]:
    """Return what `SchedulerService.stats` does, or refuse with `INVALID_WINDOW` or `TASK_NOT_FOUND`."""
    chosen = WINDOWS.get(window)
    if chosen is None:
        refuse("INVALID_WINDOW", f"statistics are of the last {', '.join(WINDOWS)}, not {window!r:.30}")
    since = floor(now - chosen.reach, chosen.step) + timedelta(seconds=chosen.step)
    told = _of_all(c, chosen, since, now) if task_id is None else _of_task(c, task_id, chosen, since, now)
    return {"window": window, "task_id": task_id, "step": chosen.step, "since": since} | told


def _of_all(c: Connection, window: Window, since: datetime, now: datetime) -> dict[str, Any]:
    sums = {Place(row.step, row.at, row.state): stored(row) for row in rollups.since(c, window.step, since)}
    after = max(rollups.position(c) or (since, ""), (since, ""))
    rows = rollups.ended_behind(c, after, now + timedelta(seconds=1), MOST_ROWS)
    exact = _seconds(rows) if not sums else None
    for place, one in summed(rows, [window.step]).items():
        sums.setdefault(place, Sum()).join(one)
    complete = len(rows) < MOST_ROWS
    return _told(sums, window, since, now if complete else rows[-1].end_time, exact) | {"complete": complete}


def _of_task(c: Connection, task_id: str, window: Window, since: datetime, now: datetime) -> dict[str, Any]:
    one_task(c, task_id)
    newest = rollups.newest_of(c, storable(task_id, MAX_ID), MOST_OF_TASK)
    rows = [row for row in newest if row.end_time is not None and row.end_time >= since]
    complete = len(newest) < MOST_OF_TASK or len(rows) < len([row for row in newest if row.end_time is not None])
    sums = summed(rows, [window.step])
    return _told(sums, window, since, now, _seconds(rows)) | {"complete": complete}


def _told(
    sums: Mapping[Place, Sum], window: Window, since: datetime, until: datetime, exact: Sequence[float] | None
) -> dict[str, Any]:
    total, by_state, series = Sum(), Counter[str](), dict[datetime, Counter[str]]()
    for place, one in sums.items():
        total.join(one)
        by_state[place.state] += one.executions
        series.setdefault(place.at, Counter())[place.state] += one.executions
    step = timedelta(seconds=window.step)
    moments = [since + number * step for number in range((floor(until, window.step) - since) // step + 1)]
    return {
        "until": until,
        "executions": total.executions,
        "by_state": dict(sorted(by_state.items())),
        "success_rate": _success_rate(by_state),
        "duration": _duration(total, exact),
        "lateness": {"average": _average(total.late_seconds, total.timed), "longest": total.latest},
        "series": [{"at": each, "by_state": dict(sorted(series.get(each, {}).items()))} for each in moments],
        "exact": exact is not None,
    }


def _duration(total: Sum, exact: Sequence[float] | None) -> dict[str, float | None]:
    parts = {"p50": 0.5, "p95": 0.95}
    found = {name: total.percentile(part) if exact is None else _rank(exact, part) for name, part in parts.items()}
    return {"average": _average(total.seconds, total.timed), **found, "longest": total.longest if total.timed else None}


def _average(seconds: float, count: int) -> float | None:
    return seconds / count if count else None


def _rank(seconds: Sequence[float], part: float) -> float | None:
    """The nearest rank: the smallest value that this part of all values does not exceed."""
    return seconds[math.ceil(part * len(seconds)) - 1] if seconds else None


def _seconds(rows: Iterable[Row[Any]]) -> list[float]:
    return sorted((row.end_time - row.start_time).total_seconds() for row in rows if row.start_time is not None)


def _success_rate(by_state: Mapping[str, int]) -> float | None:
    """Of those that either worked or broke, the part that worked."""
    counted = Counter[bool | None]()
    for state, count in by_state.items():
        counted[success_of(state)] += count  # type: ignore[arg-type]  # a text that is stored, and equal to a state
    told = counted[True] + counted[False]
    return counted[True] / told if told else None
