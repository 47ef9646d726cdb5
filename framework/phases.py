"""The two phases of an application's modules, and the way back: a module that fails takes only its dependents along."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Sequence
from functools import partial

from framework.clock import SystemClock
from framework.context import AppContext, Callback, Phase, acting, context_of
from framework.database import is_transient
from framework.errors import InvalidModule, SchemaBehind, one_line
from framework.lifespan import Lifespan
from framework.module import Module
from framework.repeat import until_it_passes
from framework.time_limit import finishes_within

log = logging.getLogger(__name__)

PATIENCE = 30.0  # real seconds that a start waits for a database that is locked


class Phases:
    """Carries modules, given in requirement order, through register, migrate, start and stop."""

    def __init__(self, modules: Sequence[Module], app_context: AppContext) -> None:
        self.app_context = app_context
        self.modules = modules
        self._left_out: set[str] = set()
        self._running: list[Lifespan] = []
        self._abandoned: list[Lifespan] = []  # kept: to collect one would run its way out, in any thread
        for module in modules:
            app_context.modules_health.module_is(module.id, "not started yet")

    def register(self) -> None:
        """Phase one of every module."""
        for module in self.modules:
            if self._may_go_on(module):
                try:
                    _register(module, self.app_context)
                except Exception as error:
                    log.exception("module %s failed to register", module.id)
                    self._leave_out(module, one_line(error))

    def with_tables(self) -> list[tuple[str, str]]:
        """Return `(module_id, place of its migrations)` of the modules that have tables and are not left out."""
        return [(m.id, m.migrations) for m in self.modules if m.migrations and m.id not in self._left_out]

    async def migrate(self) -> dict[str, list[str]]:
        """Bring the tables of every module up to date, in requirement order; raises what a migration raises.

        Returns the revisions that were applied, by the ids of the modules that lacked any. A database that is locked
        is waited for, and one where nothing is pending is not written to.
        """
        if not await self.pending():
            return {}
        from framework.migrations import Migrations, upgrade  # Alembic takes long to import

        places = [Migrations(*place) for place in self.with_tables()]
        upgrading = partial(upgrade, self.app_context.database, places)
        applied = await until_it_passes(upgrading, clock=SystemClock(), passes=is_transient, patience=PATIENCE)
        return {module_id: revisions for module_id, revisions in applied.items() if revisions}

    async def pending(self) -> dict[str, list[str]]:
        """Return the revisions that `migrate` would apply, by the ids of the modules that lack any."""
        if not self.with_tables():
            return {}
        from framework.migrations import Migrations, pending

        waiting = await pending(self.app_context.database, [Migrations(*place) for place in self.with_tables()])
        return {module_id: revisions for module_id, revisions in waiting.items() if revisions}

    async def revisions(self) -> dict[str, str | None]:
        """Return the revision that the tables of each module are at; None where there are none yet."""
        from framework.migrations import Migrations, current

        return await current(self.app_context.database, [Migrations(*place) for place in self.with_tables()])

    async def look(self) -> None:
        """Phase one only, for a tool that looks or asks: no module starts. Raises `SchemaBehind`."""
        if waiting := await self.pending():
            raise SchemaBehind(waiting)
        self.register()
        self.app_context.phase = Phase.RUNNING

    async def start(self) -> None:
        """Phase two of every module, then what waits for all of them."""
        self.app_context.phase = Phase.STARTING
        for module in self.modules:
            if self._may_go_on(module):
                await self._start(module)
        self.app_context.phase = Phase.RUNNING
        for owner, callback in self.app_context.started_callbacks():
            try:
                await _called(owner, callback)
            except Exception as error:
                log.exception("module %s failed in on_started", owner)
                self.app_context.modules_health.module_is(owner, one_line(error))

    async def stop(self, seconds: float) -> None:
        """What waits for the stop, then every module in reverse order, each within so many seconds."""
        self.app_context.phase = Phase.STOPPING
        never_started = {m.id for m in self.modules} - {
            lifespan.module.id for lifespan in self._running if lifespan.holds
        }
        for owner, callback in self.app_context.stopping_callbacks():
            if owner not in never_started:
                await self._call_within(seconds, owner, callback)
        for lifespan in self._running[::-1]:
            module_id = lifespan.module.id
            if await lifespan.leave(self.app_context.clock, seconds):
                self._running.remove(lifespan)
                self.app_context.modules_health.module_is(module_id, "stopped")
            else:
                log.error("module %s did not stop within %g seconds and is left behind", module_id, seconds)
                self.app_context.modules_health.module_is(module_id, f"did not stop within {seconds:g} seconds")

    def stop_now(self) -> None:
        """Tell every module that did not stop gracefully to stop at once, in reverse order; each once; never raises."""
        while self._running:
            self._abandoned.append(self._running.pop())
            module = self._abandoned[-1].module
            try:
                module.stop_now()
            except Exception:
                log.exception("module %s failed to stop at once", module.id)

    async def _start(self, module: Module) -> None:
        lifespan = Lifespan(module, self.app_context, self._failed_later)
        self._running.append(lifespan)
        try:
            await lifespan.enter()
        except Exception as error:
            log.exception("module %s failed to start", module.id)
            self._running.remove(lifespan)
            self._leave_out(module, one_line(error))
        if lifespan.holds:
            self.app_context.modules_health.module_is(module.id, None)

    async def _call_within(self, seconds: float, owner: str, callback: Callback) -> None:
        task = _called(owner, callback)
        try:
            if not await finishes_within(task, self.app_context.clock, seconds):
                log.error("module %s did not end its on_stopping within %g seconds", owner, seconds)
            elif not task.cancelled() and (error := task.exception()):
                log.error("module %s failed in on_stopping", owner, exc_info=error)
        finally:
            task.cancel()

    def _may_go_on(self, module: Module) -> bool:
        """Leave a module out whose requirement was left out; True when it may go on."""
        if module.id in self._left_out:
            return False
        missing = next((required for required in module.requires if required in self._left_out), None)
        if missing is None:
            return True
        log.error("module %s is not started: it requires %s, which does not run", module.id, missing)
        self._leave_out(module, f"not started: it requires {missing}, which does not run")
        return False

    def _leave_out(self, module: Module, reason: str) -> None:
        self._left_out.add(module.id)
        self.app_context.go_on_without(module.id, reason)

    def _failed_later(self, module: Module, error: BaseException) -> None:
        log.error("module %s failed while %s", module.id, self.app_context.phase.value, exc_info=error)
        self.app_context.modules_health.module_is(module.id, one_line(error))


def _register(module: Module, app_context: AppContext) -> None:
    register: Callable[[AppContext], object] = module.register
    with acting(module.id):
        answer = register(app_context)
    if inspect.iscoroutine(answer):
        answer.close()
        raise InvalidModule(
            f"register of module {module.id!r} must be a plain def; what has to be awaited belongs in lifespan"
        )


def _called(owner: str, callback: Callback) -> asyncio.Task[None]:
    async def call() -> None:
        answer = callback()
        if inspect.isawaitable(answer):
            await answer

    return asyncio.create_task(call(), context=context_of(owner))
