"""How one execution, its log lines and a stream of executions, given as plain dicts, read on a terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from framework.terminal import PROGRAM, moment_text, printable
from modules.core.scheduler.showing.tasks import took

LONGEST = 2_000  # characters of a result or a payload; `--json` gives all of it

Shown = Mapping[str, Any]


def execution_facts(execution: Shown, attempts: Sequence[Shown] = ()) -> list[tuple[str, str]]:
    """Return what there is to know of an execution, as `(label, text)`; what is empty is left out."""
    told = [
        ("task", execution.get("task_name") or execution["task_id"]),
        ("id", execution["id"]),
        ("state", " ".join(filter(None, (execution["state"], execution["reason"])))),
        ("scheduled", moment_text(execution["scheduled_for"])),
        ("attempt", f"{execution['attempt']}, {_origin(execution)}"),
        ("attempts", ", ".join(f"{each['attempt']} {each['state']}" for each in attempts) if attempts[1:] else ""),
        ("missed", _missed(execution)),
        ("node", execution["node_id"] or ""),
        ("started", _moment(execution["start_time"])),
        ("ended", _moment(execution["end_time"])),
        ("took", "" if execution["duration"] is None else took(execution["duration"])),
        ("cancelled", _moment(execution["cancel_requested_at"])),
        ("out of time", _moment(execution["timed_out_at"])),
        ("progress", progress_text(execution["progress"])),
        ("payload", _json(execution["payload"])),
        ("result", _json(execution["result"])),
        ("trace", execution["trace_session_id"] or ""),
        *(("error", line) for line in (execution["error"] or "").splitlines()),
        *(("traceback", line) for line in (execution["traceback"] or "").splitlines()),
        ("next step", next_step(execution)),
    ]
    return [(label, text) for label, text in told if text]


def next_step(execution: Shown) -> str:
    """Return the command that is likely wanted next, empty where there is none."""
    if execution["success"] is False:
        return f"{PROGRAM} executions retry {execution['id']}"
    if execution["state"] in ("pending", "skipped", "missed"):
        return f"{PROGRAM} executions explain {execution['id']}"
    return ""


def progress_text(progress: Shown | None) -> str:
    """Return how far a function says that it is: `40 %, 4 of 10, reads the files`."""
    if not progress or "fraction" not in progress:
        return ""
    counted = "" if progress.get("total") is None else f"{progress['done']:g} of {progress['total']:g}"
    return ", ".join(filter(None, (f"{progress['fraction']:.0%}", counted, progress.get("message"))))


def cancelled(execution: Shown) -> str:
    """Return in one line what has come of the wish to end an execution."""
    what = f"execution {execution['id']}"
    return f"{what} is cancelled" if execution["state"] == "cancelled" else f"{what} is asked to stop"


def stream_line(execution: Shown) -> str:
    """Return what an execution does, or has come to, in one line of a stream."""
    came = "" if execution["duration"] is None else f" in {took(execution['duration'])}"
    why = " ".join(str(execution["error"] or execution["reason"] or "").split())
    moment = execution["end_time"] or execution["start_time"] or execution["created_at"]
    told = f"{execution['state']}{came}" + (f": {why}" if why else "")
    return f"{moment_text(moment)}  {execution['task_name']}  {told}"


def log_line(line: Shown) -> str:
    """Return a line that an execution has logged."""
    return f"{line['at'].astimezone():%H:%M:%S}  {line['level']:<7}  {printable(line['message'])}"


def _origin(execution: Shown) -> str:
    return {"schedule": "by its schedule", "manual": "by hand"}.get(execution["origin"], f"by {execution['origin']}")


def _missed(execution: Shown) -> str:
    count = execution["missed_count"]
    return f"{count} since {moment_text(execution['missed_since'])}" if count else ""


def _moment(moment: Any) -> str:
    return "" if moment is None else moment_text(moment)


def _json(value: Any) -> str:
    text = "" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… (all of it with --json)"
