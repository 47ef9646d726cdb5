"""How tasks and executions, given as the plain dicts of the services, read on a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from framework.terminal import PROGRAM, moment_text, span
from modules.core.scheduler.functions import MASK
from modules.core.scheduler.status import in_human_words

Shown = Mapping[str, Any]

TASK_COLUMNS = ("NEXT", "LEFT", "LAST", "PASSED", "STATE", "RUNS", "TASK", "TRIGGER")
EXECUTION_COLUMNS = ("SCHEDULED", "TASK", "ATTEMPT", "STATE", "REASON", "TOOK", "ID", "ERROR")


def task_rows(tasks: Iterable[Shown], now: datetime) -> list[tuple[str, ...]]:
    """Return one row of `TASK_COLUMNS` for each task, those that come next first."""
    latest = datetime.max.replace(tzinfo=now.tzinfo)
    return [_task_row(task, now) for task in sorted(tasks, key=lambda task: _next(task) or latest)]


def _task_row(task: Shown, now: datetime) -> tuple[str, ...]:
    following, last = _next(task), task["last_execution"]
    return (
        moment_text(following),
        "-" if following is None else span(following - now),
        "-" if last is None else _short(last, now),
        "-" if last is None else f"{span(now - last)} {'!!' if needs_attention(task) else 'ok'}",
        task["status"],
        runs(task),
        task["name"],
        task["schedule"],
    )


def _next(task: Shown) -> datetime | None:
    """Return when a task fires next; one that is held has no such time."""
    moment: datetime | None = task["next_execution"]
    return moment if task["status"] in ("pending", "running") else None


def _short(moment: datetime, now: datetime) -> str:
    local, today = moment.astimezone(), now.astimezone()
    return f"{local:%H:%M:%S}" if local.date() == today.date() else f"{local:%Y-%m-%d}"


def runs(task: Shown) -> str:
    """Return how often a task has run, of how many times where that is bounded."""
    count, most = task["execution_count"], task["max_executions"]
    return str(count) if most is None else f"{count}/{most}"


def needs_attention(task: Shown) -> bool:
    """Tell whether somebody should look at a task: it failed, or its last run did."""
    return task["status"] == "failed" or (task["last_error"] is not None and task["status"] != "cancelled")


def verdict(tasks: Sequence[Shown]) -> str:
    """Return how many tasks were shown, and the command that tells what is wrong with the first that needs it."""
    if not tasks:
        return "no tasks"
    counted = f"{len(tasks)} task{'' if len(tasks) == 1 else 's'}"
    troubled = [task for task in tasks if needs_attention(task)]
    if not troubled:
        return counted
    verb = "needs" if len(troubled) == 1 else "need"
    return f"{counted}, {len(troubled)} {verb} attention: {PROGRAM} executions list --task {troubled[0]['id']} --failed"


def task_facts(task: Shown, now: datetime) -> list[tuple[str, str]]:
    """Return what there is to know of a task, as `(label, text)`; what is empty is left out."""
    following = _next(task)
    facts = [
        ("task", task["name"]),
        ("id", task["id"]),
        ("description", task["description"]),
        ("function", f"{task['module_id']}:{task['function_name']}"),
        ("state", " ".join(filter(None, (task["status"], task["status_reason"])))),
        ("blocked", task["blocked_reason"]),
        ("trigger", f"{task['schedule']} ({task['timezone']})"),
        ("next", "" if following is None else f"{moment_text(following)}, {in_human_words(following, now)}"),
        ("last", "" if task["last_execution"] is None else moment_text(task["last_execution"])),
        ("last error", _one_line(task["last_error"])),
        ("runs", runs(task)),
        ("parameters", _parameters(task["parameters"])),
        ("policies", _json({**task["policies"], "overlap": task["overlap"], "delivery": task["delivery"]})),
        ("priority", str(task["priority"] or "")),
        ("tags", ", ".join(task["tags"])),
        ("key", task["key"]),
    ]
    return [(label, text) for label, text in facts if text]


def execution_rows(executions: Iterable[Shown]) -> list[tuple[str, ...]]:
    """Return one row of `EXECUTION_COLUMNS` for each execution."""
    return [
        (
            moment_text(each["scheduled_for"]),
            each["task_name"],
            str(each["attempt"]),
            each["state"],
            each["reason"] or "-",
            "-" if each["duration"] is None else took(each["duration"]),
            each["id"],
            _one_line(each["error"]) or "-",
        )
        for each in executions
    ]


def took(seconds: float) -> str:
    """Return how long something took: `12 ms`, `3.2 s`, `5m 10s`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 60 else span(timedelta(seconds=seconds))


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())


def _parameters(parameters: Mapping[str, Any]) -> str:
    """Say what is given; where all of it is masked, this process does not know the function, nor what is secret."""
    if parameters and all(value == MASK for value in parameters.values()):
        return f"{', '.join(parameters)} (values are shown only where the function is registered)"
    return _json(parameters)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if value else ""
