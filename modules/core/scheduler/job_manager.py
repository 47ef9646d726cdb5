"""JobManager: tasks and their executions, created, changed, asked for and corrected."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection, Row
from sqlalchemy.exc import IntegrityError

from framework.clock import Clock, SystemClock, new_id
from framework.database import Database, Notice, is_transient, is_unique_violation, notify
from framework.repeat import until_it_passes
from framework.result import Result, ResultError
from modules.core.scheduler import commands, newborn
from modules.core.scheduler.alike import Plan
from modules.core.scheduler.firing import fire_if_due
from modules.core.scheduler.history import prune
from modules.core.scheduler.inbox import Inbox
from modules.core.scheduler.pages import execution_page, one_task, task_page
from modules.core.scheduler.placing import function_key
from modules.core.scheduler.planning import Planner, says_when
from modules.core.scheduler.refusing import refuse
from modules.core.scheduler.settings import SchedulerSettings
from modules.core.scheduler.store import cleanups, executions, tasks
from modules.core.scheduler.tables import CHANNEL
from modules.core.scheduler.task import Status, TaskConfig
from modules.core.scheduler.views import execution_view, shown_task

Owner = str
PATIENCE = 30.0  # real seconds that a caller waits for a database that is locked
T = TypeVar("T")


class JobManager:
    """Tasks and their executions. Methods that touch the database are async and return a Result.

    `wake` is called after each change that may make something due.
    """

    def __init__(
        self, database: Database, clock: Clock, planner: Planner, settings: SchedulerSettings, wake: Callable[[], None]
    ) -> None:
        self._database = database
        self._clock = clock
        self._planner = planner
        self._settings = settings
        self._wake = wake
        self._inbox = Inbox(self._store_new)

    async def create_job(
        self,
        name: str,
        function_name: str,
        parameters: Mapping[str, Any] | None = None,
        schedule_info: Mapping[str, Any] | None = None,
    ) -> Result[dict[str, Any]]:
        """Schedule a task; `schedule_info` holds the other config keys, `module_id` among them."""
        config = {**(schedule_info or {}), "name": name, "function_name": function_name}
        created = await self.create([config | {"parameters": dict(parameters or {})}])
        return created.map(lambda tasks: tasks[0])

    async def create(
        self, configs: Sequence[TaskConfig | Mapping[str, Any]], *, owner: Owner = "runtime"
    ) -> Result[list[dict[str, Any]]]:
        """Schedule tasks, all or none: `{"task_id", "created", "next_execution"}` for each."""
        plans: list[Plan] = []
        for number, config in enumerate(configs):
            planned = self._planner.plan(config, alike=owner == "runtime")
            if planned.error is not None:
                details = {**(planned.error.details or {}), "index": number}
                return Result.error(planned.error.code, planned.error.message, details)
            plans.append(planned.data)
        if all(_is_new(plan, owner) for plan in plans):
            return Result.success(await self._create_new(plans))
        return await self.change(lambda c, now: self._put_all(c, plans, owner, now))

    async def _create_new(self, plans: Sequence[Plan]) -> list[dict[str, Any]]:
        """Store tasks that cannot be there yet; concurrent callers share a commit."""
        now = self._clock.now()
        ids = [new_id() for _ in plans]
        await self._inbox.add(
            [_born(plan, task_id, None, "runtime", now) for plan, task_id in zip(plans, ids, strict=True)]
        )
        return [_created(plan, task_id) for plan, task_id in zip(plans, ids, strict=True)]

    async def _store_new(self, born: Sequence[newborn.Newborn]) -> None:
        """Insert tasks whose ids are their own: even when nobody knows whether they came in, again is harmless."""
        insert = partial(self._database.insert, newborn.insertions(born), Notice(CHANNEL, ""))
        await until_it_passes(insert, clock=SystemClock(), passes=is_transient, patience=PATIENCE)
        self._wake()

    def _put_all(self, c: Connection, plans: Sequence[Plan], owner: Owner, now: datetime) -> list[dict[str, Any]]:
        """Store plans; their tasks are locked in one order, whatever the caller's, so that no two callers deadlock."""
        in_order = sorted(plans, key=lambda plan: (plan.config.module_id, plan.config.key or plan.what["name"]))
        stored = {id(plan): self.put(c, plan, owner, now) for plan in in_order}
        return [stored[id(plan)] for plan in plans]

    def put(self, c: Connection, plan: Plan, owner: Owner, now: datetime) -> dict[str, Any]:
        """Store a planned task as part of a transaction: `{"task_id", "created", "next_execution"}`."""
        config = plan.config
        owner = config.owner or owner
        key = config.key or (config.name if owner == "code" and config.task_id is None else None)
        existing = _existing(c, config, key)
        if existing is not None:
            return self._put_again(c, plan, existing, now)
        task_id = config.task_id or new_id()
        newborn.insert(c, [_born(plan, task_id, key, owner, now)])
        return _created(plan, task_id)

    def _put_again(self, c: Connection, plan: Plan, row: Row[Any], now: datetime) -> dict[str, Any]:
        """The same key is the same task: the same definition changes nothing, another one updates it."""
        conflict = plan.config.conflict
        if conflict == "error":
            refuse("ALREADY_EXISTS", f"there is a task {row.key or row.id!r} already", task_id=row.id)
        if conflict == "update" and _says_otherwise(plan, row):
            row = self._rewrite(c, row, _identified(plan), now, new_time=_says_another_time(plan, row))
        return {"task_id": row.id, "created": False, "next_execution": row.next_execution}

    def _rewrite(self, c: Connection, row: Row[Any], plan: Plan, now: datetime, *, new_time: bool) -> Row[Any]:
        """Change a task's columns; an occurrence that is already due is fired first, so that no edit loses it."""
        if new_time:
            fire_if_due(c, row, now)
        values = {**plan.what, "max_executions": plan.when["max_executions"]}
        if new_time:
            is_paused = row.status == Status.PAUSED
            values |= {**plan.when, "status": Status.PAUSED if is_paused else Status.PENDING}
            values["status_reason"] = row.status_reason if is_paused else None
        tasks.change(c, row.id, now, **values)
        executions.refer_to(c, row.id, function_key(values["module_id"], values["function_name"]))
        cleanups.keep_in_step(c, row)
        return commands.must_find(c, row.id)

    async def update(self, task_id: str, changes: Mapping[str, Any]) -> Result[dict[str, Any]]:
        """Change some fields of a task; what the code declares still counts as the same definition afterwards."""

        def work(c: Connection, now: datetime) -> dict[str, Any]:
            row = commands.must_find(c, task_id)
            if row.status == Status.CANCELLED and says_when(changes):
                refuse("INVALID_STATE", "the task is cancelled; schedule it anew", status=row.status)
            plan = self._planner.plan_change(row, changes).unwrap()
            self._rewrite(c, row, plan, now, new_time=says_when(changes))
            return shown_task(c, commands.must_find(c, task_id))

        return await self.change(work)

    async def pause(self, task_id: str, reason: str | None = None) -> Result[dict[str, Any]]:
        """Hold a task's occurrences, pending executions and retries; what runs finishes."""
        return await self.change(partial(commands.pause, task_id=task_id, reason=reason))

    async def resume(self, task_id: str) -> Result[dict[str, Any]]:
        """Let a paused task go on from now."""
        return await self.change(partial(commands.resume, task_id=task_id))

    async def cancel(self, task_id: str, *, cancel_running: bool = False) -> Result[dict[str, Any]]:
        """End a task for good; its history stays. What runs finishes unless `cancel_running`."""
        return await self.change(partial(commands.cancel, task_id=task_id, cancel_running=cancel_running))

    async def execute_job(self, job_id: str) -> Result[dict[str, Any]]:
        """Run a task now, beside its schedule: `{"execution_id", "status": "running"}` at once."""
        return await self.change(partial(commands.run_now, task_id=job_id))

    async def cancel_execution(self, execution_id: str) -> Result[dict[str, Any]]:
        """End one execution: a pending one at once, a running one by asking its function to stop."""
        return await self.change(partial(commands.cancel_execution, execution_id=execution_id))

    async def emit(self, event: str, payload: Mapping[str, Any] | None = None) -> Result[int]:
        """Set off every task that waits for this event; return how many."""
        return await self.change(partial(commands.emit, event=event, payload=payload))

    async def update_job_status(
        self, job_id: str, status: str, result: Any = None, error: str | None = None
    ) -> Result[dict[str, Any]]:
        """Correct a task's status by hand: completed, failed, cancelled, paused or pending; a row of its history tells.

        Refused with `INVALID_STATE` while an execution runs.
        """
        correct = partial(commands.correct, task_id=job_id, status=status, result=result, error=error)
        return await self.change(correct)

    async def cleanup_completed_jobs(self) -> Result[dict[str, Any]]:
        """Delete ended executions and done one-time tasks that are older than the settings keep them."""
        return Result.success(await prune(self._database, self._clock, self._settings))

    async def get(self, task_id: str) -> Result[dict[str, Any]]:
        """Return a task."""
        return await self._read(lambda c: one_task(c, task_id))

    async def list_jobs(self, filters: Mapping[str, Any], *, limit: int, cursor: str | None) -> Result[dict[str, Any]]:
        """Return `{"tasks", "next_cursor"}`, newest first; the filters are those of `SchedulerService.list_tasks`."""
        return await self._read(partial(task_page, filters=filters, limit=limit, cursor=cursor))

    async def get_execution(self, execution_id: str) -> Result[dict[str, Any]]:
        """Return an execution."""
        return await self._read(lambda c: execution_view(commands.must_find_execution(c, execution_id)))

    async def executions(
        self, task_id: str | None = None, *, state: str | None = None, limit: int = 50, cursor: str | None = None
    ) -> Result[dict[str, Any]]:
        """Return `{"executions", "next_cursor"}`, newest first, of one task or of all."""
        read = partial(execution_page, task_id=task_id, state=state, limit=limit, cursor=cursor)
        return await self._read(read)

    async def change(self, work: Callable[[Connection, datetime], Any]) -> Result[Any]:
        """Run a transaction; a refusal raised within rolls it back and is the answer."""
        try:
            done = await self._write(work)
        except ResultError as refusal:
            return Result.error(refusal.error.code, refusal.error.message, refusal.error.details)
        self._wake()
        return Result.success(self._masked(done))

    async def _write(self, work: Callable[[Connection, datetime], T]) -> T:
        """Do it again where it surely was undone: the database was locked, or a key was taken in the meantime."""

        def told(c: Connection) -> T:
            done = work(c, self._clock.now())
            notify(c, CHANNEL, "")
            return done

        write = partial(self._database.write, told)
        patient = partial(until_it_passes, write, clock=SystemClock(), passes=_was_undone, patience=PATIENCE)
        try:
            return await patient()
        except IntegrityError as error:
            if not is_unique_violation(error):
                raise
            return await patient()  # what was not there when it was looked for is found the second time

    async def _read(self, work: Callable[[Connection], Any]) -> Result[Any]:
        try:
            return Result.success(self._masked(await self._database.read(work)))
        except ResultError as refusal:
            return Result.error(refusal.error.code, refusal.error.message, refusal.error.details)

    def _masked(self, shown: Any) -> Any:
        """Hide the secret parameters of every task that is shown."""
        tasks_shown = shown.get("tasks", [shown]) if isinstance(shown, dict) else []
        for task in tasks_shown:
            if "parameters" in task:
                task["parameters"] = self._planner.masked(task)
        return shown


