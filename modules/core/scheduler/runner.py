"""The runner: turns, repeated; between them it sleeps until the next due time or until something wakes it."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterable
from functools import partial

from framework.clock import new_id
from framework.context import AppContext
from framework.repeat import repeat
from modules.core.scheduler import process
from modules.core.scheduler.crew import Crew
from modules.core.scheduler.ending import Ending, release_node
from modules.core.scheduler.functions import FunctionRegistry
from modules.core.scheduler.heartbeat import Heartbeat
from modules.core.scheduler.recovery import Upkeep, upkeep
from modules.core.scheduler.settings import SchedulerSettings
from modules.core.scheduler.store import nodes
from modules.core.scheduler.turn import NodeLostError, Turned, Work, turn

log = logging.getLogger(__name__)
executions_log = logging.getLogger("modules.core.scheduler.executions")

LOOK_SECONDS = 1.0  # how often SQLite's version is looked at for what other processes wrote
CANCEL_SECONDS = 5.0  # how long a stop waits for what it has cancelled


class Runner:
    """Carries out executions on this node: one transaction a turn, at most `max_concurrent_tasks` at once."""

    def __init__(self, app_context: AppContext, functions: FunctionRegistry, settings: SchedulerSettings) -> None:
        self._app_context = app_context
        self._database = app_context.database
        self._clock = app_context.clock
        self._functions = functions
        self._settings = settings
        self._crew = Crew(app_context, functions, settings.execution_timeout.total_seconds(), self.wake)
        self._wake = asyncio.Event()
        self._loops: list[asyncio.Task[None]] = []
        self._node_id: str | None = None
        self._heartbeat: Heartbeat | None = None
        self._stopping = False
        self._seen_version: int | None = None
        self._next_upkeep = 0.0
        self._last_turn: float | None = None
        functions.on_change.append(self.wake)

    @property
    def node_id(self) -> str | None:
        """The id of this node while it is registered."""
        return self._node_id

    @property
    def is_looping(self) -> bool:
        """Whether it has been started and not stopped."""
        return bool(self._loops)

    @property
    def running(self) -> int:
        """How many executions this node carries out right now."""
        return len(self._crew)

    def seconds_since_turn(self) -> float | None:
        """Return how long ago the last turn ended well; None before the first."""
        return None if self._last_turn is None else self._clock.monotonic() - self._last_turn

    def wake(self) -> None:
        """Something may be due: do not sleep on."""
        self._wake.set()

    async def start(self) -> None:
        """Carry out executions in the background; a second call changes nothing."""
        if self._loops:
            return
        self._stopping = False
        turning = repeat(self._step, name="scheduler", clock=self._clock, wake=self._wake)
        self._loops = [asyncio.create_task(turning, name="scheduler")]
        if self._database.dialect == "sqlite" and not self._database.is_memory:
            looking = repeat(self._look, name="look at the database", clock=self._clock, wake=asyncio.Event())
            self._loops.append(asyncio.create_task(looking, name="scheduler look"))

    async def stop(self) -> None:
        """Stop claiming, let what runs finish, cancel the rest, and hand back what does not stop."""
        self._stopping = True
        await self._crew.wait_until_idle(self._clock, self._settings.shutdown_grace.total_seconds())
        self._crew.cancel_all()
        await self._crew.wait_until_idle(self._clock, CANCEL_SECONDS)
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        self._loops = []
        await self._leave()

    async def _leave(self) -> None:
        """Write the last endings and give up this node; if the database refuses, its lease runs out instead."""
        if self._node_id is None:
            return
        node_id = self._node_id
        try:
            if self._crew.has_endings:
                await self._turn()
            self._crew.abandon_all()
            await self._database.write(partial(release_node, node_id=node_id, now=self._clock.now()))
        except NodeLostError:
            log.warning("node %s was taken for dead before it stopped", node_id)
        except Exception:  # the boundary: a stop goes on, and recovery finds what was left open
            log.exception("node %s could not hand back its work; others find it by its lease", node_id)
        self._end_heartbeat()
        self._node_id = None

    def stop_now(self) -> None:
        """Hand back what runs without the event loop, through the heartbeat's connection: a last resort."""
        self._stopping = True
        heartbeat, node_id = self._heartbeat, self._node_id
        self._heartbeat = self._node_id = None
        if heartbeat is not None and node_id is not None:
            heartbeat.stop(partial(release_node, node_id=node_id, now=self._clock.now()))

    async def turn(self) -> bool:
        """Carry out one turn by hand; True when it ended, fired or claimed anything."""
        has_ended = self._crew.has_endings
        turned = await self._turn()
        return has_ended or turned.fired > 0 or bool(turned.claimed) or turned.more

    async def run_due(self) -> None:
        """Take turns until nothing is due and nothing runs: for tests, and for `chamberlain tick`."""
        self._next_upkeep = self._clock.monotonic()
        while await self.turn() or self._crew:
            await self._crew.wait_for_some()

    async def _step(self) -> float | None:
        return self._sleep_after(await self._turn())

    async def _look(self) -> float | None:
        """Wake the loop when the file has changed: what another process wrote is noticed without a poll."""
        version = await self._database.version()
        if version != self._seen_version:
            self._seen_version = version
            self.wake()
        return LOOK_SECONDS

    async def _turn(self) -> Turned:
        node_id = self._node_id or await self._register()
        now = self._clock.now()
        self._crew.expire(self._clock)
        await self._keep_up(node_id)
        endings = self._crew.take_endings()
        try:
            turned = await self._database.write(partial(turn, work=self._work(node_id, endings), now=now))
        except NodeLostError:
            self._lose_node(node_id)
            raise
        except BaseException:
            self._crew.give_back(endings)
            raise
        self._report(endings, turned.refused)
        self._crew.start(turned.claimed)
        self._crew.cancel(turned.to_cancel)
        self._last_turn = self._clock.monotonic()
        return turned

    def _work(self, node_id: str, endings: Iterable[Ending]) -> Work:
        return Work(
            node_id=node_id,
            session_id=self._app_context.session_id,
            lease=self._settings.lease,
            functions=self._functions.keys(),
            free=0 if self._stopping else self._settings.max_concurrent_tasks - len(self._crew),
            endings=tuple(endings),
            notes=self._crew.notes(),
        )

    async def _register(self) -> str:
        now, node_id = self._clock.now(), new_id()
        values = {
            "id": node_id,
            "host": process.host(),
            "pid": os.getpid(),
            "process_started": process.started(os.getpid()),
            "started_at": now,
            "lease_until": now + self._settings.lease,
        }
        await self._database.write(partial(nodes.register, values=values))
        loop = asyncio.get_running_loop()

        def on_lost() -> None:
            loop.call_soon_threadsafe(self._lose_node, node_id)

        self._heartbeat = Heartbeat(self._database, self._clock, node_id, self._settings.lease, on_lost)
        self._heartbeat.start()
        self._node_id = node_id
        self._next_upkeep = self._clock.monotonic()
        return node_id

    async def _keep_up(self, node_id: str) -> None:
        """Now and then, look for what dead nodes left and for rows whose function is missing."""
        if self._clock.monotonic() < self._next_upkeep:
            return
        work = Upkeep(node_id, self._functions.keys(), self._settings.crash_limit)
        there_is_more = await self._database.write(partial(upkeep, work=work, now=self._clock.now()))
        pause = 0.0 if there_is_more else self._settings.lease.total_seconds() / 4
        self._next_upkeep = self._clock.monotonic() + pause

    def _lose_node(self, node_id: str) -> None:
        """Others have taken this node for dead: stop what it runs, and go on under a new id."""
        if node_id != self._node_id:
            return
        log.warning("node %s was taken for dead; it stops what it runs and starts anew", self._node_id)
        self._crew.disown_all()
        self._end_heartbeat()
        self._node_id = None
        self.wake()

    def _end_heartbeat(self) -> None:
        heartbeat, self._heartbeat = self._heartbeat, None
        if heartbeat is not None:
            heartbeat.stop()

    def _report(self, endings: Iterable[Ending], refused: Iterable[str]) -> None:
        """Log one line for each ending, after it has been committed."""
        for ending in endings:
            ids = {"execution": ending.id}
            if ending.id in refused:
                executions_log.warning("%s: its ending was refused, another node has it", ending.name, extra=ids)
                continue
            seconds, outcome = ending.seconds, ending.outcome
            detail = f": {outcome.error}" if outcome.error else ""
            executions_log.info("%s %s in %.3f s%s", ending.name, outcome.state, seconds, detail, extra=ids)

    def _sleep_after(self, turned: Turned) -> float:
        """Return how long nothing needs this node, in seconds."""
        if turned.more or self._crew.has_endings:
            return 0
        moment = self._clock.monotonic()
        waits = [self._settings.poll_interval.total_seconds(), self._next_upkeep - moment]
        if turned.next_due is not None:
            waits.append((turned.next_due - self._clock.now()).total_seconds())
        deadline = self._crew.next_deadline()
        if deadline is not None:
            waits.append(deadline - moment)
        return max(min(waits), 0)
