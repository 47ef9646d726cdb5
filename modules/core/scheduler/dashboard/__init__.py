"""The dashboard: pages for people over the same service as the API; they translate and decide nothing.

Every page works without a script. Where there is one, htmx swaps pages in place, and they keep themselves up to date.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from framework.context import AppContext

if TYPE_CHECKING:
    from fastapi import APIRouter


def routes(app_context: AppContext) -> APIRouter:
    """Return the pages, their actions, and what they are made of; served wherever the application is mounted."""
    from modules.core.scheduler.dashboard import (
        assets,
        audit,
        bulk,
        by_hand,
        cleanups,
        execution,
        executions,
        failures,
        login,
        modules,
        nodes,
        overview,
        task,
        task_form,
        tasks,
        timeline,
    )
    from modules.core.scheduler.dashboard.desk import Desk

    desk = Desk(app_context)
    of_tasks = (tasks, task, task_form, by_hand)
    of_executions = (executions, execution, failures)
    for screen in (overview, bulk, *of_tasks, *of_executions, timeline, cleanups, nodes, modules, audit, login):
        screen.add(desk)
    assets.add(desk.router)
    return desk.router
