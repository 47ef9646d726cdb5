"""Carrying out one execution: from a claimed row to its ending, whatever the function does."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Row

from framework import strict_json
from framework.context import AppContext
from framework.database import Joinable
from framework.logging import log_ids
from modules.core.scheduler import tracing
from modules.core.scheduler.completing import complete, success_with
from modules.core.scheduler.contexts import context_of, parameters_of
from modules.core.scheduler.ending import Completion, Ending, as_timed_out, may_repeat
from modules.core.scheduler.execution import (
    ExecutionCancelled,
    ExecutionLost,
    Outcome,
    Reason,
    State,
    outcome_of_exception,
    outcome_of_value,
)
from modules.core.scheduler.executors import Executors
from modules.core.scheduler.functions import RegisteredFunction
from modules.core.scheduler.invoke import invoke
from modules.core.scheduler.journal import Journal, Line, write_to
from modules.core.scheduler.policies import Policies, policies_of
from modules.core.scheduler.store.executions import ASIDE
from modules.core.scheduler.store.notes import Note


class Carrying:
    """One execution that this node runs. It ends by its own doing; others can only ask it to stop.

    `limit` is its time limit in seconds, `deadline` the monotonic moment at which its time is up. Once `disowned`, its
    ending is not written: somebody else accounts for it. `noted` is what was last written about it. `delay` is how many
    seconds after its time it started, where its time was not put off on purpose.
    """

    def __init__(
        self,
        row: Row[Any],
        function: RegisteredFunction,
        app_context: AppContext,
        executors: Executors,
        journal: Journal,
    ) -> None:
        self._clock, self._database = app_context.clock, app_context.database
        self.id: str = row.id
        self.name: str = row.name
        self.queue: str = row.queue
        self.crashes: int = row.crashes
        self.limit = 0.0
        self.delay: float | None = None
        self.deadline = math.inf
        self.timed_out_at: datetime | None = None
        self.disowned = False
        self.task: asyncio.Task[Outcome] | None = None
        self.ending: Ending | None = None
        self._row = row
        self._started = 0.0
        self._function = function
        self._executors = executors
        self._executor: str | None = None
        self._asked: asyncio.Event | None = None
        self._context = context_of(row, function, app_context)
        self._context.completes = self._complete
        self.is_traced = False
        self.journal = self._context.journal = journal
        self._completion: Completion | None = None
        self.noted: Note | None = None
        self._reason: Reason | None = None
        self._stop_reasons: list[Reason] = []

    def start(self, *, started: datetime, default_timeout: float, on_end: Callable[[Carrying], None]) -> None:
        """Start the function of a row claimed at a moment, as who acts here; `on_end` is called once, when it ends."""
        self._started_at = started
        policies = self._policies()
        self.limit = policies.timeout or default_timeout
        self._pings = policies.ping_url, policies.ping_failure_url
        if self._row.attempt == 1 and not policies.jitter and self._row.origin not in ASIDE:
            self.delay = (started - self._context.scheduled_for).total_seconds()
        self._executor = policies.executor
        if self._executors.remote(self._executor) is not None:
            self._asked = asyncio.Event()
        self._started = self._clock.monotonic()
        self.deadline = self._started + self.limit
        self.task = asyncio.create_task(self._carry_out(), name=f"execution {self.id}")
        self.task.add_done_callback(lambda task: self._ended(task, on_end))
        if self._stop_reasons:  # asked to stop while it waited to be started
            self.task.cancel()

    def stop(self, reason: Reason) -> None:
        """Ask the function to stop: a coroutine is cancelled, a thread sees it, other processes are told.

        Once for each reason, or a coroutine that cleans up would be cancelled in the midst of it. The first one counts.
        """
        if reason in self._stop_reasons:
            return
        self._stop_reasons.append(reason)
        self._context.cancel()
        if self._asked is not None:
            self._asked.set()
        elif self.task is not None and not self._context.in_thread:
            self.task.cancel()

    def abandon(self) -> None:
        """Stop waiting, also for a thread; a process is killed."""
        self.stop(Reason.SHUTDOWN)
        if self.task is not None:
            self.task.cancel()

    def time_out(self, now: datetime) -> None:
        """Its time is up; it counts as timed out as soon as it has ended."""
        self.timed_out_at = now
        self.stop(Reason.TIMEOUT)

    def disown(self) -> None:
        """Another node has taken it over: it is told to stop, and its ending is not written."""
        self.disowned = True
        self.stop(Reason.NODE_LOST)

    def note(self) -> Note:
        """Return what there is to write about it while it runs."""
        reason = None if self.timed_out_at is None else Reason.TIMEOUT
        return Note(self.id, self._progress(), self.timed_out_at, reason)

    @property
    def is_completing(self) -> bool:
        """Whether its function has begun to complete it: its row may be locked, or ended, or neither."""
        return self._completion is not None

    @property
    def _stop_reason(self) -> Reason | None:
        return self._stop_reasons[0] if self._stop_reasons else None

    def _policies(self) -> Policies:
        try:
            return policies_of(self._row.policies)
        except ValueError:  # damaged since it fired; the next firing sets the task aside
            return Policies()

    def _ended(self, task: asyncio.Task[Outcome], on_end: Callable[[Carrying], None]) -> None:
        """Keep how it ended; a task that was cancelled may not even have begun."""
        if task.cancelled():
            outcome = Outcome(State.CANCELLED, error=f"stopped: {self._stop_reason}", retry=False)
        else:
            outcome = task.result()
        self.ending = self._end(outcome)
        self._context.completes = self.task = None  # circles that only the garbage collector would find
        on_end(self)

    async def _carry_out(self) -> Outcome:
        write_to(self.journal)
        with log_ids(execution=self.id, task=self._row.event_id):
            if not self.is_traced:
                return await self._outcome()
            return await tracing.processing(self._row, self._outcome, lambda: self._stop_reason)

    async def _outcome(self) -> Outcome:
        try:
            parameters = parameters_of(self._row.parameters)
            if self._row.payload is not None:
                self._context.payload = strict_json.loads(self._row.payload)
        except strict_json.JsonError as error:
            self._reason = Reason.CORRUPT_PARAMETERS
            return Outcome(State.FAILED, error=f"the stored parameters cannot be read: {error}", retry=False)
        if not self._function.secret:
            return await self._call(parameters)
        scrubbed = self.journal.scrub = partial(self._function.scrubbed, parameters=parameters)
        outcome = await self._call(parameters)
        return replace(outcome, error=scrubbed(outcome.error), traceback=scrubbed(outcome.traceback))

    async def _call(self, parameters: Any) -> Outcome:
        try:
            if self._executor is not None:
                return await self._call_there(parameters, self._executor)
            return outcome_of_value(await invoke(self._function, parameters, self._context))
        except asyncio.CancelledError as error:
            if self._stop_reason is not None:
                raise
            return outcome_of_exception(error)
        except ExecutionLost as error:  # where nobody has taken it over after all, it runs again
            self._reason = Reason.NODE_LOST
            return outcome_of_exception(error)
        except BaseException as error:  # noqa: BLE001  # the boundary: whatever foreign code raises is its own failure
            return outcome_of_exception(error)

    async def _call_there(self, parameters: Any, executor: str) -> Outcome:
        """Call the function where its task wants it; what could be at scheduling may have changed since."""
        problem = self._executors.problem(executor, self._function)
        if problem is not None:
            return Outcome(State.FAILED, error=f"executor {executor!r}: {problem}", error_type="Executor", retry=False)
        remote = self._executors.remote(executor)
        if remote is None or self._asked is None:
            return outcome_of_value(await invoke(self._function, parameters, self._context))
        if self._function.arguments.as_given:  # the model that checks them is known here alone
            self._function.arguments.build(parameters, None)
        return await remote.run(self._function, parameters, self._context, self._asked)

    def _end(self, outcome: Outcome) -> Ending:
        reason, seconds = self._reason or outcome.reason, self._clock.monotonic() - self._started
        if self.timed_out_at is not None:
            retry = outcome.retry or outcome.state == State.CANCELLED  # it stopped because its time was up
            outcome, reason = replace(as_timed_out(outcome, self.limit), retry=retry), Reason.TIMEOUT
        elif self._stop_reason is not None and outcome.state in (State.CANCELLED, State.FAILED):
            outcome = replace(outcome, state=State.CANCELLED, retry=False, retry_after=None)
            reason = self._stop_reason
        return self._ending(outcome, reason, seconds, self._completion, self.journal.close())

    def _complete(self, session: Joinable, result: object) -> Awaitable[None] | None:
        """Write a success in the transaction of the function's session."""
        if self.timed_out_at is not None:
            raise ExecutionCancelled(f"the time of execution {self.id} is up: it counts as timed out")
        ending = self._ending(success_with(result), None, self._clock.monotonic() - self._started)
        self._completion = Completion()
        try:
            return complete(session, ending, self._database, self._clock)
        except BaseException:
            self._completion = None
            raise

    def _ending(
        self,
        outcome: Outcome,
        reason: Reason | None,
        seconds: float,
        completion: Completion | None = None,
        lines: Sequence[Line] = (),
    ) -> Ending:
        row, again = self._row, may_repeat(self._row, outcome, reason)
        told = (self._progress(), seconds, self._started_at, again, row.module_id, completion, lines)
        return Ending(self.id, row.event_id, row.name, outcome, reason, *told, row.function_key, self._pings)

    def _progress(self) -> str | None:
        latest = self._context.latest_progress
        if latest is not None and self.journal.scrub is not None:
            latest = replace(latest, message=self.journal.scrub(latest.message) or "")
        return None if latest is None else latest.to_json()
