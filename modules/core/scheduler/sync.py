"""The scheduler for code that is not async: the service's methods, waited for."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from framework.sync import SyncApplication
from modules.core.scheduler.by_keyword import Answer, Function
from modules.core.scheduler.explaining import Explainer
from modules.core.scheduler.foresight import Foresight
from modules.core.scheduler.job_manager import JobManager
from modules.core.scheduler.operating import Operator
from modules.core.scheduler.service import SchedulerService

P = ParamSpec("P")
T = TypeVar("T")


def _waited_for(
    method: Callable[Concatenate[Any, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[SyncScheduler, P], T]:
    """Return the method of the service as one that returns what the service's returns."""

    @wraps(method)
    def wait(self: SyncScheduler, /, *args: P.args, **kwargs: P.kwargs) -> T:
        of_service: Callable[P, Coroutine[Any, Any, T]] = getattr(self.service, method.__name__)
        return self.call(of_service, *args, **kwargs)

    return wait


class SyncScheduler(SyncApplication):
    """An application with the scheduler, in a thread of its own; the methods are `SchedulerService`'s, without await.

    `with SyncScheduler([…modules…], settings) as scheduler: scheduler.schedule_task({…}).unwrap()`. It carries out
    tasks, too, unless `enabled` is False. Whatever is not here is called through it:
    `scheduler.call(scheduler.service.backfill, …)`. `session=` is refused with `TypeError`.
    """

    @property
    def service(self) -> SchedulerService:
        """The service itself, whose async methods `call` waits for."""
        return self.get_service(SchedulerService)

    def call(self, method: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call an async method of the service, or any other, as `SyncApplication.call` does."""
        if kwargs.get("session") is not None:
            raise TypeError("a session belongs to the thread that opened it, and the scheduler lives in another")
        return super().call(method, *args, **kwargs)

    def register_function(
        self, module_id: str, function_name: str, function: Callable[..., Any], **options: Any
    ) -> None:
        """Register a function that tasks may run; options and errors are those of the service."""

        async def register() -> None:  # in the loop, which it wakes
            self.service.register_function(module_id, function_name, function, **options)

        self.call(register)

    def schedule_cron(self, function: Function, cron: str, **config: Any) -> Answer:
        """Schedule a registered function by a cron expression; `config` takes the other keys of a task."""
        return self.call(self.service.schedule_cron, function, cron, **config)

    def schedule_interval(self, function: Function, *, every: timedelta | float | str, **config: Any) -> Answer:
        """Schedule a registered function at an interval: a timedelta, seconds, or words such as "5 minutes"."""
        return self.call(self.service.schedule_interval, function, every=every, **config)

    def schedule_once(
        self,
        function: Function,
        *,
        at: datetime | str | None = None,
        delay: timedelta | float | str | None = None,
        **config: Any,
    ) -> Answer:
        """Schedule a registered function once: `at` a moment, or after a `delay`."""
        return self.call(self.service.schedule_once, function, at=at, delay=delay, **config)

    def register_cleanup(self, directory: str | Path, pattern: str = "*", **config: Any) -> Answer:
        """Register a cleanup of files; its type is `files:<directory>/<pattern>`."""
        return self.call(self.service.register_cleanup, directory, pattern, **config)

    schedule_task = _waited_for(SchedulerService.schedule_task)
    schedule_tasks = _waited_for(SchedulerService.schedule_tasks)
    get_task = _waited_for(SchedulerService.get_task)
    list_tasks = _waited_for(SchedulerService.list_tasks)
    update_task = _waited_for(SchedulerService.update_task)
    pause_task = _waited_for(SchedulerService.pause_task)
    resume_task = _waited_for(SchedulerService.resume_task)
    cancel_task = _waited_for(SchedulerService.cancel_task)
    execute_task = _waited_for(SchedulerService.execute_task)
    cancel_execution = _waited_for(SchedulerService.cancel_execution)
    get_executions = _waited_for(JobManager.get_executions)
    get_execution = _waited_for(JobManager.get_execution)
    emit = _waited_for(SchedulerService.emit)
    register_cleanup_task = _waited_for(SchedulerService.register_cleanup_task)
    list_cleanups = _waited_for(SchedulerService.list_cleanups)
    update_cleanup = _waited_for(SchedulerService.update_cleanup)
    remove_cleanup = _waited_for(SchedulerService.remove_cleanup)
    run_cleanup = _waited_for(SchedulerService.run_cleanup)
    pause_all = _waited_for(Operator.pause_all)
    resume_all = _waited_for(Operator.resume_all)
    preview = _waited_for(Foresight.preview)
    explain = _waited_for(Explainer.explain)
    status = _waited_for(SchedulerService.status)
    health = _waited_for(SchedulerService.health)
    run_due = _waited_for(SchedulerService.run_due)
    tick = _waited_for(SchedulerService.tick)
