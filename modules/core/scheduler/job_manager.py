"""JobManager: tasks and their executions, created, changed, asked for and corrected."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from framework.audit import Deed
from framework.clock import Clock
from framework.database import (
    Database,
    Joinable,
    Joining,
    OtherDatabaseError,
    is_unique_violation,
    notify,
)
from framework.result import Result, ResultError
from modules.core.scheduler import chaining, commands, creating, emitting, expecting, tracing
from modules.core.scheduler.alike import Plan
from modules.core.scheduler.arrivals import Arrivals
from modules.core.scheduler.auditing import Auditor, Telling
from modules.core.scheduler.creating import RUNTIME, Owner
from modules.core.scheduler.history import prune
from modules.core.scheduler.pages import execution_page, one_task, task_page
from modules.core.scheduler.patience import patiently, was_undone
from modules.core.scheduler.planning import Planner, says_when
from modules.core.scheduler.reconciling import RollCall
from modules.core.scheduler.refusing import refuse
from modules.core.scheduler.settings import SchedulerSettings
from modules.core.scheduler.tables import CHANNEL
from modules.core.scheduler.task import Status, TaskConfig
from modules.core.scheduler.views import execution_view, shown_task

T = TypeVar("T")
Answer = Result[dict[str, Any]]
Created = Result[list[dict[str, Any]]]


class JobManager:
    """Tasks and their executions. Methods that touch the database are async and return a Result.

    `wake` is called after each change that may make something due.
    """

    def __init__(
        self, database: Database, clock: Clock, planner: Planner, settings: SchedulerSettings, wake: Callable[[], None]
    ) -> None:
        self._database, self._clock = database, clock
        self.planner, self._settings = planner, settings
        self._wake = wake
        self._joining = Joining(database, wake)
        self._arrivals = Arrivals(database, clock, self._joining, wake)
        self.auditor = Auditor(clock, planner.masked)
        self.roll = RollCall()

    async def create_job(
        self,
        name: str,
        function_name: str,
        parameters: Mapping[str, Any] | None = None,
        schedule_info: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Schedule a task; `schedule_info` holds the other config keys, `module_id` among them."""
        config = {**(schedule_info or {}), "name": name, "function_name": function_name}
        return (await self.create([config | {"parameters": dict(parameters or {})}])).map(lambda tasks: tasks[0])

    async def create(
        self,
        configs: Sequence[TaskConfig | Mapping[str, Any]],
        *,
        owner: Owner = RUNTIME,
        session: Joinable | None = None,
    ) -> Created:
        """Schedule tasks, all or none: `{"task_id", "created", "next_execution"}` for each.

        In a transaction of their own, or in that of the `session`.
        """
        plans: list[Plan] = []
        for number, config in enumerate(configs):
            planned = self.planner.plan(config, alike=owner == RUNTIME)
            if planned.error is not None:
                self.roll.refused(owner)
                details = {**(planned.error.details or {}), "index": number}
                return Result.error(planned.error.code, planned.error.message, details)
            plans.append(planned.data)
        with tracing.sending([plan.what["queue"] for plan in plans]) as tell:
            return tell(await self._store(plans, owner, session))

    async def _store(self, plans: Sequence[Plan], owner: Owner, session: Joinable | None) -> Created:
        if self.auditor.listens or not all(creating.is_new(plan, owner) for plan in plans):
            asked = partial(creating.put_asked, by=self.auditor, outside=self.planner.outside)
            return self.roll.answered(owner, await self.change(partial(asked, plans=plans, owner=owner), session))
        if session is not None:
            return await self.change(partial(creating.insert_new, plans=plans), session)
        return Result.success(await self._arrivals.store(plans))

    async def update(self, task_id: str, changes: Mapping[str, Any]) -> Answer:
        """Change some fields of a task; what the code declares still counts as the same definition afterwards."""

        def work(c: Connection, now: datetime) -> dict[str, Any]:
            row = commands.must_find(c, task_id)
            if row.status == Status.CANCELLED and says_when(changes):
                refuse("INVALID_STATE", "the task is cancelled; schedule it anew", status=row.status)
            plan = self.planner.plan_change(row, changes).unwrap()
            creating.rewrite(c, row, plan, now, new_time=says_when(changes))
            chaining.check(c, task_id, must_exist=says_when(changes))
            return shown_task(c, commands.must_find(c, task_id))

        return await self.change(work, deed=Deed("update", "task", task_id))

    async def pause(self, task_id: str, reason: str | None = None) -> Answer:
        """Hold a task's occurrences, pending executions and retries; what runs finishes."""
        pause = partial(commands.pause, task_id=task_id, reason=reason)
        return await self.change(pause, deed=Deed("pause", "task", task_id))

    async def resume(self, task_id: str) -> Answer:
        """Let a paused task go on from now."""
        return await self.change(partial(commands.resume, task_id=task_id), deed=Deed("resume", "task", task_id))

    async def cancel(self, task_id: str, *, cancel_running: bool = False) -> Answer:
        """End a task for good; its history stays. What runs finishes unless `cancel_running`."""
        cancel = partial(commands.cancel, task_id=task_id, cancel_running=cancel_running)
        return await self.change(cancel, deed=Deed("cancel", "task", task_id))

    async def execute_job(self, job_id: str, *, force: bool = False, session: Joinable | None = None) -> Answer:
        """Run a task now, beside its schedule, with `force` beside itself: `{"execution_id", "status": "running"}`."""
        run, deed = partial(commands.run_now, task_id=job_id, force=force), Deed("run", "task", job_id)
        return await self.change(run, session, deed=deed, telling=lambda told: {"execution_id": told["execution_id"]})

    async def cancel_execution(self, execution_id: str) -> Answer:
        """End one execution: a pending one at once, a running one by asking its function to stop."""
        cancel = partial(commands.cancel_execution, execution_id=execution_id)
        return await self.change(cancel, deed=Deed("cancel", "execution", execution_id))

    async def emit(
        self, event: str, payload: Mapping[str, Any] | None = None, *, session: Joinable | None = None
    ) -> Result[int]:
        """Set off every task that waits for this event; return how many."""
        emit, deed = partial(emitting.emit, event=event, payload=payload), Deed("emit", "event", event)
        return await self.change(emit, session, deed=deed, telling=lambda number: {"tasks": number})

    async def update_job_status(self, job_id: str, status: str, result: Any = None, error: str | None = None) -> Answer:
        """Correct a task's status by hand: completed, failed, cancelled, paused or pending; a row of its history tells.

        Refused with `INVALID_STATE` while an execution runs.
        """
        correct = partial(commands.correct, task_id=job_id, status=status, result=result, error=error)
        return await self.change(correct, deed=Deed("correct", "task", job_id))

    async def cleanup_completed_jobs(self) -> Answer:
        """Delete ended executions and done one-time tasks that are older than the settings keep them."""
        try:
            return Result.success(await prune(self._database, self._clock, self._settings))
        except ResultError as refusal:
            return Result(error=refusal.error)

    async def get(self, task_id: str) -> Answer:
        """Return a task."""
        return await self._read(lambda c: one_task(c, task_id))

    async def list_jobs(self, filters: Mapping[str, Any], *, limit: int, cursor: str | None) -> Answer:
        """Return `{"tasks", "next_cursor"}`, newest first; the filters are those of `SchedulerService.list_tasks`."""
        return await self._read(partial(task_page, filters=filters, limit=limit, cursor=cursor))

    async def get_execution(self, execution_id: str) -> Answer:
        """Return an execution."""
        return await self._read(lambda c: execution_view(commands.must_find_execution(c, execution_id)))

    async def get_executions(
        self,
        task_id: str | None = None,
        *,
        state: str | None = None,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        module_id: str | None = None,
        last_only: bool = False,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Answer:
        """Return `{"executions", "next_cursor"}`, newest first; with `last_only` the last attempt of each occurrence.

        `since` and `until`, which does not count, choose by when they ended: datetimes or ISO 8601 text. Where few of
        many fit, a page goes through 10,000 and may have less than `limit`, none even; the cursor leads on.
        """
        which: Any = {"event_id": task_id, "state": state, "since": since, "until": until}
        which |= {"module_id": module_id, "is_last": last_only}
        read = partial(execution_page, which=which, zone=self.planner.timezone, limit=limit, cursor=cursor)
        return await self._read(read)

    async def change(
        self,
        work: Callable[[Connection, datetime], Any],
        session: Joinable | None = None,
        *,
        deed: Deed | None = None,
        telling: Telling[Any] | None = None,
    ) -> Result[Any]:
        """Run a transaction, or a part of the session's; a refusal raised within undoes it and is the answer.

        An operator's is a `deed`, which is written down in it: `Auditor.beside`.
        """
        told = partial(self._told, work if deed is None else self.auditor.beside(work, deed, telling))
        try:
            done = await (self._write(told) if session is None else self._joining.write(session, told))
        except ResultError as refusal:
            return Result.error(refusal.error.code, refusal.error.message, refusal.error.details)
        except OtherDatabaseError as error:
            return Result.error("OTHER_DATABASE", str(error))
        if session is None:
            self._wake()
        return Result.success(self._masked(done))

    def _told(self, work: Callable[[Connection, datetime], T], c: Connection) -> T:
        """Do the work, and let the other nodes hear of it when it is committed."""
        expecting.check(c)
        done = work(c, self._clock.now())
        notify(c, CHANNEL, "")
        return done

    async def _write(self, work: Callable[[Connection], T]) -> T:
        """Do it again where it surely was undone: the database was locked, or a key was taken in the meantime."""
        self._joining.refuse_waiting()
        write = partial(self._database.write, work)
        try:
            return await patiently(write, passes=was_undone)
        except IntegrityError as error:
            if not is_unique_violation(error):
                raise
            return await patiently(write, passes=was_undone)  # what was not there is found the second time

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
                task["parameters"] = self.planner.masked(task)
        return shown
