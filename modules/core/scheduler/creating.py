"""Creating: a plan becomes a new task, or is the same task again as one that is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from framework.audit import Deed
from framework.clock import new_id
from modules.core.scheduler import chaining, commands, newborn
from modules.core.scheduler.alike import Plan
from modules.core.scheduler.auditing import Auditor
from modules.core.scheduler.deadlines import expectation
from modules.core.scheduler.execution import Reason
from modules.core.scheduler.firing import fire_if_due
from modules.core.scheduler.looks import Look
from modules.core.scheduler.outside import Outside
from modules.core.scheduler.placing import function_key
from modules.core.scheduler.policies import policies_of
from modules.core.scheduler.refusing import refuse
from modules.core.scheduler.resuming import Again, after_pause
from modules.core.scheduler.store import cleanups, executions, spans, tasks
from modules.core.scheduler.task import Status, TaskConfig


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a task is: `code`, and the module that declares it, `start` while it starts or as `data`; or `runtime`."""

    kind: str
    module: str | None = None
    declared_as: str = "start"


RUNTIME = Owner("runtime")


def is_new(plan: Plan, owner: Owner) -> bool:
    """Whether a plan can only mean a new task: it names none, nor one to come after; code's are named by themselves."""
    config = plan.config
    has_identity = config.key is not None or config.task_id is not None or plan.when["after_task"] is not None
    return not has_identity and (config.owner or owner.kind) == "runtime"


def insert_new(c: Connection, now: datetime, plans: Sequence[Plan]) -> list[dict[str, Any]]:
    """Store tasks that cannot be there yet as part of a transaction."""
    arrived, created = arriving(plans)
    newborn.insert(c, new_rows(arrived, now))
    return created


def arriving(plans: Sequence[Plan]) -> tuple[list[newborn.Arrival], list[dict[str, Any]]]:
    """Give new tasks their ids; return what is to be stored for whoever acts here, and what is told of it."""
    origin = newborn.origin()
    arrived = [newborn.Arrival(plan, new_id(), origin) for plan in plans]
    return arrived, [_created(plan, task_id) for plan, task_id, _ in arrived]


def new_rows(arrived: Sequence[newborn.Arrival], now: datetime) -> list[newborn.Newborn]:
    """Return the rows of new tasks."""
    return list(map(newborn.Brood(_born, now).born, arrived))


def put_all(c: Connection, plans: Sequence[Plan], owner: Owner, now: datetime) -> list[dict[str, Any]]:
    """Store plans; their tasks are locked in one order, whatever the caller's, so that no two callers deadlock."""
    in_order = sorted(plans, key=lambda plan: (plan.config.module_id, plan.config.key or plan.what["name"]))
    stored = {id(plan): put(c, plan, owner, now) for plan in in_order}
    for plan in in_order:
        if plan.when["after_task"] is not None:  # now that all are there, for they may come after each other
            must_exist = (plan.config.owner or owner.kind) == "runtime"
            chaining.check(c, stored[id(plan)]["task_id"], must_exist=must_exist)
    return [stored[id(plan)] for plan in plans]


def put_asked(
    c: Connection, now: datetime, plans: Sequence[Plan], owner: Owner, by: Auditor, outside: Outside
) -> list[dict[str, Any]]:
    """Store plans that somebody asks for, and write down of an operator what became of each."""
    looks = [_look(c, plan, owner, by, outside) for plan in plans] if by.listens else []
    stored = put_all(c, plans, owner, now)
    outside.refuse_too_many(c)
    for before, told in zip(looks, stored, strict=False):
        by.tell(c, Deed("schedule", "task", told["task_id"]), before)
    return stored


def _look(c: Connection, plan: Plan, owner: Owner, by: Auditor, outside: Outside) -> Look | None:
    existing = existing_of(c, plan, owner)
    if existing is None:
        return None
    outside.refuse_to_change(existing)
    return by.look(c, Deed("schedule", "task", existing.id))


def existing_of(c: Connection, plan: Plan, owner: Owner) -> Row[Any] | None:
    """Return the task that a plan would change, locked, or None."""
    key = key_of(plan.config, replace(owner, kind=plan.config.owner or owner.kind))
    return _existing(c, plan.config, key)


def put(c: Connection, plan: Plan, owner: Owner, now: datetime, known: Row[Any] | None = None) -> dict[str, Any]:
    """Store a planned task as part of a transaction: `{"task_id", "created", "next_execution"}`.

    `known` is the task of its key, where that is locked as it was read.
    """
    config = plan.config
    owner = replace(owner, kind=config.owner or owner.kind)
    existing = known or _existing(c, config, key_of(config, owner))
    if existing is not None:
        return _put_again(c, plan, existing, owner, now)
    task_id = config.task_id or new_id()
    newborn.insert(c, [first_of(plan, task_id, owner, now)])
    return _created(plan, task_id)


def again(plan: Plan, row: Row[Any], owner: Owner, now: datetime) -> Again | None:
    """Return how a task goes on that had vanished from the code and is declared again as it was; None of any other."""
    is_theirs = row.owner == "code" and (plan.config.owner or owner.kind) == "code" and owner.module is not None
    conflict = plan.config.conflict
    if not is_theirs or not has_vanished(row) or conflict == "error":
        return None
    if conflict == "update" and says_otherwise(plan, row):
        return None
    after = after_pause(row, now)
    return None if after.following is None else Again(row, after, str(owner.module), owner.declared_as)