def _is_new(plan: Plan, owner: Owner) -> bool:
    """Whether a plan can only mean a new task: it names none, and code's tasks are named by themselves."""
    config = plan.config
    return config.key is None and config.task_id is None and (config.owner or owner) == "runtime"


def _born(plan: Plan, task_id: str, key: str | None, owner: Owner, now: datetime) -> newborn.Newborn:
    has_identity = key is not None or plan.config.task_id is not None
    plan = (
        _identified(plan)
        if has_identity
        else Plan(plan.config, {**plan.what, "definition": "", "timing": ""}, plan.when)
    )
    status = Status.PAUSED if plan.config.paused else Status.PENDING
    values = {**plan.what, **plan.when, "id": task_id, "key": key, "owner": owner, "status": status}
    return newborn.newborn(values, now)


def _identified(plan: Plan) -> Plan:
    """Return the plan with digests of what it says, by which the same call at the next start is known again."""
    config = plan.config
    return Plan(config, {**plan.what, "definition": config.definition}, {**plan.when, "timing": config.timing})


def _says_otherwise(plan: Plan, row: Row[Any]) -> bool:
    if row.definition:
        return plan.config.definition != str(row.definition)
    return _says_another_time(plan, row) or any(value != getattr(row, name) for name, value in plan.what.items())


def _says_another_time(plan: Plan, row: Row[Any]) -> bool:
    if row.definition:
        return plan.config.timing != str(row.timing)
    return bool(plan.when["trigger"] != row.trigger)


def _created(plan: Plan, task_id: str) -> dict[str, Any]:
    return {"task_id": task_id, "created": True, "next_execution": plan.when["next_execution"]}


def _was_undone(error: BaseException) -> bool:
    """Whether a transaction failed for a passing reason and left nothing; a lost connection may have committed."""
    return is_transient(error) and not getattr(error, "connection_invalidated", False)


def _existing(c: Connection, config: TaskConfig, key: str | None) -> Row[Any] | None:
    """Return the task that a config means: the module's of this key, else of this id, if it is not somebody else's."""
    if key is not None and (of_key := tasks.lock_by_key(c, config.module_id, key)) is not None:
        return of_key
    of_id = None if config.task_id is None else tasks.lock(c, config.task_id)
    if of_id is not None and (of_id.module_id != config.module_id or key is not None):
        refuse("ALREADY_EXISTS", f"the id {of_id.id!r} is another task's", task_id=of_id.id)
    return of_id
