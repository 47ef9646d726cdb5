"""How paused tasks go on: from now, with a row for what has passed; those that code declares again, many at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row

from modules.core.scheduler.deadlines import expectation
from modules.core.scheduler.firing import trigger_of
from modules.core.scheduler.policies import policies_of
from modules.core.scheduler.recording import paused_row
from modules.core.scheduler.refusing import readable
from modules.core.scheduler.store import cleanups, executions, line, spans, tasks


class AfterPause(NamedTuple):
    """The next time of a task that goes on, what is expected of it where it has one, and the row of what has passed."""

    following: datetime | None
    expected: Mapping[str, Any] | None = None
    skipped: dict[str, Any] | None = None


class Again(NamedTuple):
    """A task that goes on, and what declares it as what."""

    task: Row[Any]
    after: AfterPause
    declared_by: str
    declared_as: str


def after_pause(task: Row[Any], now: datetime) -> AfterPause:
    """Return how a paused task goes on: a recurring one from now, a one-time one at its time.

    Refuses with `CORRUPT_DEFINITION`.
    """
    following, skipped = task.next_execution, None
    if task.recurring and following is not None:
        trigger = readable(trigger_of, task.trigger)  # a time still to come stays: what was skipped is not to come back
        skipped = paused_row(task, trigger, now)
        following = trigger.next_after(now) if following <= now else following
    if following is None:
        return AfterPause(None, None, skipped)
    policies = readable(policies_of, task.policies)
    return AfterPause(
        following, expectation(policies, following, task.timezone), skipped
    )  # not of what was slept through


def go_on(c: Connection, again: Sequence[Again], now: datetime) -> None:
    """Let tasks go on that have a next time and are locked as they were read."""
    skipped = [each.after.skipped for each in again if each.after.skipped is not None]
    if skipped:
        executions.add(c, skipped)
    tasks.go_on(c, list(map(_of, again)), now)
    spans.end_pauses(c, [each.task for each in again], now)
    line.release_tasks(c, [each.task.id for each in again])
    for each in again:
        cleanups.keep_in_step(c, each.task)


def _of(again: Again) -> tuple[Any, ...]:
    after = again.after
    expected = after.expected or {}
    times = (after.following, expected.get("expected_for"), expected.get("expected_at"))
    return (again.task.id, *times, again.declared_by, again.declared_as)
