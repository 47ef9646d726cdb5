"""SchedulerService: the front door, everything a module or an operator does."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from framework.context import AppContext, Phase, acting_module
from framework.database import Joinable
from framework.result import Result
from modules.core.scheduler.applying import Reconciler
from modules.core.scheduler.audit_records import AuditRecords
from modules.core.scheduler.by_keyword import ByKeyword
from modules.core.scheduler.calendar_keeper import CalendarKeeper
from modules.core.scheduler.cleanup_records import CleanupRecords
from modules.core.scheduler.compliance import Compliance
from modules.core.scheduler.creating import RUNTIME, Owner
from modules.core.scheduler.directory import Directory
from modules.core.scheduler.explaining import Explainer
from modules.core.scheduler.foresight import Foresight
from modules.core.scheduler.functions import FunctionRegistry
from modules.core.scheduler.housekeeper import Housekeeper
from modules.core.scheduler.importing import Importer
from modules.core.scheduler.job_manager import JobManager
from modules.core.scheduler.leftovers import Leftovers
from modules.core.scheduler.live import Live
from modules.core.scheduler.lookout import Lookout
from modules.core.scheduler.metrics import Metrics
from modules.core.scheduler.occurrences import Occurrences
from modules.core.scheduler.one_cleanup import OneCleanup
from modules.core.scheduler.operating import Operator
from modules.core.scheduler.operations import Operations
from modules.core.scheduler.runner import Runner
from modules.core.scheduler.settings import SchedulerSettings
from modules.core.scheduler.status import health_of, status_of
from modules.core.scheduler.task import TaskConfig
from modules.core.scheduler.task_lists import TaskLists
from modules.core.scheduler.trigger_manager import TriggerManager

log = logging.getLogger(__name__)

T = TypeVar("T")
Answer = Result[dict[str, Any]]


class SchedulerService:
    """Methods are async and return a Result, but for `register_…` and `add_listener`, which raise on misuse."""

    def __init__(
        self,
        app_context: AppContext,
        settings: SchedulerSettings,
        functions: FunctionRegistry,
        triggers: TriggerManager,
        jobs: JobManager,
        housekeeper: Housekeeper,
        runner: Runner,
        lookout: Lookout,
    ) -> None:
        self._app_context, self._settings, self.functions = app_context, settings, functions
        self._runner, self._housekeeper, self._jobs, self.lookout = runner, housekeeper, jobs, lookout
        self.register_function, self.add_listener = functions.register, runner.listeners.add
        self.stop_now, self.register_calendar = runner.stop_now, triggers.calendars.register
        self.calendars = keeper = CalendarKeeper(app_context, jobs, triggers.calendars)
        self.list_calendars, self.show_calendar, self.apply_calendars = keeper.list_all, keeper.show, keeper.apply
        said, orders = ByKeyword(functions, self.schedule_task), Operator(app_context, jobs, runner)
        self.schedule_cron, self.schedule_interval = said.schedule_cron, said.schedule_interval
        self.list_nodes, self.drain_node, self.list_queues = orders.list_nodes, orders.drain_node, orders.list_queues
        self.reconciler = Reconciler(app_context, jobs, housekeeper, keeper)
        self.plan_declared, self.apply_declared = self.reconciler.plan, self.reconciler.apply
        importer, by_hand = Importer(app_context, jobs, housekeeper, self.reconciler), Occurrences(jobs)
        self.export_tasks, self.import_tasks = importer.export_tasks, importer.import_tasks
        self.pause_queue, self.resume_queue = orders.pause_queue, orders.resume_queue
        self.pause_all, self.resume_all, self.schedule_once = orders.pause_all, orders.resume_all, said.schedule_once
        self._offer_cleanups(app_context, housekeeper, orders)
        self._offer_answers(Directory(app_context, functions, triggers, runner))
        self.ignore_failures, self.limit_queue = orders.ignore_failures, orders.limit_queue
        foresight = Foresight(app_context, jobs, triggers, settings)
        self.preview, self.preview_task, self.lint = foresight.preview, foresight.preview_task, foresight.lint
        self.backfill, self.retry_execution, self.retry_executions = by_hand.backfill, by_hand.retry, by_hand.retry_all
        self.skip_next, self.shift_next, self.run_until = by_hand.skip_next, by_hand.shift_next, by_hand.run_until
        self.forecast, explainer = foresight.forecast, Explainer(app_context, settings)
        self.explain, self.explain_execution = explainer.explain, explainer.explain_execution
        self.operations, self.perform = (operations := Operations(functions, self)).known, operations.perform

    def _offer_answers(self, directory: Directory) -> None:
        zone, self.list_functions, self.info = self._jobs.planner.timezone, directory.functions, directory.info
        self.get_executions, self.get_execution = self._jobs.get_executions, self._jobs.get_execution
        self.list_audit, lists = AuditRecords(self._app_context, zone).list_audit, TaskLists(self._app_context, zone)
        self.live, self.list_alerts = (live := Live(self._app_context, self._runner)), self.lookout.list_alerts
        self.watch, self.metrics = live.watch, Metrics(self._app_context, self._settings, self._runner)
        self.execution_logs, self.follow_logs, self.stats = live.execution_logs, live.follow_logs, live.stats
        self.overview, self.ran_since, self.runs_since = live.overview, live.ran_since, live.runs_since
        self.count_tasks, self.recent_runs, self.failures = lists.count_tasks, lists.recent_runs, live.failures
        self.count_executions, self.attempts_of = lists.count_executions, lists.attempts_of

    def _offer_cleanups(self, app_context: AppContext, housekeeper: Housekeeper, operator: Operator) -> None:
        records = CleanupRecords(app_context)
        self.cleanup_reports, self.cleanup_trend = records.reports, records.trend
        self.cleanup_compliance = Compliance(app_context, housekeeper).check
        self.module_leftovers = Leftovers(app_context, housekeeper).of
        self.freeze_cleanups, self.unfreeze_cleanups = operator.freeze_cleanups, operator.unfreeze_cleanups
        self.preview_cleanup, self.apply_cleanup = housekeeper.preview_cleanup, housekeeper.apply_cleanup
        self.confirm_cleanup, self.cleanup_plan = housekeeper.confirm_cleanup, housekeeper.cleanup_plan
        self.list_archives, self.restore_cleanup = housekeeper.restorer.archives, housekeeper.restorer.restore
        self.declare_tables, one = housekeeper.owners.declare, OneCleanup(app_context, housekeeper)
        self.get_cleanup, self.run_one_cleanup = one.get, one.run

    async def schedule_task(self, config: TaskConfig | Mapping[str, Any], *, session: Joinable | None = None) -> Answer:
        """Schedule a task: `{"task_id", "created", "next_execution"}`; the same key again is the same task.

        `INVALID_CONFIG` names every offending field in `details["problems"]`, and nothing is stored. With a `session`
        or connection of SQLAlchemy's, it is a part of that transaction; `OTHER_DATABASE` where that leads elsewhere.
        """
        return (await self.schedule_tasks([config], session=session)).map(lambda tasks: tasks[0])

    async def schedule_tasks(
        self, configs: Sequence[TaskConfig | Mapping[str, Any]], *, session: Joinable | None = None
    ) -> Result[list[dict[str, Any]]]:
        """Schedule tasks in one transaction, all or none; a refusal says at which `index`."""
        return self._told(await self._jobs.create(configs, owner=self._owner(), session=session))

    async def get_task(self, task_id: str) -> Answer:
        """Return a task, or `TASK_NOT_FOUND`."""
        return await self._jobs.get(task_id)

    async def list_tasks(
        self,
        *,
        status: str | None = None,
        module_id: str | None = None,
        function_name: str | None = None,
        recurring: bool | None = None,
        tag: str | None = None,
        trigger: str | None = None,
        search: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Answer:
        """Return `{"tasks", "next_cursor"}`, newest first; `trigger` is a type, `search` in name or description."""
        filters: dict[str, Any] = {"status": status, "module_id": module_id, "function_name": function_name}
        filters |= {"recurring": recurring, "tag": tag, "trigger": trigger, "search": search}
        return await self._jobs.list_jobs(filters, limit=limit, cursor=cursor)

    async def update_task(self, task_id: str, changes: Mapping[str, Any]) -> Answer:
        """Change fields of a task and return it; an occurrence that is already due is not lost."""
        return await self._jobs.update(task_id, changes)

    async def pause_task(self, task_id: str, reason: str | None = None) -> Answer:
        """Hold a task's occurrences, pending executions and retries; what runs finishes."""
        return await self._jobs.pause(task_id, reason)

    async def resume_task(self, task_id: str) -> Answer:
        """Let a paused task go on from now."""
        return await self._jobs.resume(task_id)

    async def cancel_task(self, task_id: str, *, cancel_running: bool = False) -> Answer:
        """End a task for good; its history stays. What runs finishes unless `cancel_running`."""
        return await self._jobs.cancel(task_id, cancel_running=cancel_running)

    async def execute_task(self, task_id: str, *, force: bool = False, session: Joinable | None = None) -> Answer:
        """Run a task now, beside its schedule, with `force` beside itself: `{"execution_id", "status": "running"}`."""
        return await self._jobs.execute_job(task_id, force=force, session=session)

    async def cancel_execution(self, execution_id: str) -> Answer:
        """End one execution: a pending one at once, a running one by asking its function to stop."""
        return await self._jobs.cancel_execution(execution_id)

    async def emit(
        self, event: str, payload: Mapping[str, Any] | None = None, *, session: Joinable | None = None
    ) -> Result[int]:
        """Set off every task that waits for this event, durably; return how many."""
        return await self._jobs.emit(event, payload, session=session)

    async def register_cleanup_task(self, module_id: str, cleanup_type: str, config: Mapping[str, Any]) -> Answer:
        """Register a cleanup as a task: `{"cleanup_id", "task_id", "created"}`; the same type again updates it."""
        owner = self._owner()
        return self._told(await self._housekeeper.register_cleanup_task(module_id, cleanup_type, config, owner=owner))

    async def register_cleanup(
        self, directory: str | Path, pattern: str = "*", *, module_id: str = "application", **config: Any
    ) -> Answer:
        """Register a cleanup of files; its type is `files:<directory>/<pattern>`."""
        config = {"module_id": module_id, "owner": self._owner(), **config}
        return self._told(await self._housekeeper.register_cleanup(directory, pattern, **config))

    async def list_cleanups(self, *, module_id: str | None = None) -> Result[list[dict[str, Any]]]:
        """Return the cleanups with their config, in the order in which they would run."""
        return await self._housekeeper.list_cleanups(module_id=module_id)

    async def update_cleanup(self, cleanup_id: str, changes: Mapping[str, Any]) -> Answer:
        """Change fields of a cleanup's config, or `enabled`; return it."""
        return await self._housekeeper.update_cleanup(cleanup_id, changes)

    async def remove_cleanup(self, cleanup_id: str) -> Answer:
        """Remove a cleanup and cancel its task; `warnings` say what nobody looks after now."""
        return await self._housekeeper.remove_cleanup(cleanup_id)

    async def run_cleanup(
        self, cleanup_type: str | None = None, dry_run: bool = False, *, module_id: str | None = None
    ) -> Answer:
        """Run all cleanups, or those of one type or module, now: `{"reports": […], "total": {…}}`."""
        return await self._housekeeper.run_cleanup(cleanup_type, dry_run, module_id=module_id)

    async def status(self) -> Answer:
        """Return what this scheduler is doing: node, nodes, running, what is held back, what comes next."""
        return Result.success(await status_of(self._app_context, self._runner))

    async def run_due(self) -> int:
        """Take turns until nothing is due and nothing runs, for tests; return how many executions ended."""
        return await self._runner.run_due()

    async def tick(self) -> int:
        """Do what is due, for an outside timer; what becomes due meanwhile is left. Returns how many ended."""
        await self._runner.turn()  # its upkeep finds what dead nodes left, which is due at once
        ended = await self._runner.run_due(horizon=self._app_context.clock.now())
        await self.lookout.look()
        return ended

    async def turn(self) -> bool:
        """Take one turn by hand; True when it ended, fired or claimed anything."""
        return await self._runner.turn()

    async def start_background_processing(self) -> None:
        """Carry out tasks, from the moment all modules have started; called again, or earlier, it changes nothing."""
        if self._settings.enabled and self._app_context.phase is Phase.RUNNING:
            await self._runner.start()
            self.lookout.start()

    async def stop_background_processing(self) -> None:
        """Stop claiming, let what runs finish, cancel the rest, hand back what does not stop."""
        await self._runner.stop()
        await self._runner.listeners.close()
        await self.lookout.stop()
        await self.live.close()

    async def health(self) -> Answer:
        """Measure whether the loop turns, the database answers and the clock is right: the status, and by how much."""
        return await health_of(self._app_context, self._runner, self._settings)

    def _owner(self) -> Owner:
        return Owner("code", acting_module()) if self._app_context.phase is Phase.STARTING else RUNTIME

    def _told(self, answer: Result[T]) -> Result[T]:
        """Log a refusal while modules start: few of them look at the answer, and what is missing would be silent."""
        if answer.error is not None and self._app_context.phase is Phase.STARTING:
            log.warning("refused while starting: %s", answer.error.message)
        return answer
