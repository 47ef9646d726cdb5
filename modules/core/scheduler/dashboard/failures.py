"""What failed lately, the same failures together: how often, since when, and whether to try again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from hashlib import sha256
from itertools import groupby
from typing import Any

from fastapi import Request

from framework.caller import Scope
from modules.core.scheduler.dashboard.desk import Desk, Form, Values
from modules.core.scheduler.execution import State

STATES = (State.FAILED, State.TIMED_OUT, State.LOST)
WINDOWS = {"1h": timedelta(hours=1), "24h": timedelta(hours=24), "7d": timedelta(days=7)}
MOST = 500  # of each state that are looked at
AGAIN = 100  # that are tried again at once

_CHANGING = re.compile(r"0x[0-9a-f]+|[0-9a-f]{8}-[0-9a-f-]{27}|\d+")


def add(desk: Desk) -> None:
    """Add the screen and its action."""

    @desk.screen("/failures", "failures.html")
    async def failures(request: Request) -> Values:
        window = _window(request.query_params.get("window"))
        rows, is_cut = await _failed(desk, window)
        return {
            "screen": "failures",
            "groups": grouped(rows),
            "windows": list(WINDOWS),
            "window": window,
            "is_cut": is_cut,
            "again": AGAIN,
        }

    @desk.action("/failures/{group}/retry", scope=Scope.OPERATE)
    async def retry_failures(request: Request, form: Form) -> tuple[str, str | None]:
        rows, _ = await _failed(desk, _window(form.get("window")))
        group = next((each for each in grouped(rows) if each["id"] == request.path_params["group"]), None)
        if group is None:
            return "None of these failures is left.", None
        answers = [await desk.scheduler.retry_execution(row["id"]) for row in group["executions"][:AGAIN]]
        done = sum(answer.success for answer in answers)
        refused = next((answer.error.message for answer in answers if answer.error is not None), None)
        return f"{done} of {len(answers)} are tried again." + (
            f" The others are not: {refused}." if refused else ""
        ), None


def grouped(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return failures of one task that say the same, but for numbers and ids, as one; those with the most first."""
    ordered = sorted(rows, key=lambda row: (row["task_id"], fingerprint(row), row["end_time"]), reverse=True)
    groups = []
    for (task_id, same), found in groupby(ordered, key=lambda row: (row["task_id"], fingerprint(row))):
        executions = list(found)
        newest = executions[0]
        groups.append(
            {
                "id": sha256(f"{task_id}\0{same}".encode()).hexdigest()[:16],
                "task_id": task_id,
                "task_name": newest["task_name"],
                "error": newest["error"] or newest["reason"] or newest["state"],
                "state": newest["state"],
                "count": len(executions),
                "first": executions[-1]["end_time"],
                "last": newest["end_time"],
                "newest": newest["id"],
                "executions": executions,
            }
        )
    return sorted(groups, key=lambda group: (group["count"], group["last"]), reverse=True)


def fingerprint(row: Mapping[str, Any]) -> str:
    """Return what a failure says without what changes from one to the next."""
    return _CHANGING.sub("#", str(row["error"] or row["reason"] or row["state"]).lower())


async def _failed(desk: Desk, window: str) -> tuple[list[dict[str, Any]], bool]:
    since = desk.clock.now() - WINDOWS[window]
    rows: list[dict[str, Any]] = []
    is_cut = False
    for state in STATES:
        page = (await desk.scheduler.get_executions(state=state, since=since, limit=MOST)).unwrap()
        rows += page["executions"]
        is_cut = is_cut or page["next_cursor"] is not None
    return rows, is_cut


def _window(asked: str | None) -> str:
    return asked if asked in WINDOWS else "24h"
