"""What the audit sees of a thing before and after a change: its fields as they are stored, and as they may be shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from framework import strict_json
from modules.core.scheduler.bounded_text import storable, storable_repr
from modules.core.scheduler.store import cleanups, executions, nodes, tasks

Mask = Callable[[Mapping[str, Any]], dict[str, Any]]
Fields = dict[str, Any]

LONGEST = 2_000  # characters of a value
OF_JSON = ("parameters", "trigger", "policies", "tags", "config")
OF_TASKS = (
    "name",
    "description",
    "module_id",
    "function_name",
    "parameters",
    "trigger",
    "timezone",
    "status",
    "status_reason",
    "next_execution",
    "max_executions",
    "key",
    "owner",
    "priority",
    "overlap",
    "max_instances",
    "delivery",
    "policies",
    "tags",
    "queue",
    "concurrency_key",
)
OF_EXECUTIONS = ("event_id", "state", "reason", "due_at", "cancel_requested_at")
OF_CLEANUPS = ("module_id", "cleanup_type", "config", "enabled")
QUEUE = "queue:"
HELD = ("scheduler", "module", "queue", "cleanups")  # kinds, of which a scope says whether they are held back


@dataclass(frozen=True, slots=True)
class Look:
    """The name of a thing, its fields as they are stored, and those that may not be shown as they are."""

    name: str | None
    stored: Mapping[str, Any]
    masked: Mapping[str, Any]

    def of(self, names: list[str]) -> Fields:
        """Return fields without secrets; stored JSON as what it says."""
        return {
            name: self.masked[name] if name in self.masked else _value(name, self.stored.get(name)) for name in names
        }


def look(c: Connection, kind: str, target: str, mask: Mask) -> Look | None:
    """Look at the task, execution, cleanup or node of an id, or at what is held back under a scope; None: not there."""
    match kind:
        case "task":
            return None if (row := tasks.lock(c, target)) is None else _task(row, mask)
        case "execution":
            found = executions.find(c, target)
            return None if found is None else Look(None, {name: getattr(found, name) for name in OF_EXECUTIONS}, {})
        case "cleanup":
            return None if (row := cleanups.find(c, target)) is None else _cleanup(row, mask)
        case "node":
            node = next((row for row in nodes.everyone(c) if row.id == target), None)
            return None if node is None else Look(node.host, {"draining_since": node.draining_since}, {})
        case _ if kind in HELD:
            return _held(c, target)
    return None


def _held(c: Connection, scope: str) -> Look | None:
    held = next((row for row in nodes.held(c) if row.scope == scope), None)
    fields: Fields = {} if held is None else {"paused_since": held.since, "reason": held.reason}
    limit = nodes.limits_of_queues(c).get(scope.removeprefix(QUEUE)) if scope.startswith(QUEUE) else None
    fields |= {} if limit is None else {"limit": limit}
    return Look(None, fields, {}) if fields else None


def changed(before: Look | None, after: Look | None) -> tuple[Fields | None, Fields | None]:
    """Return the fields that are not the same, as they were and as they are; None where there was or is nothing."""
    was, now_is = {} if before is None else before.stored, {} if after is None else after.stored
    names = [name for name in {**was, **now_is} if was.get(name) != now_is.get(name)]
    return None if before is None else before.of(names), None if after is None else after.of(names)


def _task(row: Row[Any], mask: Mask) -> Look:
    stored = {name: getattr(row, name) for name in OF_TASKS}
    names = {"module_id": row.module_id, "function_name": row.function_name}
    return Look(row.name, stored, {"parameters": mask(names | {"parameters": _read(row.parameters)})})


def _cleanup(row: Row[Any], mask: Mask) -> Look:
    stored = {name: getattr(row, name) for name in OF_CLEANUPS}
    config = _read(row.config)
    if isinstance(config, dict) and "parameters" in config:
        names = {"module_id": row.module_id, "function_name": str(config.get("function_name"))}
        config = config | {"parameters": mask(names | {"parameters": config["parameters"]})}
    return Look(f"{row.module_id}/{row.cleanup_type}", stored, {"config": config})


def plain(fields: Mapping[str, Any]) -> Fields:
    """Return fields as JSON can hold them, each of them bounded."""
    return {name: _plain(value) for name, value in fields.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, str):
        return storable(value, LONGEST)
    try:
        text = strict_json.dumps(value)
    except strict_json.JsonError:
        return storable_repr(value, LONGEST)
    return value if len(text) <= LONGEST else storable(text, LONGEST)


def _value(name: str, value: Any) -> Any:
    return _read(value) if name in OF_JSON and isinstance(value, str) else value


def _read(text: str) -> Any:
    try:
        return strict_json.loads(text, max_bytes=2 * strict_json.MAX_BYTES)
    except strict_json.JsonError:
        return {"corrupt": True}
