"""The process executor: each function in a process of its own, which can be killed; a few are kept ready."""

from __future__ import annotations

import asyncio

from framework.clock import Clock
from modules.core.scheduler.execution import ExecutionContext, Outcome, State
from modules.core.scheduler.executors.address import NotFoundElsewhere, address_of
from modules.core.scheduler.executors.call import Call
from modules.core.scheduler.executors.remote import stopped
from modules.core.scheduler.executors.worker import PROCESS_DIED, Worker
from modules.core.scheduler.functions import RegisteredFunction
from modules.core.scheduler.settings import SchedulerSettings


class ProcessExecutor:
    """Carries out functions in processes that inherit nothing; one that does not stop is killed."""

    def __init__(self, clock: Clock, settings: SchedulerSettings) -> None:
        self._clock = clock
        self.grace = settings.process_grace.total_seconds()
        self._most_idle = settings.processes_kept
        self._memory_limit = settings.process_memory_limit
        self._workers: set[Worker] = set()
        self._idle: list[Worker] = []

    @property
    def is_busy(self) -> bool:
        """Whether a function runs."""
        return len(self._workers) > len(self._idle)

    def problem(self, function: RegisteredFunction) -> str | None:
        """Return why this function cannot run in a process of its own, None when it can."""
        try:
            address_of(function.callable)
        except NotFoundElsewhere as error:
            return str(error)
        return None

    async def run(
        self, function: RegisteredFunction, parameters: object, context: ExecutionContext, asked: asyncio.Event
    ) -> Outcome:
        """Carry out the function; once `asked` is set it is asked to stop, and killed after the grace.

        Cancelling kills it at once.
        """
        call = Call.of(function, parameters, context)
        while not asked.is_set():
            try:
                worker = await self._take()
            except OSError as error:
                return Outcome(State.FAILED, error=f"no process could be started: {error}", error_type=PROCESS_DIED)
            was_fresh = worker.is_fresh
            try:
                outcome = await self._see_through(worker, call, context, asked)
            except BaseException:
                worker.kill()
                raise
            if worker.has_begun or was_fresh:
                await self._put_back(worker)
                return outcome
            await self._end(worker)  # one that was kept had died before it could begin: the next one does it
        return stopped()

    async def _see_through(
        self, worker: Worker, call: Call, context: ExecutionContext, asked: asyncio.Event
    ) -> Outcome:
        ended = asyncio.Event()
        carrying = asyncio.ensure_future(worker.carry_out(call, context, self._memory_limit))
        carrying.add_done_callback(lambda _: ended.set())
        asking = asyncio.ensure_future(asked.wait())
        try:
            await asyncio.wait({carrying, asking}, return_when=asyncio.FIRST_COMPLETED)
            if carrying.done():
                return carrying.result()
            await worker.ask_to_stop()
            if await self._clock.wait(ended, self.grace):
                return carrying.result()
            worker.kill()
            if (outcome := await carrying).error_type != PROCESS_DIED:  # it came out at the last moment
                return outcome
            killed = f"it did not stop within {self.grace:g} s and was killed"
            return worker.measured(Outcome(State.FAILED, error=killed, error_type="ProcessKilled"))
        finally:
            for each in (carrying, asking):
                each.cancel()
            await asyncio.wait({carrying, asking})

    async def _take(self) -> Worker:
        while self._idle:
            worker = self._idle.pop()
            if worker.is_alive:
                return worker
            await self._end(worker)
        worker = await Worker.start()
        self._workers.add(worker)
        return worker

    async def _put_back(self, worker: Worker) -> None:
        if worker.is_reusable and worker.is_alive and len(self._idle) < self._most_idle:
            self._idle.append(worker)
        else:
            await self._end(worker)

    async def _end(self, worker: Worker) -> None:
        await worker.end()
        self._workers.discard(worker)

    async def close(self) -> None:
        """End every process."""
        self._idle.clear()
        await asyncio.gather(*(self._end(worker) for worker in list(self._workers)))

    def stop_now(self) -> None:
        """Kill every process, without an event loop."""
        for worker in self._workers:
            worker.kill()
