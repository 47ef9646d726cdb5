"""The rows of a task that is stored for the first time: its own, and that of its execution if it is due already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection

from framework.caller import Door, caller
from framework.database import Insertion, insert_rows
from modules.core.scheduler import tables, tracing
from modules.core.scheduler.bounded_text import MAX_ID, storable
from modules.core.scheduler.catch_up import Run
from modules.core.scheduler.deadlines import expectation
from modules.core.scheduler.placing import Occurrence, Task, first_row
from modules.core.scheduler.policies import policies_of
from modules.core.scheduler.store import executions, tasks
from modules.core.scheduler.task import Status

NEXT = tasks.COLUMNS.index("next_execution")
NEVER = datetime.max.replace(tzinfo=UTC)


class Newborn(NamedTuple):
    """A task's row, the values of `tasks.COLUMNS`, and its execution's, if there is one."""

    task: tuple[Any, ...]
    execution: Mapping[str, Any] | None


def newborn(values: dict[str, Any], now: datetime) -> Newborn:
    """Return the rows of a new task of these columns.

    A one-time task whose time has come is fired as it is born: what a turn would insert travels in the same commit.
    """
    who = caller()
    values["traceparent"] = tracing.traceparent()
    values["created_at"] = values["updated_at"] = values["timed_since"] = now
    values["created_by"] = None if who.door is Door.CODE else storable(who.name, MAX_ID)
    values["execution_count"], values["revision"] = 0, 1
    values["status_reason"] = values["last_execution"] = values["last_error"] = values["changed_at"] = None
    values |= expectation(policies_of(values["policies"]), values["next_execution"], values["timezone"])
    execution = None
    if _is_due(values, now):
        task = cast(Task, SimpleNamespace(**values))
        run = Run(values["next_execution"])
        execution = first_row(Occurrence(task, policies_of(values["policies"]), run, "schedule"), now)
        values["next_execution"], values["execution_count"] = None, 1
    return Newborn(tuple(map(values.__getitem__, tasks.COLUMNS)), execution)


def is_any_due(born: Sequence[Newborn], until: datetime) -> bool:
    """Whether any of these new tasks wants something to be done by then."""
    return any(each.execution is not None or (each.task[NEXT] or NEVER) <= until for each in born)


def insertions(born: Sequence[Newborn]) -> list[Insertion]:
    """Return what is to be inserted for new tasks, whose ids are their own."""
    rows = [each.execution for each in born if each.execution is not None]
    firsts = [tuple(map(row.__getitem__, executions.PLACED)) for row in rows]
    stored = [Insertion(tables.events, tasks.COLUMNS, [each.task for each in born])]
    return [*stored, Insertion(tables.executions, executions.PLACED, firsts)] if firsts else stored


def insert(c: Connection, born: Sequence[Newborn]) -> None:
    """Store new tasks as part of a transaction."""
    for each in insertions(born):
        insert_rows(c, *each)


def _is_due(values: Mapping[str, Any], now: datetime) -> bool:
    first = values["next_execution"]
    if first is None or first > now or values["recurring"] or values["status"] != Status.PENDING:
        return False
    if values["concurrency_key"] is not None:  # others may hold its key; a turn looks
        return False
    policies = policies_of(values["policies"])
    return policies.grace is None and policies.catch_up != "none"
