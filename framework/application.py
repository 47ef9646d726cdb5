"""Application: modules, settings, database and clock, started and stopped as one."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

from framework.clock import Clock, SystemClock
from framework.connecting import answers, open_database, open_existing, until_it_answers
from framework.context import AppContext, Phase
from framework.database import Database, agree_on_time
from framework.errors import ApplicationRunning, WrongPhase
from framework.logging import set_ids
from framework.module import Module
from framework.phases import Phases
from framework.preparing import Prepared, prepare
from framework.reloading import Reloaded, take_over
from framework.settings import FRAMEWORK_ID, FrameworkSettings

_IN_MEMORY = "sqlite+aiosqlite:///:memory:"
_PATIENCE = timedelta(seconds=5)  # of a tool, which somebody waits for


@cache
def _set_aside(_what: str) -> None:
    """Keep the garbage collector from looking through what there is by now again; once in a process for each `what`.

    All classes and functions are much: it would hold up the start, and then the first burst of work, for 50 ms or more.
    """
    gc.freeze()


class Application:
    """One application; `async with Application(…) as app_context` starts it and stops it.

    `modules` are ids, import paths, instances, or "*"; by default what FRAMEWORK_MODULES says. `settings` are tables
    by module id and win over everything else. `settings_dirs` stand in for `./settings`.
    """

    def __init__(
        self,
        modules: Sequence[str | Module] | None = None,
        settings: Mapping[str, Mapping[str, Any]] | None = None,
        clock: Clock | None = None,
        settings_dirs: Sequence[Path | str] | None = None,
    ) -> None:
        self._listed = modules
        self._given = settings
        self._clock = clock
        self._settings_dirs = settings_dirs
        self._own = FrameworkSettings()
        self._phases: Phases | None = None
        self._stopping = asyncio.Lock()

    @property
    def app_context(self) -> AppContext | None:
        """What `start` has returned, None while the application does not run."""
        context = None if self._phases is None else self._phases.app_context
        return context if context is not None and context.phase in (Phase.RUNNING, Phase.STOPPING) else None

    async def start(self) -> AppContext:
        """Start everything and return the context; a module that fails is left out and named in `health()`.

        Raises before any module starts: `SettingsError`, `RequirementError`, `DatabaseUnavailable`, `DatabaseRefused`,
        and what a migration raises.
        """
        if self._phases is not None and self._phases.app_context.phase is not Phase.STOPPED:
            raise ApplicationRunning
        prepared = self._prepare()
        _set_aside("loaded")
        self._own = prepared.own
        clock = SystemClock() if self._clock is None else self._clock
        database = open_database(self._own)
        context = AppContext(clock, database, prepared.settings, prepared.origins)
        context.add_health_check("framework.database", lambda: answers(database))
        self._phases, self._stopping = Phases(prepared.modules, context), asyncio.Lock()
        set_ids(session_id=context.session_id)
        try:
            await until_it_answers(database, clock, self._own)
            await self._carry_through(self._phases)
        except BaseException:
            await self.stop()
            raise
        _set_aside("started")
        return context

    async def stop(self) -> None:
        """Stop every module in reverse order, each within `shutdown_timeout`, and close the database."""
        if self._phases is None:
            return
        async with self._stopping:
            context = self._phases.app_context
            if context.phase is Phase.STOPPED:
                return
            try:
                await self._phases.stop(self._own.shutdown_timeout.total_seconds())
            finally:
                context.phase = Phase.STOPPED
                set_ids(session_id=None)
                await context.database.close()

    def reload(self) -> Reloaded:
        """Read the settings again and hand over what may change while the application runs; SIGHUP does so.

        Raises `SettingsError` and `RequirementError`, and then changes nothing; `WrongPhase` where nothing runs.
        """
        if self._phases is None or self._phases.app_context.phase is not Phase.RUNNING:
            raise WrongPhase("settings are read again only while the application runs")
        return take_over(self._phases.app_context, self._phases.modules, self._prepare())

    def stop_now(self) -> None:
        """Stop without an event loop, as the last resort.

        Every module that did not stop gracefully is told once, in reverse order. Never raises.
        """
        if self._phases is not None:
            self._phases.stop_now()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AppContext]:
        """Phase one only, for a tool that looks or asks beside a running application: no module starts.

        Nothing is created or migrated: raises `DatabaseMissing` and `SchemaBehind`, and what `start` raises.
        """
        async with self.beside(make_database=False) as phases:
            await phases.look()
            yield phases.app_context

    @asynccontextmanager
    async def registered(self) -> AsyncIterator[AppContext]:
        """Phase one only, beside an empty database in memory: for a tool that asks what modules bring along."""
        prepared = self._prepare()
        own = prepared.own.model_copy(update={"database_url": _IN_MEMORY})
        database = Database(_IN_MEMORY)
        try:
            context = AppContext(self._clock or SystemClock(), database, {**prepared.settings, FRAMEWORK_ID: own})
            phases = Phases(prepared.modules, context)
            phases.register()
            context.phase = Phase.RUNNING
            yield context
        finally:
            await database.close()

    async def pending(self) -> dict[str, list[str]]:
        """Return the revisions that the tables lack, by module id; changes nothing. Raises `DatabaseMissing`."""
        async with self.beside(make_database=False) as phases:
            return await phases.pending()

    async def revisions(self) -> dict[str, str | None]:
        """Return the revision that the tables are at, by module id; None for no tables. Raises `DatabaseMissing`."""
        async with self.beside(make_database=False) as phases:
            return await phases.revisions()

    async def upgrade(self) -> dict[str, list[str]]:
        """Bring all tables up to date without starting a module; return what was applied, by module id."""
        async with self.beside(make_database=True) as phases:
            return await phases.migrate()

    @asynccontextmanager
    async def beside(self, *, make_database: bool) -> AsyncIterator[Phases]:
        """The modules, settings and database for a tool, before their phase one; a running application goes on.

        Without `make_database`, nothing is created: raises `DatabaseMissing`, and what `start` raises.
        """
        prepared = self._prepare()
        own = prepared.own
        clock = SystemClock() if self._clock is None else self._clock
        database = open_database(own) if make_database else open_existing(own)
        try:
            patience = min(own.database_timeout, _PATIENCE)
            await until_it_answers(database, clock, own.model_copy(update={"database_timeout": patience}))
            await agree_on_time(database, clock)
            context = AppContext(clock, database, prepared.settings, prepared.origins)
            yield Phases(prepared.modules, context)
        finally:
            await database.close()

    async def __aenter__(self) -> AppContext:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _carry_through(self, phases: Phases) -> None:
        await agree_on_time(phases.app_context.database, phases.app_context.clock)
        phases.register()
        await phases.migrate()
        await phases.start()

    def _prepare(self) -> Prepared:
        return prepare(self._listed, self._given, self._settings_dirs)
