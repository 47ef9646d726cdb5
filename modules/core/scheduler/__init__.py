"""core.scheduler: durable scheduling and housekeeping for every module of an application."""

from __future__ import annotations

from modules.core.scheduler.client import SchedulerClient
from modules.core.scheduler.declarations import (
    declare_calendar,
    declare_cleanup,
    declare_function,
    declare_tables,
    declare_task,
)
from modules.core.scheduler.execution import DoNotRetry, ExecutionCancelled, ExecutionContext, ExecutionLost, RetryAfter
from modules.core.scheduler.functions import FunctionError
from modules.core.scheduler.housekeeper import Housekeeper
from modules.core.scheduler.job_manager import JobManager
from modules.core.scheduler.listener import EventKind, SchedulerEvent
from modules.core.scheduler.module import SchedulerModule
from modules.core.scheduler.service import SchedulerService
from modules.core.scheduler.settings import SchedulerSettings
from modules.core.scheduler.task import TaskConfig
from modules.core.scheduler.trigger_manager import TriggerManager

__all__ = [
    "DoNotRetry",
    "EventKind",
    "ExecutionCancelled",
    "ExecutionContext",
    "ExecutionLost",
    "FunctionError",
    "Housekeeper",
    "JobManager",
    "RetryAfter",
    "SchedulerClient",
    "SchedulerEvent",
    "SchedulerModule",
    "SchedulerService",
    "SchedulerSettings",
    "TaskConfig",
    "TriggerManager",
    "declare_calendar",
    "declare_cleanup",
    "declare_function",
    "declare_tables",
    "declare_task",
]
