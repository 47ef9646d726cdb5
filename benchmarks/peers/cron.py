"""Goes from one time of a cron expression to the next, with the library that the order names."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from benchmarks.peers.peer import Order
from benchmarks.peers.serving import answer_once

ZONE = "America/New_York"
START = datetime(2026, 1, 1, tzinfo=UTC)


def chamberlain(expression: str) -> Iterator[datetime]:
    """Ours."""
    from framework.clock import SystemClock
    from modules.core.scheduler import SchedulerSettings, TriggerManager

    triggers = TriggerManager(SystemClock(), SchedulerSettings())
    trigger = triggers.parse({"type": "cron", "expression": expression}, ZONE).unwrap()
    moment = START
    while True:
        moment = trigger.next_after(moment)
        yield moment


def croniter(expression: str) -> Iterator[datetime]:
    """croniter, from its own last time."""
    import croniter as library

    times = library.croniter(expression, START.astimezone(ZoneInfo(ZONE)))
    while True:
        yield times.get_next(datetime)


def cronsim(expression: str) -> Iterator[datetime]:
    """cronsim, iterating."""
    from cronsim import CronSim

    yield from CronSim(expression, START.astimezone(ZoneInfo(ZONE)))


def apscheduler3(expression: str) -> Iterator[datetime]:
    """APScheduler's trigger, called as its scheduler calls it."""
    from apscheduler.triggers.cron import CronTrigger

    trigger = CronTrigger.from_crontab(expression, ZoneInfo(ZONE))
    previous, now = None, START.astimezone(ZoneInfo(ZONE))
    while True:
        previous = now = trigger.get_next_fire_time(previous, now)
        yield previous


LIBRARIES: dict[str, Callable[[str], Iterator[datetime]]] = {
    each.__name__: each for each in (chamberlain, croniter, cronsim, apscheduler3)
}
LAST_YEAR = 2400  # begin anew: tables of the zone end somewhere


def evaluate(order: Order) -> dict[str, Any]:
    """Return how many times were computed in how many seconds of the processor: there is nothing to wait for."""
    library, _, expression = order.role.partition("|")
    next(LIBRARIES[library](expression))  # imports, and the tables of the zone
    count, began = 0, time.process_time()
    while time.process_time() - began < order.seconds:
        times = LIBRARIES[library](expression)
        for moment in times:
            count += 1
            if moment.year >= LAST_YEAR or (not count % 50 and time.process_time() - began > order.seconds):
                break
    return {"count": count, "seconds": time.process_time() - began}


if __name__ == "__main__":
    answer_once(evaluate)
