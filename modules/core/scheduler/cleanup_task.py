"""A cleanup as a task: the config of the task that runs it, and how it is edited and shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row

from framework import strict_json
from framework.result import Result
from modules.core.scheduler.cleanup import AnyPolicy, Report
from modules.core.scheduler.functions import FunctionRegistry, masked
from modules.core.scheduler.store.cleanups import CARRY_OUT
from modules.core.scheduler.trigger import TriggerError, parse, read_calendar

ALTERNATIVES = (("cron", "cleanup_interval"), ("max_age", "max_age_hours", "retention_days"))

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_RUN = timedelta(hours=6)

_NAME = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,5000}")


def name_problems(**names: object) -> list[dict[str, str]]:
    """Return what keeps these from being the names of a cleanup."""
    message = "a text of 1 to 5000 characters without control characters"
    wrong = [field for field, name in names.items() if not (isinstance(name, str) and _NAME.fullmatch(name))]
    return [{"field": field, "message": message} for field in wrong]


def task_config(
    module_id: str, cleanup_type: str, cleanup_id: str, policy: AnyPolicy, *, at_once: int = 1, timezone: str = "UTC"
) -> dict[str, Any]:
    """Return the config of the task that runs a cleanup by itself: `at_once` of all cleanups, the others wait.

    `timezone` is the zone of the policy's `window`.
    """
    when: dict[str, Any] = {"cron": policy.cron}
    if policy.cleanup_interval is not None:
        seconds = policy.cleanup_interval.total_seconds()
        when = {"interval_type": "seconds", "interval_value": seconds}
    if policy.window is not None:
        when = _within(policy.window, when, timezone)
    return when | {
        "name": f"cleanup {cleanup_type}"[:100],
        "description": policy.description or f"Cleanup {cleanup_type} of {module_id}"[:500],
        "module_id": CARRY_OUT[0],
        "function_name": CARRY_OUT[1],
        "parameters": {"cleanup_id": cleanup_id},
        "key": f"cleanup:{cleanup_id}",
        "priority": policy.priority,
        "tags": ["cleanup"],
        "concurrency_key": "cleanups",
        "max_instances": at_once,
        "timeout": LONGEST_RUN,
    }


def closes_at(window: str, opened: datetime, timezone: str) -> datetime | None:
    """Return when a window, open at that moment, closes; in UTC."""
    return read_calendar({"windows": [window]}, timezone).open_from(opened)


def _within(window: str, when: dict[str, Any], timezone: str) -> dict[str, Any]:
    """Return the same times moved into the window; an interval counts from 1970, so that a restart moves nothing."""
    definition: dict[str, Any] = {"type": "cron", "expression": when.get("cron")}
    if "interval_value" in when:
        definition = {"type": "interval", "seconds": when["interval_value"], "start_date": EPOCH}
    try:
        times = parse(definition, zone=timezone, now=EPOCH)
        outside = read_calendar({"windows": [window], "invert": True}, timezone)
    except TriggerError:
        return when  # whoever plans the task says what is wrong with it
    exclusion = {"name": f"outside {window}", "when": "move", "definition": outside.to_json()}
    return {"trigger": {"v": 1, "type": "excluding", "trigger": times.to_json(), "calendars": [exclusion]}}


def merged(text: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stored config with fields changed: a cron replaces an interval and so on; null takes a field out.

    A stored config that cannot be read counts as empty, so that a whole new one repairs it.
    """
    config = _read(text) or {}
    for words in ALTERNATIVES:
        if any(changes.get(word) is not None for word in words):
            config = {name: value for name, value in config.items() if name not in words}
    return {name: value for name, value in {**config, **changes}.items() if value is not None}


def cleanup_view(row: Row[Any], functions: FunctionRegistry) -> dict[str, Any]:
    """Return a cleanup as it is shown: secret parameters as `***`, a config that cannot be read as `corrupt`."""
    names = ("id", "module_id", "cleanup_type", "enabled", "last_run", "next_run", "task_id", "priority")
    config = _read(row.config)
    if config is None:
        config = {"corrupt": True}
    parameters = config.get("parameters")
    if isinstance(parameters, dict):
        secret = functions.secret_of(row.module_id, str(config.get("function_name")))
        config = config | {"parameters": masked(parameters, secret)}
    return {name: getattr(row, name) for name in names} | {"config": config}


def report_view(row: Row[Any], report: Report) -> dict[str, Any]:
    """Return a report with the names of its cleanup."""
    names = {"cleanup_id": row.id, "module_id": row.module_id, "cleanup_type": row.cleanup_type}
    return names | report.to_dict()


def not_found(name: str) -> Result[Any]:
    """Return `CLEANUP_NOT_FOUND`."""
    return Result.error("CLEANUP_NOT_FOUND", f"there is no cleanup {name!r}")


def _read(text: str) -> dict[str, Any] | None:
    try:
        config = strict_json.loads(text)
    except strict_json.JsonError:
        return None
    return config if isinstance(config, dict) else None
