"""Calling a registered function as the scheduler would, with its parameters and its result as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from framework import strict_json
from framework.clock import new_id
from framework.context import AppContext
from framework.result import Result
from modules.core.scheduler.execution import ExecutionContext
from modules.core.scheduler.functions import FunctionRegistry
from modules.core.scheduler.invoke import invoke
from modules.core.scheduler.object_types import Stored
from modules.core.scheduler.service import SchedulerService

Function = Callable[..., Any] | tuple[str, str] | str


def named(scheduler: SchedulerService, function: Function) -> tuple[str, str]:
    """Return `(module_id, function_name)`; raises `LookupError` for what is not registered."""
    registry = scheduler.functions
    if callable(function):
        names = registry.name_of(function)
        if names is None:
            raise LookupError(f"{function!r} is not registered as a function of tasks")
        return names
    module_id, function_name = function.split(":", 1) if isinstance(function, str) else function
    if registry.find(module_id, function_name) is None:
        raise LookupError(registry.unknown(module_id, function_name))
    return module_id, function_name


async def run_function(context: AppContext, names: tuple[str, str], parameters: Mapping[str, Any]) -> Any:
    """Return the value as it would be read back; see `TestApplication.run_function`."""
    registry: FunctionRegistry = context.get_service(SchedulerService).functions
    function = registry.find(*names)
    assert function is not None  # noqa: S101  # named() has found it
    given = _survive(dict(parameters), f"the parameters of {function.key}")
    if problems := function.check(given):
        listed = "; ".join(f"{each['field']} {each['message']}".strip() for each in problems)
        raise AssertionError(f"the parameters do not fit {function.key}: {listed}")
    stored = Stored(given, strict_json.dumps(given))
    value = await invoke(function, stored, _execution(context, names))
    return _survive(value.unwrap() if isinstance(value, Result) else value, f"the result of {function.key}")


def _survive(value: Any, what: str) -> Any:
    """Return the value after its way through JSON; raises `AssertionError` where it has none."""
    try:
        return strict_json.loads(strict_json.dumps(value))
    except strict_json.JsonError as error:
        raise AssertionError(f"{what} cannot be stored as JSON: {error}") from None


def _execution(context: AppContext, names: tuple[str, str]) -> ExecutionContext:
    now = context.clock.now()
    return ExecutionContext(
        execution_id=new_id(),
        task_id=new_id(),
        task_name=names[1],
        module_id=names[0],
        function_name=names[1],
        attempt=1,
        retries_used=0,
        scheduled_for=now,
        started_at=now,
        origin="manual",
        app_context=context,
        session_id=context.session_id,
    )
