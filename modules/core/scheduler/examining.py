"""What of the scheduler is amiss in an application that `doctor` looks at, and who uses its database."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from framework.context import AppContext
from framework.duration import in_words
from framework.finding import Finding
from framework.terminal import PROGRAM
from modules.core.scheduler.declarations import hand_over_functions
from modules.core.scheduler.service import SchedulerService
from modules.core.scheduler.status import nodes_now
from modules.core.scheduler.store import executions, nodes, tasks

LATE = timedelta(minutes=1)  # after which a due task that nobody has started means that nobody is there


async def in_use(app_context: AppContext) -> list[str]:
    """Return a sentence for each living node of the database."""
    return [f"node {node['id']} lives on {node['host'].split('/')[0]}" for node in await _alive(app_context)]


async def findings(app_context: AppContext) -> list[Finding]:
    """Return what keeps tasks from being carried out: functions that nobody has, and nobody to carry them out."""
    return [*await _nobody_there(app_context), *await _functions_missing(app_context)]


async def unwell(app_context: AppContext) -> list[Finding]:
    """Return why nothing is carried out now: no node lives, or those that do leave due tasks alone."""
    if not await _alive(app_context):
        return [Finding("nodes", "no node lives", f"start one: {PROGRAM} run")]
    late = await _lateness(app_context)
    if late <= LATE:
        return []
    problem = f"tasks have been due for {_in_words(late)}, and the nodes that live do not begin them"
    return [Finding("nodes", problem, f"see what they do: {PROGRAM} nodes list")]


async def history(app_context: AppContext) -> list[tuple[str, datetime | None]]:
    """Return when the oldest and the newest execution that is kept ended; None where there is none."""
    oldest, newest = await app_context.database.read(executions.span)
    return [("oldest execution", oldest), ("newest execution", newest)]


async def _alive(app_context: AppContext) -> list[dict[str, Any]]:
    now = app_context.clock.now()
    return [node for node in await app_context.database.read(partial(nodes_now, now=now)) if node["alive"]]


async def _nobody_there(app_context: AppContext) -> list[Finding]:
    late = await _lateness(app_context)
    if late <= LATE or await _alive(app_context):
        return []
    problem = f"tasks have been due for {_in_words(late)}, and no node lives"
    return [Finding("nodes", problem, f"start one: {PROGRAM} run")]


async def _lateness(app_context: AppContext) -> timedelta:
    due = await app_context.database.read(tasks.first_due)
    return timedelta(0) if due is None else app_context.clock.now() - due


def _in_words(duration: timedelta) -> str:
    return in_words(timedelta(seconds=round(duration.total_seconds())))


async def _functions_missing(app_context: AppContext) -> list[Finding]:
    """A function that is registered in phase two is known where a node lives, or has left its profile."""
    hand_over_functions(app_context, service := app_context.get_service(SchedulerService))
    known = service.functions.keys() | await app_context.database.read(nodes.functions)
    lives, present = bool(await _alive(app_context)), app_context.present()
    found = []
    for module_id, name, count in map(tuple, await app_context.database.read(tasks.count_by_function)):
        if f"{module_id}:{name}" in known or (module_id in present and not lives):
            continue
        problem = f"{count} task{'' if count == 1 else 's'} run {name} of {module_id}, which no module here registers"
        cure = f"bring the module back, or see what to cancel: {PROGRAM} tasks list --module {module_id}"
        found.append(Finding("functions", problem, cure))
    return found
