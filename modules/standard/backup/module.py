"""How the backup moves in: a registered function and a cron task, where there is a SQLite file to copy."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from framework import AppContext, FrameworkSettings, Module
from modules.core.scheduler import SchedulerService
from modules.standard.backup.backup import Backup
from modules.standard.backup.settings import BackupSettings

log = logging.getLogger(__name__)


class BackupModule(Module):
    """Schedules the backup of the application's SQLite file; any other database is left to its own tools."""

    id = "standard.backup"
    requires = ("core.scheduler",)
    autoload = False
    settings_model = BackupSettings

    @asynccontextmanager
    async def lifespan(self, app_context: AppContext) -> AsyncIterator[None]:
        """Register the function and schedule it; at the next start the same task is found again by its name."""
        source = app_context.database.path
        if source is None:
            log.info("no backups are scheduled: the database is no SQLite file; use the tools of the database itself")
            yield
            return
        settings = app_context.settings(BackupSettings)
        data_dir = app_context.settings(FrameworkSettings).data_dir
        folder = (settings.folder or data_dir / "backups").absolute()
        backup = Backup(source, folder, settings.keep, app_context.clock)

        scheduler = app_context.get_service(SchedulerService)
        scheduler.register_function(self.id, "back_up", backup.run, api=True)
        scheduled = await scheduler.schedule_cron(
            backup.run,
            settings.schedule,
            name="Back up the database",
            timeout="1 hour",
            max_retries=2,
            retry_delay="1 minute",
        )
        scheduled.unwrap()
        yield
