"""What is done by hand to single occurrences of a task: small forms on its page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import Request

from framework.caller import Scope
from framework.terminal import moment_text
from modules.core.scheduler.dashboard.desk import Desk, Form
from modules.core.scheduler.dashboard.wording import plural
from modules.core.scheduler.trigger import zone

Said = tuple[str, str | None]


def add(desk: Desk) -> None:
    """Add the actions."""

    @desk.action("/tasks/{task_id}/skip", scope=Scope.OPERATE)
    async def skip_next(request: Request, form: Form) -> Said:
        nominal, reason = form.get("scheduled_for") or None, form.get("reason") or None
        told = (await desk.scheduler.skip_next(_id(request), nominal, reason)).unwrap()
        return f"The run of {await _local(desk, request, told['scheduled_for'])} is left out.", None

    @desk.action("/tasks/{task_id}/shift", scope=Scope.OPERATE)
    async def shift_next(request: Request, form: Form) -> Said:
        nominal = form.get("scheduled_for") or None
        told = (await desk.scheduler.shift_next(_id(request), form.get("to", ""), nominal)).unwrap()
        moved, to = [await _local(desk, request, told[name]) for name in ("scheduled_for", "due_at")]
        return f"The run of {moved} starts at {to}.", None

    @desk.action("/tasks/{task_id}/until", scope=Scope.OPERATE)
    async def run_until(request: Request, form: Form) -> Said:
        told = (await desk.scheduler.run_until(_id(request), form.get("until") or None)).unwrap()
        if told["until"] is None:
            return "It has no such end any more.", None
        return f"It runs until {await _local(desk, request, told['until'])}.", None

    @desk.action("/tasks/{task_id}/backfill", scope=Scope.OPERATE)
    async def backfill(request: Request, form: Form) -> Said:
        is_question = form.get("really") != "yes"
        start, end = form.get("start", ""), form.get("end", "")
        told = (await desk.scheduler.backfill(_id(request), start, end, dry_run=is_question)).unwrap()
        return _placed(told, "would be placed" if is_question else "will run, one at a time"), None


def _placed(told: dict[str, Any], what: str) -> str:
    there = f" {plural(told['already'], 'other')} ran, run or wait already." if told["already"] else ""
    return f"{plural(told['placed'], 'run')} {what}.{there}"


async def _local(desk: Desk, request: Request, moment: datetime) -> str:
    task = (await desk.scheduler.get_task(_id(request))).unwrap()
    return moment_text(moment, zone(task["timezone"]))


def _id(request: Request) -> str:
    return str(request.path_params["task_id"])
