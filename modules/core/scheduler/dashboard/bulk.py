"""The same done to many tasks: those that were chosen, or all that fit, after a page that says how many they are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import Request

from framework.caller import Scope
from framework.result import Result
from framework.web.problems import Problem
from modules.core.scheduler.dashboard.desk import Desk, Form, Values
from modules.core.scheduler.dashboard.tasks import asked_for, filters_of
from modules.core.scheduler.dashboard.wording import counted, plural
from modules.core.scheduler.pages import MAX_LIMIT
from modules.core.scheduler.service import SchedulerService

AT_ONCE = 500
NAMED = 10  # on the page that asks


@dataclass(frozen=True, slots=True)
class Deed:
    """What can be done to many: in words, to tasks of which states, and how."""

    verb: str
    done: str
    says: str
    statuses: tuple[str, ...]
    act: Callable[[SchedulerService, str, str | None], Awaitable[Result[Any]]]


DEEDS = {
    "pause": Deed(
        "Pause",
        "paused",
        "They run no more until they are resumed; what runs finishes.",
        ("pending", "running"),
        lambda scheduler, task_id, reason: scheduler.pause_task(task_id, reason),
    ),
    "resume": Deed(
        "Resume",
        "resumed",
        "They go on from now.",
        ("paused",),
        lambda scheduler, task_id, _: scheduler.resume_task(task_id),
    ),
    "run": Deed(
        "Run",
        "started",
        "Each runs once, now, beside its schedule.",
        ("pending", "running", "paused"),
        lambda scheduler, task_id, _: scheduler.execute_task(task_id),
    ),
    "cancel": Deed(
        "Cancel",
        "cancelled",
        "They end for good. Their history stays, and what runs finishes.",
        ("pending", "running", "paused"),
        lambda scheduler, task_id, _: scheduler.cancel_task(task_id),
    ),
}


def add(desk: Desk) -> None:
    """Add the page that asks, and what it asks about."""

    @desk.screen("/tasks/-/bulk", "bulk.html", scope=Scope.OPERATE)
    async def ask(request: Request) -> Values:
        return await _asked(desk, request)

    @desk.action("/tasks/-/bulk", scope=Scope.OPERATE)
    async def carry_out(request: Request, form: Form) -> tuple[str, str | None]:
        if form.get("act") not in DEEDS:
            raise Problem(422, "INVALID_REQUEST", f"there is no such action; there are {', '.join(DEEDS)}")
        deed = DEEDS[form["act"]]
        if form.get("which") == "all":
            tasks = await _fitting(desk.scheduler, deed, filters_of(form), AT_ONCE)
        else:
            tasks = await _chosen(desk.scheduler, deed, form.get("ids", "").split(","))
        reason = form.get("reason") or None
        answers = [await deed.act(desk.scheduler, task["id"], reason) for task in tasks]
        return _told(deed, answers), _list(desk, request, form)


async def _asked(desk: Desk, request: Request) -> Values:
    given = request.query_params
    if given.get("act") not in DEEDS:
        return {"screen": "tasks", "tasks": [], "deed": None, "list": _list(desk, request, given)}
    deed = DEEDS[given["act"]]
    if given.get("which") == "all":
        number, is_cut = await _count(desk.scheduler, deed, filters_of(given))
        tasks = await _fitting(desk.scheduler, deed, filters_of(given), NAMED)
        which: dict[str, str] = {"which": "all", **asked_for(given)}
    else:
        tasks = await _chosen(desk.scheduler, deed, given.getlist("id"))
        number, is_cut = len(tasks), False
        which = {"which": "chosen", "ids": ",".join(task["id"] for task in tasks)}
    return {
        "screen": "tasks",
        "act": given["act"],
        "deed": deed,
        "number": counted(number, is_cut, "task"),
        "at_once": None if number <= AT_ONCE else AT_ONCE,
        "tasks": tasks[:NAMED],
        "others": number - len(tasks[:NAMED]),
        "which": which,
        "list": _list(desk, request, given),
    }


async def _count(scheduler: SchedulerService, deed: Deed, filters: Mapping[str, Any]) -> tuple[int, bool]:
    counts = [(await scheduler.count_tasks(**each)).unwrap() for each in _by_status(deed, filters)]
    return sum(each["count"] for each in counts), any(each["is_cut"] for each in counts)


async def _fitting(
    scheduler: SchedulerService, deed: Deed, filters: Mapping[str, Any], most: int
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for each in _by_status(deed, filters):
        cursor, goes_on = None, True
        while goes_on and len(found) < most:
            limit = min(most - len(found), MAX_LIMIT)
            page = (await scheduler.list_tasks(**each, limit=limit, cursor=cursor)).unwrap()
            found, cursor = found + page["tasks"], page["next_cursor"]
            goes_on = cursor is not None
    return found


def _by_status(deed: Deed, filters: Mapping[str, Any]) -> list[dict[str, Any]]:
    wanted = filters.get("status")
    return [{**filters, "status": status} for status in deed.statuses if wanted in (None, status)]


async def _chosen(scheduler: SchedulerService, deed: Deed, ids: list[str]) -> list[dict[str, Any]]:
    found = [await scheduler.get_task(task_id) for task_id in dict.fromkeys(ids[:AT_ONCE])]
    return [task.data for task in found if task.success and task.data["status"] in deed.statuses]


def _told(deed: Deed, answers: list[Result[Any]]) -> str:
    refused = [answer.error.message for answer in answers if answer.error is not None]
    done = plural(len(answers) - len(refused), "task")
    why = f" {len(refused)} were refused: {refused[0]}." if refused else ""
    return f"{done} {'is' if done.startswith('1 ') else 'are'} {deed.done}.{why}"


def _list(desk: Desk, request: Request, given: Mapping[str, str]) -> str:
    asked = asked_for(given)
    return desk.path(request, "/tasks") + (f"?{urlencode(asked)}" if asked else "")
