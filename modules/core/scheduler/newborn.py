"""The rows of a task that is stored for the first time: its own, and that of its execution if it is due already."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection

from modules.core.scheduler.catch_up import Run
from modules.core.scheduler.placing import Occurrence, Task, first_row
from modules.core.scheduler.store import executions, tasks
from modules.core.scheduler.task import Status, policies_of


class Newborn(NamedTuple):
    """A task's row, the values of `tasks.COLUMNS`, and its execution's, if there is one."""

    task: tuple[Any, ...]
    execution: Mapping[str, Any] | None


def newborn(values: dict[str, Any], now: datetime) -> Newborn:
    """Return the rows of a new task of these columns.

    A one-time task whose time has come is fired as it is born: what a turn would insert travels in the same commit.
    """
    values["created_at"] = values["updated_at"] = now
    values["execution_count"] = 0
    values["status_reason"] = values["last_execution"] = values["last_error"] = None
    execution = None
    if _is_due(values, now):
        task = cast(Task, SimpleNamespace(**values))
        run = Run(values["next_execution"])
        execution = first_row(Occurrence(task, policies_of(values["policies"]), run, "schedule"), now)
        values["next_execution"], values["execution_count"] = None, 1
    return Newborn(tuple(map(values.__getitem__, tasks.COLUMNS)), execution)


def insert(c: Connection, born: list[Newborn]) -> None:
    """Store new tasks, whose ids are their own."""
    tasks.add_all(c, [each.task for each in born])
    firsts = [each.execution for each in born if each.execution is not None]
    if firsts:
        executions.add(c, firsts)


def _is_due(values: Mapping[str, Any], now: datetime) -> bool:
    first = values["next_execution"]
    if first is None or first > now or values["recurring"] or values["status"] != Status.PENDING:
        return False
    if values["concurrency_key"] is not None:  # others may hold its key; a turn looks
        return False
    policies = policies_of(values["policies"])
    return policies.grace is None and policies.catch_up != "none"
