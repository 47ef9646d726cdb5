"""How what was asked of single occurrences, given as the plain dicts of the services, reads on a terminal.

Moments are shown in the zone of the task, in which they are given.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from framework.terminal import moment_text
from modules.core.scheduler.task import Status
from modules.core.scheduler.trigger import zone

Shown = Mapping[str, Any]


def skipped(task: Shown, told: Shown) -> str:
    """Return which occurrence is left out, and what comes next."""
    return f"{task['name']}: the run of {_at(told['scheduled_for'], task)} is skipped; {_next(told, task)}"


def shifted(task: Shown, told: Shown) -> str:
    """Return when which occurrence starts, and what comes next beside it."""
    moved = f"the run of {_at(told['scheduled_for'], task)} starts at {_at(told['due_at'], task)}"
    return f"{task['name']}: {moved}; {_next(told, task)}"


def bounded(task: Shown, told: Shown) -> str:
    """Return until when a task runs, and what comes next."""
    until = "its end is taken away" if told["until"] is None else f"runs until {_at(told['until'], task)}"
    return f"{task['name']}: {until}; {_next(told, task)}"


def backfilled(task: Shown, told: Shown) -> str:
    """Return how many occurrences are run, or would be, and how many have been before."""
    already = f"{told['already']} ran, run or wait already"
    if not told["placed"]:
        return f"{task['name']}: nothing to run; {already}"
    span = _at(told["first"], task)
    if told["placed"] > 1:
        span += f" to {_at(told['last'], task)}"
    number = f"{told['placed']:,} occurrence{'' if told['placed'] == 1 else 's'}"
    return f"{task['name']}: {number} {'would' if told['dry_run'] else 'will'} run, {span}; {already}"


def _next(told: Shown, task: Shown) -> str:
    if told["upcoming"]:
        return "next: " + ", ".join(_at(moment, task) for moment in told["upcoming"])
    return "nothing more is to come" if told.get("status") == Status.COMPLETED else "no other time is known yet"


def _at(moment: datetime, task: Shown) -> str:
    return at_home(moment, task["timezone"])


def at_home(moment: datetime, timezone: str | None) -> str:
    """Return a moment as the clocks of a task's zone show it; as the machine's, where that knows no such zone."""
    try:
        return moment_text(moment, None if timezone is None else zone(timezone))
    except ValueError:
        return moment_text(moment)
