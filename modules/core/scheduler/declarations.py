"""Functions, tasks and cleanups that a module declares in phase one, as data, and that are handed over in phase two."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from framework.context import AppContext
from framework.result import Error, Result
from modules.core.scheduler.declared import CLEANUP, TASK
from modules.core.scheduler.functions import FunctionError
from modules.core.scheduler.ownership import TableTaken
from modules.core.scheduler.trigger import TriggerError

if TYPE_CHECKING:
    from modules.core.scheduler.service import SchedulerService

log = logging.getLogger(__name__)

FUNCTION = "core.scheduler.function"
CALENDAR = "core.scheduler.calendar"
TABLES = "core.scheduler.tables"


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


def declare_calendar(app_context: AppContext, name: str, definition: Mapping[str, Any]) -> None:
    """Declare a calendar of the registering module, which tasks of any module may name."""
    app_context.declare(CALENDAR, (name, dict(definition)))


def declare_tables(app_context: AppContext, *names: str, database: str | None = None) -> None:
    """Declare tables of the registering module: no cleanup of another module deletes rows of them."""
    app_context.declare(TABLES, (names, database))


def hand_over_tables(app_context: AppContext, service: SchedulerService) -> None:
    """Note whose tables are whose; where another module has declared one, that turns health red."""
    for module_id, (names, database) in app_context.declarations(TABLES):
        try:
            service.declare_tables(module_id, *names, database=database)
        except TableTaken as error:
            told = f"tables {', '.join(names)}"
            tell_refusal(app_context, module_id, told, Error("TABLE_TAKEN", str(error)))


def hand_over_calendars(app_context: AppContext, service: SchedulerService) -> None:
    """Register every declared calendar; one that is refused is logged and turns health red, the others go on."""
    for module_id, (name, definition) in app_context.declarations(CALENDAR):
        try:
            service.register_calendar(module_id, name, definition)
        except TriggerError as error:
            tell_refusal(app_context, module_id, f"calendar {name!r}", Error("INVALID_TRIGGER", str(error)))


def hand_over_functions(app_context: AppContext, service: SchedulerService) -> None:
    """Register every declared function; one that is refused is logged and turns health red, the others go on."""
    for module_id, declared in app_context.declarations(FUNCTION):
        try:
            service.register_function(module_id, declared.name, declared.function, **declared.options)
        except FunctionError as error:
            refusal = Error("INVALID_FUNCTION", str(error))
            tell_refusal(app_context, module_id, f"function {declared.name!r}", refusal)


def tell_refusal(app_context: AppContext, module_id: str, what: str, refusal: Error) -> None:
    """Log that a declaration was refused, and turn health red."""
    log.error("module %s: its declared %s was refused: %s", module_id, what, refusal.message)

    async def refused() -> Result[dict[str, Any]]:
        return Result.error(refusal.code, f"declared {what} was refused: {refusal.message}")

    app_context.add_health_check(f"{module_id}: {what}", refused)
