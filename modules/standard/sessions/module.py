"""How sessions move in, and the two ways to register a cleanup: declared as data, or by a call at start."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from framework import AppContext, FrameworkSettings, Module
from modules.core.scheduler import SchedulerService, declare_cleanup, declare_tables
from modules.standard.sessions.sessions import Sessions
from modules.standard.sessions.settings import SessionsSettings


class SessionsModule(Module):
    """Provides `standard.sessions.service`; expired sessions and old temporary files go by themselves."""

    id = "standard.sessions"
    requires = ("core.scheduler",)
    autoload = False
    settings_model = SessionsSettings
    migrations = "modules.standard.sessions:migrations"

    def register(self, app_context: AppContext) -> None:
        """Provide the service; declare the cleanup of rows: without `max_age`, the column says when one is over."""
        settings = app_context.settings(SessionsSettings)
        service = Sessions(app_context.database, app_context.clock, settings.lifetime)
        app_context.add_service("standard.sessions.service", service)
        declare_tables(app_context, "sessions")
        expired = {"table_name": "sessions", "date_column": "expires_at"}
        declare_cleanup(app_context, "expired sessions", expired | {"cleanup_interval": settings.cleanup_interval})

    @asynccontextmanager
    async def lifespan(self, app_context: AppContext) -> AsyncIterator[None]:
        """Register the cleanup of files by a call, for what is known only at start."""
        settings = app_context.settings(SessionsSettings)
        folder = app_context.settings(FrameworkSettings).data_dir.absolute() / "tmp"
        await asyncio.to_thread(folder.mkdir, mode=0o700, parents=True, exist_ok=True)
        scheduler = app_context.get_service(SchedulerService)
        registered = await scheduler.register_cleanup(
            folder,
            module_id=self.id,
            max_age=settings.keep_temporary_files,
            cleanup_interval=settings.cleanup_interval,
        )
        registered.unwrap()
        yield
