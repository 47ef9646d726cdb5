"""The forecast: what is to come, played on the slots there are, told with where it piles up and what would help."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

from modules.core.scheduler.foresight.leisure import at_leisure
from modules.core.scheduler.foresight.pile_ups import pile_ups
from modules.core.scheduler.foresight.simulating import Level, Played, Run, Slots, Started, Work, play
from modules.core.scheduler.policies import stable_fraction
from modules.core.scheduler.trigger import Trigger, pauses_after_each_run

MOST = 100_000  # occurrences that are looked at
BARS = 24  # parts of the window for which the load is told
BUSIEST = 5
FIGURES = ("total", "skipped", "peak", "use", "late")  # what is compared


@dataclass(frozen=True, slots=True)
class Ahead:
    """A task that lies ahead: its work, its trigger, its first time, and how often at most.

    `overdue` executions, one at a time, make up for times that have passed before `first`.
    """

    work: Work
    trigger: Trigger
    first: datetime
    most: int | None = None
    overdue: int = 0


class Window(NamedTuple):
    """The time that is looked at; it is cut where more occurrences lie in it than are looked at."""

    start: datetime
    until: datetime
    is_cut: bool


class Asked(NamedTuple):
    """What a forecast is of: how far it goes, the changes that are supposed, and how much it tells and looks at.

    `changed` is None where nothing is supposed.
    """

    until: datetime
    named: Sequence[str]
    changed: Sequence[Ahead] | None
    limit: int
    most: int


class Scene(NamedTuple):
    """What a forecast plays: occurrences within a window, on slots, beside what runs already."""

    window: Window
    runs: Sequence[Run]
    slots: Slots
    running: Sequence[tuple[float, Work]] = ()


def scene(
    tasks: Sequence[Ahead],
    slots: Slots,
    start: datetime,
    until: datetime,
    *,
    running: Sequence[tuple[float, Work]] = (),
    waiting: Sequence[Run] = (),
    most: int | None = None,
) -> Scene:
    """Gather the occurrences of `[start, until]`, at most `MOST` or so many, those that wait already before them."""
    coming = heapq.merge(*(_moments(task, start, until) for task in tasks))
    most = MOST if most is None else min(most, MOST)
    found = list(at_leisure(islice(coming, most + 1)))
    window = Window(start, until, len(found) > most)
    if window.is_cut:
        window = Window(start, datetime.fromtimestamp(found.pop()[0], UTC), is_cut=True)
    named = {task.work.task_id: task.work for task in tasks}
    runs = [Run(_due(named[task_id], moment), named[task_id]) for moment, task_id in found]
    late = (Run(start.timestamp(), accepted(task.work)) for task in tasks for _ in range(task.overdue))
    overdue = islice(late, most)
    return Scene(window, sorted([*waiting, *overdue, *runs], key=lambda run: run.due), slots, running)


def accepted(work: Work) -> Work:
    """Return the work of an execution that has its row, or is sure of it: it is skipped no more."""
    return replace(work, overlap="queue")


def _moments(task: Ahead, start: datetime, until: datetime) -> Iterator[tuple[float, str]]:
    """Yield nominal times; what is overdue is due now, once for all that was missed."""
    first = max(task.first, start)
    if first > until or task.most == 0:
        return
    yield first.timestamp(), task.work.task_id
    following = islice(_following(task, first, until), None if task.most is None else task.most - 1)
    yield from ((moment.timestamp(), task.work.task_id) for moment in following)


def _following(task: Ahead, first: datetime, until: datetime) -> Iterator[datetime]:
    if pauses_after_each_run(task.trigger):
        return _after_each_run(task, first, until)
    between = getattr(task.trigger, "between", None)  # what only waits for events need not know any times
    return iter(()) if between is None else between(first, until)


def _after_each_run(task: Ahead, first: datetime, until: datetime) -> Iterator[datetime]:
    """Yield the times after the first, as if every run took as long as it usually does."""
    usual = timedelta(seconds=task.work.seconds)
    moment = task.trigger.next_after(first + usual)
    while moment is not None and moment <= until:
        yield moment
        moment = task.trigger.next_after(moment + usual)


def _due(work: Work, moment: float) -> float:
    if not work.jitter:
        return moment
    nominal = datetime.fromtimestamp(moment, UTC).isoformat()
    return moment + work.jitter * stable_fraction(f"{work.task_id} {nominal}")


def forecast_of(given: Scene, limit: int) -> dict[str, Any]:
    """Return the forecast as plain data, at most `limit` of the occurrences; `SchedulerService.forecast` tells it."""
    played = play(given.runs, given.slots, given.running)
    end = given.window.until.timestamp()
    listed = sorted(played.started, key=lambda each: each.run.due)[:limit]
    return {
        "from": given.window.start,
        "until": given.window.until,
        "is_cut": given.window.is_cut,
        "slots": given.slots.total,
        **summary_of(given, played),
        "occurrences": [_shown(each, end) for each in listed],
        "load": _load(given, played),
        "busiest": _busiest(played),
        "pile_ups": [_named(each) for each in pile_ups(given.runs, given.slots, played.started)],
        "tasks": _tasks(given.runs),
    }


def summary_of(given: Scene, played: Played) -> dict[str, Any]:
    """Return the figures of a forecast that can be compared with those of another one."""
    end = given.window.until.timestamp()
    latest = max(played.started, key=lambda each: each.late(end), default=None)
    seconds = max(end - given.window.start.timestamp(), 1.0)
    return {
        "total": len(given.runs),
        "skipped": played.skipped,
        "peak": {
            "running": max((level.running for level in played.levels), default=0),
            "waiting": max((level.waiting for level in played.levels), default=0),
        },
        "use": round(_taken(given, played) / (seconds * max(given.slots.total, 1)), 4),
        "late": None if latest is None else _shown(latest, end),
    }


def _taken(given: Scene, played: Played) -> float:
    """Return how many seconds of slots are taken within the window; what is skipped takes none."""
    start, end = given.window.start.timestamp(), given.window.until.timestamp()
    begun = [(each.start, each.start + each.run.work.seconds) for each in played.started if each.start is not None]
    return sum(max(min(stop, end) - first, 0.0) for first, stop in [*begun, *((start, at) for at, _ in given.running)])


def _shown(each: Started, end: float) -> dict[str, Any]:
    return {
        "at": _moment(each.run.due),
        "start": None if each.start is None else _moment(each.start),
        "late": round(each.late(end), 3),
        "seconds": round(each.run.work.seconds, 3),
        "task_id": each.run.work.task_id,
        "name": each.run.work.name,
    }


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _load(given: Scene, played: Played) -> list[dict[str, Any]]:
    """Return for each part of the window how much comes, and the most that runs and that waits at once."""
    start, until = given.window.start.timestamp(), given.window.until.timestamp()
    size = max((until - start) / BARS, 1e-6)
    counts = Counter(min(int((run.due - start) / size), BARS - 1) for run in given.runs)
    running, waiting = [0] * BARS, [0] * BARS
    level = Level(start, len(given.running), 0)
    for following in [*played.levels, Level(until, 0, 0)]:
        stop = math.ceil((min(following.at, until) - start) / size)
        for bar in range(max(int((level.at - start) / size), 0), min(stop, BARS)):
            running[bar], waiting[bar] = max(running[bar], level.running), max(waiting[bar], level.waiting)
        level = following
    width = timedelta(seconds=size)
    return [
        {
            "at": given.window.start + bar * width,
            "occurrences": counts[bar],
            "running": running[bar],
            "waiting": waiting[bar],
        }
        for bar in range(BARS)
    ]


def _busiest(played: Played) -> list[dict[str, Any]]:
    """Return the moments at which most waits and runs, of each hour only one."""
    by_hour: dict[int, Level] = {}
    for level in played.levels:
        best = by_hour.get(int(level.at // 3600))
        if best is None or (level.waiting, level.running) > (best.waiting, best.running):
            by_hour[int(level.at // 3600)] = level
    busiest = heapq.nlargest(BUSIEST, by_hour.values(), key=lambda level: (level.waiting, level.running, -level.at))
    return [
        {"at": _moment(level.at), "running": level.running, "waiting": level.waiting}
        for level in busiest
        if level.running
    ]


def _named(pile_up: dict[str, Any]) -> dict[str, Any]:
    return pile_up | {"at": _moment(pile_up["at"])}


def _tasks(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Return what is assumed of each task, those first that take most of the slots' time."""
    counts = Counter(run.work.task_id for run in runs)
    works = {run.work.task_id: run.work for run in runs}
    shown = [
        {
            "id": task_id,
            "name": work.name,
            "occurrences": counts[task_id],
            "seconds": round(work.seconds, 3),
            "is_measured": work.measured,
        }
        for task_id, work in works.items()
    ]
    return sorted(shown, key=lambda each: -each["occurrences"] * each["seconds"])