def first_of(plan: Plan, task_id: str, owner: Owner, now: datetime) -> newborn.Newborn:
    """Return the rows of a task that may have a key, and is not there yet."""
    owner = replace(owner, kind=plan.config.owner or owner.kind)
    arrival = newborn.Arrival(plan, task_id, newborn.origin())
    return _born(arrival, now, key_of(plan.config, owner), owner)


def key_of(config: TaskConfig, owner: Owner) -> str | None:
    """Return the key of a task: what code schedules is called by its name, unless it has an id."""
    is_code = (config.owner or owner.kind) == "code"
    return config.key or (config.name if is_code and config.task_id is None else None)


def _put_again(c: Connection, plan: Plan, row: Row[Any], owner: Owner, now: datetime) -> dict[str, Any]:
    """The same key is the same task: the same definition changes nothing, another one updates it."""
    conflict = plan.config.conflict
    if conflict == "error":
        refuse("ALREADY_EXISTS", f"there is a task {row.key or row.id!r} already", task_id=row.id)
    if conflict == "update" and says_otherwise(plan, row):
        row = rewrite(c, row, _identified(plan), now, new_time=says_another_time(plan, row))
    if row.owner == "code" and owner.module is not None:  # also one that was imported, and that nobody declared yet
        row = _declared_again(c, row, owner, now)
    return {"task_id": row.id, "created": False, "next_execution": row.next_execution}


def has_vanished(row: Row[Any]) -> bool:
    """Whether the task is disabled because code declares it no more."""
    return bool(row.status == Status.PAUSED and row.status_reason == Reason.NOT_DECLARED)


def _declared_again(c: Connection, row: Row[Any], owner: Owner, now: datetime) -> Row[Any]:
    """A task that had vanished from the code goes on where the code has it again; it may have moved to a module."""
    vanished = has_vanished(row)
    if vanished:
        commands.resume(c, now, row.id)
    if vanished or (row.declared_by, row.declared_as) != (owner.module, owner.declared_as):
        declared = {"declared_by": owner.module, "declared_as": owner.declared_as}
        if not vanished:
            spans.end_pause(c, row, now)
        tasks.revise(c, row.id, now, owner=owner.kind, **declared)
        return commands.must_find(c, row.id)
    return row


def rewrite(c: Connection, row: Row[Any], plan: Plan, now: datetime, *, new_time: bool) -> Row[Any]:
    """Change a task's columns; an occurrence that is already due is fired first, so that no edit loses it."""
    if new_time:
        fire_if_due(c, row, now)
    values = {**plan.what, "max_executions": plan.when["max_executions"]}
    if new_time:
        is_paused = row.status == Status.PAUSED
        commands.account_for_pause(c, row, now)
        values |= {**plan.when, "timed_since": now, "status": Status.PAUSED if is_paused else Status.PENDING}
        values["status_reason"] = row.status_reason if is_paused else None
    spans.end_pause(c, row, now)
    if new_time or values["policies"] != row.policies:
        moment = plan.when["next_execution"] if new_time else row.next_execution
        values |= expectation(policies_of(values["policies"]), moment, values.get("timezone", row.timezone))
    tasks.revise(c, row.id, now, **values)
    executions.refer_to(c, row.id, function_key(values["module_id"], values["function_name"]))
    cleanups.keep_in_step(c, row)
    return commands.must_find(c, row.id)


def _born(arrival: newborn.Arrival, now: datetime, key: str | None = None, owner: Owner = RUNTIME) -> newborn.Newborn:
    plan, task_id, origin = arrival
    has_identity = key is not None or plan.config.task_id is not None
    plan = (
        _identified(plan)
        if has_identity
        else Plan(plan.config, {**plan.what, "definition": "", "timing": ""}, plan.when)
    )
    status = Status.PAUSED if plan.config.paused else Status.PENDING
    is_declared = owner.kind == "code" and owner.module is not None
    values = {**plan.what, **plan.when, "id": task_id, "key": key, "status": status, "owner": owner.kind}
    values["declared_by"] = owner.module if is_declared else None
    values["declared_as"] = owner.declared_as if is_declared else None
    return newborn.newborn(values, origin, now)


def _identified(plan: Plan) -> Plan:
    """Return the plan with digests of what it says, by which the same call at the next start is known again."""
    config = plan.config
    return Plan(config, {**plan.what, "definition": config.definition}, {**plan.when, "timing": config.timing})


def says_otherwise(plan: Plan, row: Row[Any]) -> bool:
    """Whether a plan is another definition than the one by which the task was stored."""
    if row.definition and plan.config.definition == str(row.definition):
        return False
    what = {**plan.what, "max_executions": plan.when["max_executions"]}
    return says_another_time(plan, row) or any(value != getattr(row, name) for name, value in what.items())


def says_another_time(plan: Plan, row: Row[Any]) -> bool:
    """Whether a plan says otherwise when: in other words, and meaning another trigger."""
    if row.definition and plan.config.timing == str(row.timing):
        return False
    return any(plan.when[name] != getattr(row, name) for name in ("trigger", "timezone"))


def _created(plan: Plan, task_id: str) -> dict[str, Any]:
    return {"task_id": task_id, "created": True, "next_execution": plan.when["next_execution"]}


def _existing(c: Connection, config: TaskConfig, key: str | None) -> Row[Any] | None:
    """Return the task that a config means: the module's of this key, else of this id, if it is not somebody else's."""
    if key is not None and (of_key := tasks.lock_by_key(c, config.module_id, key)) is not None:
        return of_key
    of_id = None if config.task_id is None else tasks.lock(c, config.task_id)
    if of_id is not None and (of_id.module_id != config.module_id or key is not None):
        refuse("ALREADY_EXISTS", f"the id {of_id.id!r} is another task's", task_id=of_id.id)
    return of_id
