"""The same done to many executions: those that were chosen, or all that fit, after a page that says how many."""

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
from modules.core.scheduler.dashboard.executions import Filters, asked_for, filters_of
from modules.core.scheduler.dashboard.wording import counted, plural
from modules.core.scheduler.pages import MAX_LIMIT
from modules.core.scheduler.service import SchedulerService

AT_ONCE = MAX_LIMIT
NAMED = 10  # on the page that asks


@dataclass(frozen=True, slots=True)
class Deed:
    """What can be done to many: in words, to executions of which states, and how."""

    verb: str
    done: str
    says: str
    states: tuple[str, ...]
    act: Callable[[SchedulerService, str], Awaitable[Result[Any]]]
    last_only: bool = False


async def _retry(scheduler: SchedulerService, execution_id: str) -> Result[Any]:
    return await scheduler.retry_execution(execution_id)


async def _cancel(scheduler: SchedulerService, execution_id: str) -> Result[Any]:
    return await scheduler.cancel_execution(execution_id)


DEEDS = {
    "retry": Deed(
        "Try again",
        "tried again",
        "Each gets a further attempt, with all its retries. Only the last attempt of an occurrence counts.",
        ("failed", "timed_out", "lost", "cancelled"),
        _retry,
        last_only=True,
    ),
    "cancel": Deed(
        "Cancel",
        "cancelled, or asked to stop",
        "What waits does not run any more, and what runs is asked to stop.",
        ("pending", "running"),
        _cancel,
    ),
}


def add(desk: Desk) -> None:
    """Add the page that asks, and what it asks about."""

    @desk.screen("/executions/-/bulk", "bulk_executions.html", scope=Scope.OPERATE)
    async def ask_of_executions(request: Request) -> Values:
        return await _asked(desk, request)

    @desk.action("/executions/-/bulk", scope=Scope.OPERATE)
    async def carry_out_on_executions(request: Request, form: Form) -> tuple[str, str | None]:
        if form.get("act") not in DEEDS:
            raise Problem(422, "INVALID_REQUEST", f"there is no such action; there are {', '.join(DEEDS)}")
        deed = DEEDS[form["act"]]
        if form.get("which") == "all":
            filters = await filters_of(desk, asked_for(form))
            ids = [row["id"] for row in await _fitting(desk.scheduler, deed, filters, AT_ONCE)]
        else:
            ids = list(dict.fromkeys(form.get("ids", "").split(",")))[:AT_ONCE]
        return await carried_out(desk.scheduler, deed, ids), _list(desk, request, form)


async def carried_out(scheduler: SchedulerService, deed: Deed, ids: list[str]) -> str:
    """Do it to each of them, and return what came of it."""
    answers = [await deed.act(scheduler, execution_id) for execution_id in ids]
    refused = [answer.error.message for answer in answers if answer.error is not None]
    done = plural(len(answers) - len(refused), "execution")
    why = f" {len(refused)} were refused: {refused[0]}." if refused else ""
    return f"{done} {'is' if done.startswith('1 ') else 'are'} {deed.done}.{why}"


async def _asked(desk: Desk, request: Request) -> Values:
    given = request.query_params
    back = _list(desk, request, given)
    if given.get("act") not in DEEDS:
        return {"screen": "executions", "executions": [], "deed": None, "list": back}
    deed, which = DEEDS[given["act"]], {"which": "all", **asked_for(given)}
    if given.get("which") == "all":
        filters = await filters_of(desk, asked_for(given))
        number, is_cut = await _count(desk.scheduler, deed, filters)
        executions = await _fitting(desk.scheduler, deed, filters, NAMED)
    else:
        executions = await _chosen(desk.scheduler, deed, given.getlist("id"))
        number, is_cut = len(executions), False
        which = asked_for(given) | {"which": "chosen", "ids": ",".join(each["id"] for each in executions)}
    return {
        "screen": "executions",
        "act": given["act"],
        "deed": deed,
        "number": counted(number, is_cut, "execution"),
        "at_once": None if number <= AT_ONCE else AT_ONCE,
        "executions": executions[:NAMED],
        "others": number - len(executions[:NAMED]),
        "which": which,
        "list": back,
    }


async def _count(scheduler: SchedulerService, deed: Deed, filters: Filters) -> tuple[int, bool]:
    counts = [(await scheduler.count_executions(**each)).unwrap() for each in _by_state(deed, filters)]
    return sum(each["count"] for each in counts), any(each["is_cut"] for each in counts)


async def _fitting(scheduler: SchedulerService, deed: Deed, filters: Filters, most: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for each in _by_state(deed, filters):
        if len(found) < most:
            found += (await scheduler.get_executions(**each, limit=most - len(found))).unwrap()["executions"]
    return found


def _by_state(deed: Deed, filters: Filters) -> list[Filters]:
    wanted = filters.get("state")
    fitting = [state for state in deed.states if wanted in (None, state)]
    return [{**filters, "state": state, "last_only": deed.last_only} for state in fitting]


async def _chosen(scheduler: SchedulerService, deed: Deed, ids: list[str]) -> list[dict[str, Any]]:
    found = [await scheduler.get_execution(each) for each in dict.fromkeys(ids[:AT_ONCE])]
    rows = [each.data for each in found if each.success and each.data["state"] in deed.states]
    names: dict[str, str] = {}
    for row in rows:
        if row["task_id"] not in names:
            names[row["task_id"]] = (await scheduler.get_task(row["task_id"])).unwrap()["name"]
    return [row | {"task_name": names[row["task_id"]]} for row in rows]


def _list(desk: Desk, request: Request, given: Mapping[str, str]) -> str:
    asked = asked_for(given)
    return desk.path(request, "/executions") + (f"?{urlencode(asked)}" if asked else "")
