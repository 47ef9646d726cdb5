"""The rows of a task that is stored for the first time: its own, and that of its execution if it is due already."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection

from framework.caller import Door, caller
from framework.clock import new_id
from framework.database import Insertion, insert_rows
from modules.core.scheduler import tables, tracing
from modules.core.scheduler.alike import Plan
from modules.core.scheduler.bounded_text import MAX_ID, storable
from modules.core.scheduler.catch_up import Run
from modules.core.scheduler.deadlines import expectation
from modules.core.scheduler.placing import Occurrence, Task, first_row, keys_of
from modules.core.scheduler.policies import policies_of
from modules.core.scheduler.store import executions, tasks
from modules.core.scheduler.task import Status

ID, NAME, PARAMETERS, TRIGGER, NEXT = map(
    tasks.COLUMNS.index, ("id", "name", "parameters", "trigger", "next_execution")
)
OWN_ID, OF_TASK, FOR, LIMIT_KEY, OPEN_KEY = map(
    executions.PLACED.index, ("id", "event_id", "scheduled_for", "limit_key", "open_key")
)
NEVER = datetime.max.replace(tzinfo=UTC)


class Origin(NamedTuple):
    """Who stores a task, where that is not the application's own code, and in which span."""

    created_by: str | None
    traceparent: str | None


class Arrival(NamedTuple):
    """A plan that becomes a new task under this id."""

    plan: Plan
    task_id: str
    origin: Origin


class Newborn(NamedTuple):
    """A task's row, the values of `tasks.COLUMNS`, and its execution's, of `executions.PLACED`, if there is one."""

    task: tuple[Any, ...]
    execution: tuple[Any, ...] | None


def origin() -> Origin:
    """Return what whoever acts here leaves in the tasks that they store."""
    who = caller()
    return Origin(None if who.door is Door.CODE else storable(who.name, MAX_ID), tracing.traceparent())


class Brood:
    """Makes the rows of tasks that are stored together at one moment.

    Plans that share their config differ in name, parameters and time alone (`Alike`): all but the first of them are
    made from the rows of the first. `make` makes the rows of any.
    """

    def __init__(self, make: Callable[[Arrival, datetime], Newborn], now: datetime) -> None:
        self._make, self._now = make, now
        self._firsts: dict[tuple[int, bool, Origin], Newborn] = {}

    def born(self, arrival: Arrival) -> Newborn:
        """Return the rows of a new task."""
        plan, moment = arrival.plan, arrival.plan.when["next_execution"]
        kind = id(plan.config), moment is not None and moment <= self._now, arrival.origin
        first = self._firsts.get(kind)
        if first is not None:
            return _like(first, plan, arrival.task_id)
        made = self._make(arrival, self._now)
        policies = policies_of(plan.what["policies"])
        if not policies.jitter and policies.expected_by is None:  # which make more of a time than that it has come
            self._firsts[kind] = made
        return made


def _like(first: Newborn, plan: Plan, task_id: str) -> Newborn:
    row, moment = list(first.task), plan.when["next_execution"]
    row[ID], row[NAME], row[PARAMETERS] = task_id, plan.what["name"], plan.what["parameters"]
    row[TRIGGER] = plan.when["trigger"]
    if first.execution is None:
        row[NEXT] = moment
        return Newborn(tuple(row), None)
    placed = list(first.execution)
    placed[OWN_ID], placed[OF_TASK], placed[FOR] = new_id(), task_id, moment
    if placed[LIMIT_KEY] is not None:
        placed[LIMIT_KEY] = task_id
    if placed[OPEN_KEY] is not None:
        placed[OPEN_KEY] = keys_of(task_id, 1)[0]
    return Newborn(tuple(row), tuple(placed))


def newborn(values: dict[str, Any], origin: Origin, now: datetime) -> Newborn:
    """Return the rows of a new task of these columns.

    A one-time task whose time has come is fired as it is born: what a turn would insert travels in the same commit.
    """
    values["created_by"], values["traceparent"] = origin
    values["created_at"] = values["updated_at"] = values["timed_since"] = now
    values["execution_count"], values["revision"] = 0, 1
    values["status_reason"] = values["last_execution"] = values["last_error"] = values["changed_at"] = None
    values |= expectation(policies_of(values["policies"]), values["next_execution"], values["timezone"])
    execution = None
    if _is_due(values, now):
        task = cast(Task, SimpleNamespace(**values))
        run = Run(values["next_execution"])
        row = first_row(Occurrence(task, policies_of(values["policies"]), run, "schedule"), now)
        execution = tuple(map(row.__getitem__, executions.PLACED))
        values["next_execution"], values["execution_count"] = None, 1
    return Newborn(tuple(map(values.__getitem__, tasks.COLUMNS)), execution)


def is_any_due(born: Sequence[Newborn], until: datetime) -> bool:
    """Whether any of these new tasks wants something to be done by then."""
    return any(each.execution is not None or (each.task[NEXT] or NEVER) <= until for each in born)


def insertions(born: Sequence[Newborn]) -> list[Insertion]:
    """Return what is to be inserted for new tasks, whose ids are their own."""
    firsts = [each.execution for each in born if each.execution is not None]
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
