"""How the inbox moves in: everything is declared as data, and the folder is made at start."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from framework import AppContext, FrameworkSettings, Module
from modules.core.scheduler import declare_cleanup, declare_function, declare_tables, declare_task
from modules.standard.inbox.folder import DONE
from modules.standard.inbox.inbox import Inbox
from modules.standard.inbox.settings import InboxSettings


class InboxModule(Module):
    """Watches a folder; what is ingested leaves again after the time the settings give it."""

    id = "standard.inbox"
    requires = ("core.scheduler",)
    autoload = False
    settings_model = InboxSettings
    migrations = "modules.standard.inbox:migrations"

    def register(self, app_context: AppContext) -> None:
        """Declare the function, its task, and the cleanups of files and of records; nothing is read or written yet."""
        settings = app_context.settings(InboxSettings)
        data_dir = app_context.settings(FrameworkSettings).data_dir
        folder = (settings.folder or data_dir / "inbox").absolute()
        inbox = Inbox(app_context, folder, settings.max_file_bytes)
        app_context.add_service("standard.inbox.service", inbox)
        declare_function(app_context, "ingest", inbox.ingest, api=True)
        task = {"name": "Ingest the inbox", "function_name": "ingest", "recurring": True}
        every = {"interval_type": "seconds", "interval_value": settings.interval.total_seconds()}
        declare_task(app_context, task | every)
        done = {"directory": str(folder / DONE), "max_age": settings.keep_done, "cleanup_interval": "6 hours"}
        declare_cleanup(app_context, "ingested files", done)
        declare_tables(app_context, "inbox_records")
        old = {"table_name": "inbox_records", "date_column": "ingested_at", "max_age": settings.keep_records}
        declare_cleanup(app_context, "old records", old | {"cleanup_interval": "1 day", "batch_size": 1_000})

    @asynccontextmanager
    async def lifespan(self, app_context: AppContext) -> AsyncIterator[None]:
        """Make the folder, so that there is a place to drop a file before the first run."""
        await app_context.get_service(Inbox).prepare()
        yield
