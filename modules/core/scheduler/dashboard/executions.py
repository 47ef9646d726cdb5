"""What ran, runs, or did not run: found by the address, what runs now above it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import Request

from framework.result import ResultError
from modules.core.scheduler.dashboard.desk import Desk, Values
from modules.core.scheduler.execution import State

PAGE = 50
NOW = 10  # running ones that stand above the list
STATES = [state.value for state in State]
FILTERS = {"state": "state", "module": "module_id", "since": "since", "until": "until"}
"""What the address calls a filter, and what the service calls it; `task`, an id or a name, comes beside them."""

Filters = dict[str, Any]


def add(desk: Desk) -> None:
    """Add the screen."""

    @desk.screen("/executions", "executions.html")
    async def executions(request: Request) -> Values:
        asked, cursor = asked_for(request.query_params), request.query_params.get("cursor") or None
        task, candidates = await _task(desk, asked.get("task"))
        values: Values = {"screen": "executions", "states": STATES, "asked": asked, "task": task, "running": []}
        values |= {"candidates": candidates, "modules": await _modules(desk), "problem": None}
        try:
            values |= await _listed(desk, await filters_of(desk, asked), cursor)
        except ResultError as refusal:  # said above the list
            values |= {"executions": [], "next_cursor": None, "counted": {"count": 0, "is_cut": False}}
            values["problem"] = refusal.error.message
        if not asked and cursor is None:
            running = (await desk.scheduler.get_executions(state=State.RUNNING, limit=NOW)).unwrap()
            values["running"] = running["executions"]
        return values


async def _listed(desk: Desk, filters: Filters, cursor: str | None) -> Values:
    page = (await desk.scheduler.get_executions(**filters, limit=PAGE, cursor=cursor)).unwrap()
    return page | {"counted": (await desk.scheduler.count_executions(**filters)).unwrap()}


def asked_for(given: Mapping[str, str]) -> dict[str, str]:
    """Return the filters of an address or a form that say anything."""
    asked = {name: given.get(name, "").strip() for name in ("task", *FILTERS)}
    return {name: value for name, value in asked.items() if value and (name != "state" or value in STATES)}


async def filters_of(desk: Desk, asked: Mapping[str, str]) -> Filters:
    """Return the same in the words of the service; a task that nobody can tell stays as it was asked for."""
    filters: Filters = {FILTERS[name]: value for name, value in asked.items() if name in FILTERS}
    if "task" not in asked:
        return filters
    task, _ = await _task(desk, asked["task"])
    return filters | {"task_id": asked["task"] if task is None else task["id"]}


async def _task(desk: Desk, wanted: str | None) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """Return the task of this id, or the only one of this name; else None, and those that may be meant."""
    if wanted is None:
        return None, []
    found = await desk.scheduler.get_task(wanted)
    if found.success:
        return found.data, []
    near = (await desk.scheduler.list_tasks(search=wanted, limit=20)).unwrap()["tasks"]
    same = [task for task in near if task["name"] == wanted] or near
    return (same[0], []) if len(same) == 1 else (None, same)


async def _modules(desk: Desk) -> list[str]:
    return sorted({each["module_id"] for each in (await desk.scheduler.list_functions()).unwrap()})
