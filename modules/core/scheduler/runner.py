"""The runner: turns, repeated; between them it sleeps until the next due time or until something wakes it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from framework.context import AppContext
from framework.database import is_transient
from framework.repeat import repeat
from modules.core.scheduler.crew import Crew
from modules.core.scheduler.ending import Ending, log_endings
from modules.core.scheduler.executors import Executors
from modules.core.scheduler.functions import FunctionRegistry
from modules.core.scheduler.heads import Heads
from modules.core.scheduler.listeners import Listeners
from modules.core.scheduler.membership import Membership, profile_of
from modules.core.scheduler.recovery import Upkeep, upkeep
from modules.core.scheduler.rooms import Rooms
from modules.core.scheduler.settings import SchedulerSettings
from modules.core.scheduler.tally import Tally
from modules.core.scheduler.turn import NOTHING_AS_NODE_IS_LOST, NodeLostError, Turned, Work, turn
from modules.core.scheduler.waking import watching

log = logging.getLogger(__name__)

CANCEL_SECONDS = 1.5  # how long a stop waits for what it has cancelled, where no process has a grace of its own


class Runner:
    """Carries out executions on this node, one transaction a turn; its `settings` may be replaced meanwhile."""

    def __init__(
        self, app_context: AppContext, functions: FunctionRegistry, settings: SchedulerSettings, executors: Executors
    ) -> None:
        self._app_context = app_context
        self._database, self._clock = app_context.database, app_context.clock
        self.listeners = Listeners(app_context)
        self._functions, self._executors, self.settings = functions, executors, settings
        self.tally = Tally(settings.metrics_tasks)
        self._rooms, self._heads = Rooms(), Heads(self._clock.monotonic)
        self.after_turn: list[Callable[[Turned, Work], None]] = [self.tally.turned, self._rooms.turned]
        self._crew = Crew(app_context, functions, executors, settings, self.wake, self.tally)
        self._wake, self._turning = asyncio.Event(), asyncio.Lock()
        self._loops: list[asyncio.Task[None]] = []
        self._node = Membership(self._database, self._clock, settings.lease, self._lose_node)
        self._stopping = self._careful = False
        self._next_upkeep, self._ended = 0.0, 0
        self._last_turn: float | None = None
        functions.on_change.append(self._functions_changed)

    @property
    def node_id(self) -> str | None:
        """The id of this node while it is registered."""
        return self._node.id

    @property
    def is_looping(self) -> bool:
        """Whether it has been started and not stopped."""
        return bool(self._loops)

    @property
    def running(self) -> int:
        """How many executions this node carries out right now."""
        return len(self._crew)

    def seconds_since_turn(self) -> float | None:
        """Return how long ago the last turn ended well, or the loop began; None before either."""
        return None if self._last_turn is None else self._clock.monotonic() - self._last_turn

    def wake(self) -> None:
        """Something may be due: do not sleep on."""
        self._wake.set()

    def _functions_changed(self) -> None:
        self._next_upkeep = 0.0
        self.wake()

    async def start(self) -> None:
        """Carry out executions in the background; a second call changes nothing."""
        if self._loops:
            return
        self._stopping = False
        self._last_turn = self._clock.monotonic()
        turning = repeat(self._step, name="scheduler", clock=self._clock, wake=self._wake, passes=is_transient)
        self._loops = [asyncio.create_task(turning, name="scheduler")]
        for watcher in watching(self._database, self._clock, self.wake, notify=self.settings.notify):
            self._loops.append(asyncio.create_task(watcher, name="scheduler watcher"))

    async def stop(self) -> None:
        """Stop claiming, let what runs finish, cancel the rest, hand back what does not stop; may be called again."""
        if not self._loops and self._node.id is None:
            return
        grace = 0.0 if self._stopping else self.settings.shutdown_grace.total_seconds()
        self._stopping = True
        async with self._turning:
            pass  # what the turn under way claims is waited for, too
        await self._crew.wait_until_idle(self._clock, grace)
        self._crew.cancel_all()
        await self._crew.wait_until_idle(self._clock, max(CANCEL_SECONDS, self._executors.grace))
        async with self._turning:
            for loop in self._loops:
                loop.cancel()
            await asyncio.gather(*self._loops, return_exceptions=True)
        self._loops = []
        await self._leave()

    async def _leave(self) -> None:
        """Write the last endings and give up this node; if the database refuses, its lease runs out instead."""
        self._crew.abandon_all()
        try:
            if self._crew.has_endings:
                await self._turn()
        except Exception:  # the boundary: a stop goes on, and what was not written is done again
            log.exception("the last endings could not be written")
        try:
            if (node_id := self._node.id) is not None:
                await self._database.write(self._node.last_words(node_id))
        except Exception:  # the boundary: a stop goes on, and recovery finds what was left open
            log.exception("node %s could not hand back its work; others find it by its lease", self._node.id)
        self._node.end()

    def stop_now(self) -> None:
        """Hand back what runs without the event loop, through the heartbeat's connection: a last resort."""
        self._stopping = True
        self._node.release_now()

    async def turn(self) -> bool:
        """Carry out one turn by hand; True when it ended, fired or claimed anything."""
        self._heads.forget()
        has_ended, turned = self._crew.has_endings, await self._turn()
        return has_ended or turned.did_anything

    async def run_due(self, horizon: datetime | None = None) -> int:
        """Take turns until nothing is due (up to the horizon) and nothing runs; return how many executions ended."""
        ended, self._next_upkeep = self._ended, self._clock.monotonic()
        while True:
            self._wake.clear()
            self._heads.forget()
            turned = await self._turn(horizon)
            if self._crew:
                await self._clock.wait(self._wake, self._sleep_after(turned))
            elif not (self._crew.has_endings or turned.did_anything):
                return self._ended - ended

    async def _step(self) -> float | None:
        return self._sleep_after(await self._turn())

    async def _turn(self, horizon: datetime | None = None) -> Turned:
        async with self._turning:
            try:
                turned = await self._turn_as(self._node.id or await self._join(), horizon)
            except Exception as error:
                self._careful = not is_transient(error)
                raise
            self._careful = False
            return turned

    async def _join(self) -> str:
        self._next_upkeep = self._clock.monotonic()
        return await self._node.join()

    async def _turn_as(self, node_id: str, horizon: datetime | None) -> Turned:
        self._crew.expire(self._clock)
        await self._keep_up(node_id)
        endings = self._crew.take_endings()
        try:
            return await self._write(self._work(node_id, endings, horizon))
        except NodeLostError:
            self._node.lose(node_id)
            log_endings(endings, refused=[ending.id for ending in endings])
            return NOTHING_AS_NODE_IS_LOST
        except BaseException:
            self._crew.give_back(endings)
            raise

    async def _write(self, work: Work) -> Turned:
        turned = await self._database.write(partial(turn, work=work, now=self._clock.now()))
        self._last_turn = self._clock.monotonic()
        self._ended += len(work.endings) - len(turned.refused)
        log_endings(work.endings, turned.refused)
        for told in self.after_turn:
            told(turned, work)
        if self.listeners:
            self.listeners.turned(turned, work, is_mine=work.node_id == self._node.id)
        self._crew.noted(work.told)
        if work.node_id == self._node.id:  # else the heartbeat has lost it meanwhile, and all this with it
            self._node.draining_since = turned.draining_since
            self._crew.start(turned.claimed, turned.moment)
            self._crew.cancel(turned.to_cancel)
        return turned

    def _work(self, node_id: str, endings: Sequence[Ending], horizon: datetime | None) -> Work:
        last_chance = self.settings.crash_limit - 1 or None
        return Work(
            node_id=node_id,
            session_id=self._app_context.session_id,
            lease=self.settings.lease,
            functions=self._functions.keys(),
            room=self._rooms.room(self.settings, self._crew, stopping=self._stopping),
            endings=endings,
            told=self._crew.news(),
            horizon=horizon,
            last_chance=last_chance,
            everywhere=self.settings.max_concurrent_everywhere,
            takes_risk=last_chance is not None and self._crew.has_crashed(last_chance),
            careful=self._careful,
            rules=self.settings.alerts,
            heads=self._heads,
        )

    async def _keep_up(self, node_id: str) -> None:
        """Now and then, look for what dead nodes left and for rows whose function is missing."""
        if (moment := self._clock.monotonic()) < self._next_upkeep:
            return
        settings, now = self.settings, self._clock.now()
        self._next_upkeep = moment + settings.lease.total_seconds() / 4  # unless a function is registered meanwhile
        rest = (settings.crash_limit, self._crew.ids(), self._careful, settings.alerts, self._node.is_steady())
        work = Upkeep(node_id, profile_of(settings, self._clock), self._functions.keys(), *rest)
        try:
            kept = await self._database.write(partial(upkeep, work=work, now=now))
        except BaseException:
            self._next_upkeep = moment
            raise
        self.tally.closed(kept.closed)
        if self.listeners:
            self.listeners.upkept(now, kept.dead)
        if kept.more:
            self._next_upkeep = moment

    def _lose_node(self, node_id: str) -> None:
        """Others account for what this node runs: tell it to stop, and go on under a new id."""
        self._crew.disown_all()
        self.listeners.node_lost(node_id)
        self.wake()

    def _sleep_after(self, turned: Turned) -> float:
        """Return how long nothing needs this node, in seconds."""
        if turned.more or self._crew.has_endings:
            return 0
        moment = self._clock.monotonic()
        waits = [self.settings.poll_interval.total_seconds(), self._next_upkeep - moment]
        if turned.next_due is not None:
            waits.append((turned.next_due - self._clock.now()).total_seconds())
        if (deadline := self._crew.next_deadline()) is not None:
            waits.append(deadline - moment)
        return max(min(waits), 0)
