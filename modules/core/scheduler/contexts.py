"""The context of a claimed row: what its function may know about it, and its parameters."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from sqlalchemy import Row

from framework import strict_json
from framework.context import AppContext
from framework.database import read_moment
from modules.core.scheduler.execution import ExecutionContext
from modules.core.scheduler.functions import RegisteredFunction
from modules.core.scheduler.object_types import Stored


def context_of(row: Row[Any], function: RegisteredFunction, app_context: AppContext) -> ExecutionContext:
    """Return the context of a row that this node has claimed."""
    return ExecutionContext(
        execution_id=row.id,
        task_id=row.event_id,
        task_name=row.name,
        module_id=function.module_id,
        function_name=function.function_name,
        attempt=row.attempt,
        retries_used=row.retries_used,
        scheduled_for=cast(datetime, read_moment(row.scheduled_for)),
        started_at=app_context.clock.now(),
        origin=row.origin,
        app_context=app_context,
        session_id=app_context.session_id,
        missed_count=row.missed_count,
        missed_since=read_moment(row.missed_since),
    )


def parameters_of(stored: str) -> Any:
    """Read stored parameters; what is no object there is refused by the function. Raises `JsonError`."""
    value = {} if stored == "{}" else strict_json.loads(stored)
    return Stored(value, stored) if isinstance(value, dict) else value
