"""Many recurring tasks at one instant, whether or not there are slots for them: everything at midnight."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from modules.core.scheduler.foresight.forecasting import Ahead
from modules.core.scheduler.foresight.simulating import Work
from modules.core.scheduler.trigger import times_from

CROWD = 10  # tasks
WITHIN = timedelta(days=32)  # a whole month, whenever it begins
MOST_TIMES = 35  # of each task
APART = timedelta(hours=1)  # what comes more often than that is at every instant
MOST = 5


class Crowd(NamedTuple):
    """Tasks that share an instant: when first, and how often at least so many of them come together."""

    at: datetime
    works: tuple[Work, ...]
    times: int


def crowds(tasks: Sequence[Ahead], now: datetime) -> list[Crowd]:
    """Return the largest crowds of the month to come, each of tasks that are not all in one before it.

    A task with jitter is in none, and neither is one that comes more often than every hour, or only once.
    """
    at: dict[datetime, dict[str, Work]] = {}
    for task in tasks:
        for moment in _moments(task, now):
            at.setdefault(moment.replace(microsecond=0), {})[task.work.task_id] = task.work
    together = {moment: works for moment, works in at.items() if len(works) >= CROWD}
    found: list[Crowd] = []
    for moment, works in sorted(together.items(), key=lambda each: (-len(each[1]), each[0])):
        if len(found) < MOST and not any(works.keys() <= {work.task_id for work in each.works} for each in found):
            times = sum(other.keys() <= works.keys() for other in together.values())
            found.append(Crowd(moment, tuple(works.values()), times))
    return found


def _moments(task: Ahead, now: datetime) -> list[datetime]:
    if task.work.jitter or not task.trigger.recurring:
        return []
    most = MOST_TIMES if task.most is None else min(task.most, MOST_TIMES)
    times = times_from(task.trigger, max(task.first, now), 2)
    if len(times) < 2 or times[1] - times[0] < APART:
        return []
    until = now + WITHIN
    return [moment for moment in times_from(task.trigger, task.first, most) if now <= moment <= until]
