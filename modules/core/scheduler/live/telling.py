"""Rows as the fields of events, with the names that tasks and executions have elsewhere."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from framework import strict_json
from modules.core.scheduler.live.live_event import Kind
from modules.core.scheduler.store.happenings import EXECUTION_COLUMNS
from modules.core.scheduler.views import seconds_between

SHOWN = tuple(name for name in EXECUTION_COLUMNS if name not in ("id", "event_id"))
REPORTED: tuple[str, ...] = (
    "cleanup_type",
    "module_id",
    "success",
    "dry_run",
    "started_at",
    "ended_at",
    "seconds",
    "matched",
    "deleted",
)
REPORTED += ("bytes", "freed_bytes", "code", "error_count")


def of_task(row: Row[Any], created: Collection[str]) -> dict[str, Any]:
    """Return that a task is new, or has changed: as it is by now."""
    names = ("status", "status_reason", "next_execution")
    what = "created" if row.id in created else "changed"
    told = {"kind": Kind.TASK, "at": row.changed_at or row.created_at, "what": what, "task_id": row.id}
    return told | {"task_name": row.name, "module_id": row.module_id} | {name: getattr(row, name) for name in names}


def of_execution(row: Row[Any]) -> dict[str, Any]:
    """Return what became of an execution; `what` is its state, or `stopping` where it runs and is asked to stop."""
    what = "stopping" if row.state == "running" and is_asked(row) else row.state
    at = row.end_time or row.start_time or row.created_at
    told = {"kind": Kind.EXECUTION, "at": at, "what": what, "execution_id": row.id, **_task(row)}
    shown = {name: getattr(row, name) for name in SHOWN}
    return told | shown | {"duration": seconds_between(row.start_time, row.end_time), "task_status": row.task_status}


def is_asked(row: Row[Any]) -> bool:
    """Whether a running execution is to stop: somebody wants it, or its time is up."""
    return row.cancel_requested_at is not None or row.timed_out_at is not None


def of_progress(row: Row[Any]) -> dict[str, Any]:
    """Return how far a running execution says it is."""
    told = {"kind": Kind.PROGRESS, "execution_id": row.id, "task_id": row.event_id}
    return told | {"progress": _read(row.progress)}


def of_line(row: Row[Any]) -> dict[str, Any]:
    """Return a log line of an execution."""
    line = {name: getattr(row, name) for name in ("number", "at", "level", "logger", "message")}
    return {"kind": Kind.LOG, "execution_id": row.execution_id, **line}


def of_report(row: Row[Any]) -> dict[str, Any]:
    """Return that a cleanup has run, and what it came to."""
    report = _read(row.report)
    fields = report if isinstance(report, dict) else {}
    at = _moment(fields.get("ended_at")) or row.started_at
    told = {"kind": Kind.CLEANUP, "at": at, "what": "ran", "cleanup_id": row.cleanup_id, "report_id": row.id}
    return told | {name: fields.get(name) for name in REPORTED}


def of_node(row: Row[Any], what: str) -> dict[str, Any]:
    """Return what a node does."""
    told = {"kind": Kind.NODE, "what": what, "node_id": row.id}
    return told | {name: getattr(row, name) for name in ("host", "pid", "started_at", "draining_since")}


def of_pause(row: Row[Any], what: str) -> dict[str, Any]:
    """Return what an operator holds back, or lets go: `*`, a module, `queue:` and a name, or the cleanups."""
    return {"kind": Kind.PAUSE, "what": what, "scope": row.scope, "reason": row.reason, "since": row.since}


def _task(row: Row[Any]) -> dict[str, Any]:
    return {"task_id": row.event_id, "task_name": row.name, "module_id": row.module_id}


def _read(text: str) -> Any:
    try:
        return strict_json.loads(text)
    except strict_json.JsonError:
        return None


def _moment(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None
