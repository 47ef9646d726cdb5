"""How the scheduler moves into an application, in two phases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from framework.context import AppContext
from framework.module import Module
from framework.outgoing import Outgoing
from framework.settings import FrameworkSettings, ModuleSettings
from modules.core.scheduler import api, dashboard
from modules.core.scheduler.alert_channels import check_settings
from modules.core.scheduler.declarations import hand_over_calendars, hand_over_functions, hand_over_tables
from modules.core.scheduler.executors import Executors
from modules.core.scheduler.functions import FunctionRegistry
from modules.core.scheduler.housekeeper import Housekeeper
from modules.core.scheduler.job_manager import JobManager
from modules.core.scheduler.lookout import Lookout
from modules.core.scheduler.outside import Outside
from modules.core.scheduler.planning import Planner
from modules.core.scheduler.runner import Runner
from modules.core.scheduler.service import SchedulerService
from modules.core.scheduler.settings import SchedulerSettings
from modules.core.scheduler.shell_command import RUN_COMMAND, run_command
from modules.core.scheduler.trigger_manager import TriggerManager

LIVE = frozenset({"max_concurrent_tasks", "queues", "poll_interval", "shutdown_grace"})  # what may change while it runs


class SchedulerModule(Module):
    """Provides the four services; carries out tasks from the moment every module has started."""

    id = "core.scheduler"
    settings_model = SchedulerSettings
    migrations = "modules.core.scheduler:migrations"

    def __init__(self) -> None:
        self._service: SchedulerService | None = None
        self._executors: Executors | None = None
        self._runner: Runner | None = None

    def register(self, app_context: AppContext) -> None:
        """Build the services; nothing is read or written yet."""
        settings = app_context.settings(SchedulerSettings)
        framework = app_context.settings(FrameworkSettings)
        roots = tuple(Path(root).absolute() for root in settings.housekeeper_allowed_roots or (framework.data_dir,))
        functions = FunctionRegistry()
        if settings.allow_commands:
            functions.register(*RUN_COMMAND, run_command)
        triggers = TriggerManager(app_context.clock, settings)
        executors = self._executors = Executors(app_context.clock, settings)
        outgoing = Outgoing(framework.outgoing_hosts, framework.outgoing_networks)
        check_settings(settings, outgoing)
        planner = Planner(functions, triggers, executors, Outside(functions, settings), outgoing)
        runner = self._runner = Runner(app_context, functions, settings, executors)
        jobs = JobManager(app_context.database, app_context.clock, planner, settings, runner.wake)
        housekeeper = Housekeeper(app_context, jobs, planner, functions, settings, roots)
        lookout = Lookout(app_context, settings, runner, outgoing)
        self._service = SchedulerService(app_context, settings, functions, triggers, jobs, housekeeper, runner, lookout)
        app_context.add_service("core.scheduler.service", self._service)
        app_context.add_service("core.scheduler.job_manager", jobs)
        app_context.add_service("core.scheduler.trigger_manager", triggers)
        app_context.add_service("core.scheduler.housekeeper", housekeeper)
        app_context.add_routes(self._service.metrics.routes)
        app_context.add_service("core.scheduler.audit", jobs.auditor)
        app_context.add_routes(api.routes)
        if framework.http_ui:
            app_context.add_routes(dashboard.routes)
        app_context.add_health_check("core.scheduler", self._service.health)
        app_context.on_started(partial(self._begin, app_context, functions))
        app_context.on_stopping(self._service.stop_background_processing)

    @asynccontextmanager
    async def lifespan(self, app_context: AppContext) -> AsyncIterator[None]:
        """Take over the functions that modules declared; stop what runs on the way out."""
        service = app_context.get_service(SchedulerService)
        housekeeper = app_context.get_service(Housekeeper)
        hand_over_functions(app_context, service)
        hand_over_tables(app_context, service)
        hand_over_calendars(app_context, service)
        try:
            yield
        finally:
            await service.stop_background_processing()
            await housekeeper.close()
            if self._executors is not None:
                await self._executors.close()

    async def _begin(self, app_context: AppContext, functions: FunctionRegistry) -> None:
        """Once every module has started or failed: take over what those that run declared, then begin to claim."""
        functions.withdraw(app_context.modules_health.failing())
        service = app_context.get_service(SchedulerService)
        try:
            await service.reconciler.at_start()
            await service.apply_calendars()
        finally:
            await service.start_background_processing()

    def reconfigure(self, settings: ModuleSettings) -> frozenset[str]:
        """Let the runner go by these from its next turn on; the node tells its slots within a quarter of a lease."""
        if self._runner is None:
            return frozenset()
        news = {name: getattr(settings, name) for name in LIVE}
        self._runner.settings = self._runner.settings.model_copy(update=news)
        self._runner.wake()
        return LIVE

    def stop_now(self) -> None:
        """Hand back what runs without an event loop."""
        if self._service is not None:
            self._service.stop_now()
        if self._executors is not None:
            self._executors.stop_now()
