"""The same done to many tasks or executions, the chosen or all that fit, after a page that says how many they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from fastapi import Request

from framework.caller import Scope
from framework.web.problems import Problem
from modules.core.scheduler.dashboard.desk import Desk, Form, Values
from modules.core.scheduler.dashboard.many import EXECUTIONS, TASKS, Deed, Filters, Kind, Row
from modules.core.scheduler.dashboard.wording import counted, plural
from modules.core.scheduler.pages import MAX_LIMIT
from modules.core.scheduler.service import SchedulerService

AT_ONCE = 500
NAMED = 10  # on the page that asks


def add(desk: Desk) -> None:
    """Add the pages that ask, and what they ask about."""
    for kind in (TASKS, EXECUTIONS):
        _add(desk, kind)


async def carried_out(scheduler: SchedulerService, kind: Kind, act: str, ids: list[str], reason: str = "") -> str:
    """Do it to each of them, and return what came of it."""
    deed = kind.deeds[act]
    answers = [await deed.act(scheduler, each, reason or None) for each in ids]
    refused = [answer.error.message for answer in answers if answer.error is not None]
    done = len(answers) - len(refused)
    why = f" {len(refused)} were refused: {refused[0]}." if refused else ""
    return f"{plural(done, kind.noun)} {'is' if done == 1 else 'are'} {deed.done}.{why}"


def _add(desk: Desk, kind: Kind) -> None:
    @desk.screen(f"/{kind.screen}/-/bulk", "bulk.html", scope=Scope.OPERATE)
    async def ask(request: Request) -> Values:
        given = request.query_params
        deed = kind.deeds.get(given.get("act", ""))
        values = {
            "screen": kind.screen,
            "kind": kind,
            "deed": deed,
            "rows": [],
            "list": _list(desk, request, kind, given),
        }
        return values if deed is None else values | {"act": given["act"], **await _asked(desk, request, kind, deed)}

    @desk.action(f"/{kind.screen}/-/bulk", scope=Scope.OPERATE)
    async def carry_out(request: Request, form: Form) -> tuple[str, str | None]:
        deed = kind.deeds.get(form.get("act", ""))
        if deed is None:
            raise Problem(422, "INVALID_REQUEST", f"there is no such action; there are {', '.join(kind.deeds)}")
        if form.get("which") == "all":
            filters = await kind.filters_of(desk, kind.asked_for(form))
            rows = await _fitting(desk.scheduler, kind, deed, filters, AT_ONCE)
        else:
            rows = await _chosen(desk.scheduler, kind, deed, form.get("ids", "").split(","))
        ids = [row["id"] for row in rows]
        said = await carried_out(desk.scheduler, kind, form["act"], ids, form.get("reason", ""))
        return said, _list(desk, request, kind, form)


async def _asked(desk: Desk, request: Request, kind: Kind, deed: Deed) -> Values:
    given, which = request.query_params, kind.asked_for(request.query_params)
    if given.get("which") == "all":
        filters = await kind.filters_of(desk, which)
        number, is_cut = await _count(desk.scheduler, kind, deed, filters)
        rows = await _fitting(desk.scheduler, kind, deed, filters, NAMED)
        which["which"] = "all"
    else:
        rows = await _chosen(desk.scheduler, kind, deed, given.getlist("id"))
        number, is_cut = len(rows), False
        which |= {"which": "chosen", "ids": ",".join(row["id"] for row in rows)}
    told = counted(number, is_cut, kind.noun)
    return {
        "asks": deed.asks.format(told),
        "does": deed.asks.format(told if number <= AT_ONCE else plural(AT_ONCE, kind.noun)),
        "at_once": None if number <= AT_ONCE else AT_ONCE,
        "rows": rows[:NAMED],
        "others": number - len(rows[:NAMED]),
        "which": which,
    }


async def _count(scheduler: SchedulerService, kind: Kind, deed: Deed, filters: Filters) -> tuple[int, bool]:
    counts = [await kind.count(scheduler, each) for each in _by_state(kind, deed, filters)]
    return sum(each["count"] for each in counts), any(each["is_cut"] for each in counts)


async def _fitting(scheduler: SchedulerService, kind: Kind, deed: Deed, filters: Filters, most: int) -> list[Row]:
    found: list[Row] = []
    for each in _by_state(kind, deed, filters):
        cursor, goes_on = None, True
        while goes_on and len(found) < most:
            limit = min(most - len(found), MAX_LIMIT)
            rows, cursor = await kind.page(scheduler, {**each, "limit": limit, "cursor": cursor})
            found, goes_on = found + rows, cursor is not None
    return found


def _by_state(kind: Kind, deed: Deed, filters: Filters) -> list[Filters]:
    wanted = filters.get(kind.state)
    return [{**filters, **deed.filters, kind.state: state} for state in deed.states if wanted in (None, state)]


async def _chosen(scheduler: SchedulerService, kind: Kind, deed: Deed, ids: list[str]) -> list[Row]:
    found = [await kind.find(scheduler, each) for each in dict.fromkeys(ids[:AT_ONCE])]
    return [row for row in found if row is not None and row["state"] in deed.states]


def _list(desk: Desk, request: Request, kind: Kind, given: Mapping[str, Any]) -> str:
    asked = kind.asked_for(given)
    return desk.path(request, f"/{kind.screen}") + (f"?{urlencode(asked)}" if asked else "")
