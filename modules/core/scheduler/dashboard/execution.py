"""One execution: its way from its time to its end, what it tells, why it came out so, and what can be done about it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import Request

from framework.caller import Scope
from modules.core.scheduler.dashboard.desk import Desk, Form, Values
from modules.core.scheduler.dashboard.wording import progress_of, seconds
from modules.core.scheduler.execution import OPEN, State

LINES = 200  # the newest, of those that are looked at
PAGES = 20  # of log lines that are looked at
AGAIN = (State.FAILED, State.TIMED_OUT, State.LOST, State.CANCELLED)


def add(desk: Desk) -> None:
    """Add the screen and its actions."""

    @desk.screen("/executions/{execution_id}", "execution.html")
    async def execution(request: Request) -> Values:
        found = (await desk.scheduler.get_execution(_id(request))).unwrap()
        task = (await desk.scheduler.get_task(found["task_id"])).data
        attempts = (await desk.scheduler.attempts_of(found["id"])).unwrap()
        lines, earlier = await _lines(desk, found["id"])
        return {
            "screen": "executions",
            "execution": found,
            "task": task,
            "explained": (await desk.scheduler.explain_execution(found["id"])).unwrap(),
            "steps": steps(found),
            "attempts": attempts,
            "next_retry": next((each for each in attempts if _is_later(each, found)), None),
            "can_retry": found["state"] in AGAIN and all(each["attempt"] <= found["attempt"] for each in attempts),
            "progress": progress_of(found["progress"]),
            "lines": lines,
            "earlier": earlier,
        }

    @desk.action("/executions/{execution_id}/cancel", scope=Scope.OPERATE)
    async def cancel_execution(request: Request, _: Form) -> tuple[str, str | None]:
        found = (await desk.scheduler.cancel_execution(_id(request))).unwrap()
        return ("It is cancelled." if found["state"] == State.CANCELLED else "It was asked to stop."), None

    @desk.action("/executions/{execution_id}/retry", scope=Scope.OPERATE)
    async def retry_execution(request: Request, _: Form) -> tuple[str, str | None]:
        begun = (await desk.scheduler.retry_execution(_id(request))).unwrap()
        return "This is the further attempt.", desk.path(request, f"/executions/{begun['execution_id']}")


def steps(execution: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return its way as `{"name", "at", "note", "kind"}`, in order; what is still to come has no moment.

    Claimed and started are one moment: whoever claims an execution starts it at once.
    """
    due, started, ended = execution["due_at"], execution["start_time"], execution["end_time"]
    later = _between(execution["scheduled_for"], due)
    waited = _between(due, started)
    attempt = f"attempt {execution['attempt']}" if execution["attempt"] > 1 else ""
    way = [
        {"name": "scheduled for", "at": execution["scheduled_for"], "note": "", "kind": "done"},
        {"name": "due", "at": due, "note": f"{later} later, {attempt}".rstrip(", ") if later else attempt},
    ]
    if execution["state"] not in (State.MISSED, State.SKIPPED):
        said = f"after {waited}" if waited else ("at once" if started else "")
        way.append({"name": "claimed and started", "at": started, "note": said, "node": execution["node_id"]})
    took = "" if execution["duration"] is None else f"took {seconds(execution['duration'])}"
    way.append({"name": _ending(execution["state"]), "at": ended, "note": took})
    return [{"node": None, "kind": "done" if each["at"] else "", **each} for each in way]


def _is_later(attempt: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    return bool(attempt["attempt"] > found["attempt"] and attempt["state"] == State.PENDING)


def _ending(state: str) -> str:
    if state in OPEN:
        return "ends"
    return "recorded" if state in (State.MISSED, State.SKIPPED) else "ended"


def _between(first: datetime | None, second: datetime | None) -> str:
    """Return how long it is from one moment to the other, nothing where that is less than a millisecond."""
    if first is None or second is None:
        return ""
    length = (second - first).total_seconds()
    return seconds(length) if length >= 0.001 else ""


async def _lines(desk: Desk, execution_id: str) -> tuple[list[dict[str, Any]], bool]:
    """Return its newest log lines, oldest first, and whether there are earlier ones."""
    lines: list[dict[str, Any]] = []
    after: int | None = 0
    for _ in range(PAGES):
        page = (await desk.scheduler.execution_logs(execution_id, after=after or 0)).unwrap()
        lines, after = [*lines, *page["lines"]], page["next_after"]
        if after is None:
            break
    return lines[-LINES:], len(lines) > LINES


def _id(request: Request) -> str:
    return str(request.path_params["execution_id"])
