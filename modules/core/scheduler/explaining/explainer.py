"""Why did it run, why not, what does it wait for? Answered from the rows, in one transaction that only reads."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row

from framework.context import AppContext
from framework.result import Result, ResultError
from modules.core.scheduler.bounded_text import MAX_ID, storable
from modules.core.scheduler.execution import State
from modules.core.scheduler.explaining.asked import Asked, read_asked
from modules.core.scheduler.explaining.facts import Bounds, Facts, facts_of
from modules.core.scheduler.explaining.outcomes import explain_row
from modules.core.scheduler.explaining.past import explain_past, explain_put_off, explain_recorded
from modules.core.scheduler.explaining.present import explain_present, explain_waiting
from modules.core.scheduler.explaining.schedule import explain_future
from modules.core.scheduler.explaining.words import Explanation
from modules.core.scheduler.policies import Policies, policies_of
from modules.core.scheduler.refusing import refuse
from modules.core.scheduler.settings import SchedulerSettings
from modules.core.scheduler.store import executions, tasks
from modules.core.scheduler.trigger import TriggerError

Answer = Result[dict[str, Any]]
NOT_THEN = ("task", "schedule", "window")  # gates that are closed where the task was not there, or had no time


class Explainer:
    """Explains tasks and executions. Methods are async and return a Result.

    `{"task_id", "task_name", "answer", "verdict", "blocked_by", "gates"}`: `answer` in one word, `verdict` in a
    sentence; `gates` in order, each `{"gate", "passes", "text", "details"}`, where `passes` is None for what does not
    apply or is not recorded; `blocked_by` names the one that decides.
    """

    def __init__(self, app_context: AppContext, settings: SchedulerSettings) -> None:
        self._app_context = app_context
        self._bounds = Bounds(
            everywhere=settings.max_concurrent_everywhere,
            crash_limit=settings.crash_limit,
            history=settings.keep_execution_history,
            lease=settings.lease,
        )

    async def explain(self, task_id: str, *, at: datetime | str | None = None) -> Answer:
        """Say why a task runs, waits or does not run; with `at`, why it did or did not, or whether it will then.

        `at` is a datetime or ISO 8601 text, read in the task's zone where it has no offset; one without seconds means
        that minute. `TASK_NOT_FOUND`; `INVALID_MOMENT` where `at` is no moment.
        """
        return await self._read(partial(self._explain_task, task_id=task_id, at=at))

    async def explain_execution(self, execution_id: str) -> Answer:
        """Say what an execution waits for, where it runs, how it came out, or why it did not run.

        The same with its `execution_id`; `EXECUTION_NOT_FOUND` where there is none.
        """
        return await self._read(partial(self._explain_execution, execution_id=execution_id))

    async def _read(self, work: Any) -> Answer:
        try:
            return Result.success(await self._app_context.database.read(work))
        except ResultError as refused:
            return Result.error(refused.error.code, refused.error.message, refused.error.details)

    def _explain_task(self, c: Connection, task_id: str, at: datetime | str | None) -> dict[str, Any]:
        task = tasks.find(c, storable(task_id, MAX_ID))
        if task is None:
            refuse("TASK_NOT_FOUND", f"there is no task {task_id!r}")
        facts = self._facts(c, task)
        if at is None:
            return _shown(task, explain_present(c, facts)) | {"at": None}
        asked = _asked(at, facts)
        return _shown(task, _explain_at(c, facts, asked)) | {"at": asked.moment}

    def _explain_execution(self, c: Connection, execution_id: str) -> dict[str, Any]:
        row = executions.find(c, storable(execution_id, MAX_ID))
        task = None if row is None else tasks.find(c, row.event_id)
        if row is None or task is None:
            refuse("EXECUTION_NOT_FOUND", f"there is no execution {execution_id!r}")
        facts = self._facts(c, task)
        waits = row.state == State.PENDING
        explained = explain_waiting(c, facts, row) if waits else explain_row(c, facts, row)
        return _shown(task, explained) | {"execution_id": row.id}

    def _facts(self, c: Connection, task: Row[Any]) -> Facts:
        return facts_of(c, task, _policies(task), self._app_context.clock.now(), self._bounds)


def _explain_at(c: Connection, facts: Facts, asked: Asked) -> Explanation:
    """Explain a moment; of a time that the clock shows twice, the pass in which the task has a time."""
    found, again = _explain_pass(c, facts, asked), asked.second_pass()
    if again is None or found.blocked_by not in NOT_THEN:
        return found
    second = _explain_pass(c, facts, again)
    return found if second.blocked_by in NOT_THEN else second


def _explain_pass(c: Connection, facts: Facts, asked: Asked) -> Explanation:
    if asked.moment <= facts.now:
        return explain_past(c, facts, asked)
    waits = explain_recorded(c, facts, asked) or explain_put_off(c, facts, asked)
    return waits or explain_future(facts, asked)


def _policies(task: Row[Any]) -> Policies:
    try:
        return policies_of(task.policies)
    except ValueError:  # damaged; the next firing sets the task aside, and until then no policy can be named
        return Policies()


def _asked(at: datetime | str, facts: Facts) -> Asked:
    try:
        return read_asked(at, facts.words.zone.key, facts.now)
    except TriggerError as error:
        refuse("INVALID_MOMENT", str(error))


def _shown(task: Row[Any], explained: Explanation) -> dict[str, Any]:
    return {"task_id": task.id, "task_name": task.name, **explained.to_dict()}
