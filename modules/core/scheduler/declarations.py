"""Functions, tasks and cleanups that a module declares in phase one, as data, and that are handed over in phase two."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from framework.context import AppContext
from framework.result import Result
from framework.settings import FrameworkSettings
from modules.core.scheduler.creating import Owner
from modules.core.scheduler.functions import FunctionError
from modules.core.scheduler.reconciling import disable_undeclared, tell_undeclared

if TYPE_CHECKING:
    from modules.core.scheduler.housekeeper import Housekeeper
    from modules.core.scheduler.job_manager import JobManager
    from modules.core.scheduler.service import SchedulerService

log = logging.getLogger(__name__)

EXPORTS = "exports"  # in the data folder
FUNCTION, TASK, CLEANUP = "core.scheduler.function", "core.scheduler.task", "core.scheduler.cleanup"


@dataclass(frozen=True, slots=True)
class _Function:
    name: str
    function: Callable[..., Any]
    options: Mapping[str, Any] = field(default_factory=dict)


def declare_function(app_context: AppContext, name: str, function: Callable[..., Any], **options: Any) -> None:
    """Declare a function of the registering module; options as in `register_function`."""
    app_context.declare(FUNCTION, _Function(name, function, options))


def declare_task(app_context: AppContext, config: Mapping[str, Any]) -> None:
    """Declare a task; `module_id` is by default the registering module, `key` its name."""
    app_context.declare(TASK, dict(config))


def declare_cleanup(app_context: AppContext, cleanup_type: str, config: Mapping[str, Any]) -> None:
    """Declare a cleanup of the registering module."""
    app_context.declare(CLEANUP, (cleanup_type, dict(config)))


def hand_over_functions(app_context: AppContext, service: SchedulerService) -> None:
    """Register every declared function; one that is refused is logged and turns health red, the others go on."""
    for module_id, declared in app_context.declarations(FUNCTION):
        try:
            service.register_function(module_id, declared.name, declared.function, **declared.options)
        except FunctionError as error:
            refused: Result[Any] = Result.error("INVALID_FUNCTION", str(error))
            _tell(app_context, module_id, f"function {declared.name!r}", refused)


async def hand_over_tasks(app_context: AppContext, jobs: JobManager) -> None:
    """Schedule every declared task; one that is refused is logged and turns health red, the others go on."""
    for module_id, config in app_context.declarations(TASK):
        scheduled = await jobs.create([{"module_id": module_id, **config}], owner=Owner("code", module_id))
        _tell(app_context, module_id, f"task {config.get('name')!r}", scheduled)


async def hand_over_cleanups(app_context: AppContext, housekeeper: Housekeeper) -> None:
    """Register every declared cleanup; one that is refused is logged and turns health red, the others go on."""
    for module_id, (cleanup_type, config) in app_context.declarations(CLEANUP):
        registered = await housekeeper.register_cleanup_task(
            module_id, cleanup_type, config, owner=Owner("code", module_id)
        )
        _tell(app_context, module_id, f"cleanup {cleanup_type!r}", registered)


async def reconcile(app_context: AppContext, jobs: JobManager) -> None:
    """Disable and export the tasks that the code of the modules which run here does not declare any more."""
    modules = jobs.roll.sure_of(app_context.modules_health.running())
    vanished = await jobs.change(partial(disable_undeclared, modules=modules, named=jobs.roll.named))
    if vanished.data and vanished.data["tasks"]:
        folder = app_context.settings(FrameworkSettings).data_dir / EXPORTS
        tell_undeclared(vanished.data["tasks"], folder, app_context.clock.now())


def _tell(app_context: AppContext, module_id: str, what: str, result: Result[Any]) -> None:
    if result.error is None:
        return
    refusal = result.error
    log.error("module %s: its declared %s was refused: %s", module_id, what, refusal.message)

    async def refused() -> Result[dict[str, Any]]:
        return Result.error(refusal.code, f"declared {what} was refused: {refusal.message}")

    app_context.add_health_check(f"{module_id}: {what}", refused)
