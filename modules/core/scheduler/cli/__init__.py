"""The scheduler's own commands, its part of the banner of `run`, and how its executions read there.

Imported without the package that it stands in, and by every command: the commands themselves are imported when they
are used.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from framework.context import AppContext
    from framework.finding import Finding

HERE = "modules.core.scheduler.cli"
MARKS = {"succeeded": ("✓", "green"), "cancelled": ("-", "yellow")}

commands = {
    "tick": (f"{HERE}.ticking:tick", "Do what is due, then exit."),
    "status": (f"{HERE}.overall:show_status", "Show what the scheduler is doing."),
    "stats": (f"{HERE}.overall:show_stats", "Show how executions came out in the last hour, day or week."),
    "pause": (f"{HERE}.overall:pause_all", "Hold back all tasks, or those of one module."),
    "resume": (f"{HERE}.overall:resume_all", "Let go what `pause` holds back."),
    "plan": (f"{HERE}.plan:show_plan", "Show how the declared tasks and cleanups differ from the database."),
    "apply": (f"{HERE}.plan:apply_plan", "Bring the declared tasks and cleanups into the database."),
    "tasks": (f"{HERE}.of_tasks:task_commands", "What is scheduled."),
    "executions": (f"{HERE}.of_executions:execution_commands", "What ran, runs, or did not run, and why."),
    "failures": (f"{HERE}.failures:failure_commands", "What failed lately, each once."),
    "functions": (f"{HERE}.functions:function_commands", "What tasks may run."),
    "events": (f"{HERE}.events:event_commands", "What tasks wait for."),
    "nodes": (f"{HERE}.nodes:node_commands", "Which processes carry out executions."),
    "queues": (f"{HERE}.queues:queue_commands", "The lines in which executions wait."),
    "calendars": (f"{HERE}.calendars:calendar_commands", "Named calendars, in which tasks do not run."),
    "cleanups": (f"{HERE}.of_cleanups:cleanup_commands", "What may be deleted, and what was."),
    "cron": (f"{HERE}.cron:cron_commands", "What a cron expression means."),
    "audit": (f"{HERE}.audit:audit_commands", "What operators have done."),
    "alerts": (f"{HERE}.alerts:alert_commands", "Who is told when something goes wrong."),
    "forecast": (f"{HERE}.ahead:forecast", "Play what comes on the slots there are."),
    "metrics": (f"{HERE}.metrics:print_metrics", "Print what the database says in the format of Prometheus."),
    "lint": (f"{HERE}.ahead:lint", "Find what about the tasks will surprise somebody."),
}
module_commands = f"{HERE}.leftovers:leftover_commands"


async def announce(app_context: AppContext) -> list[tuple[str, str]]:
    """Return what the banner of `run` tells: the zone, what is held back or blocked, and what comes next."""
    from modules.core.scheduler.announcing import facts

    return await facts(app_context)


async def stored(app_context: AppContext) -> list[tuple[str, datetime | None]]:
    """Return what `db stats` tells of the history: its oldest and its newest execution."""
    from modules.core.scheduler import examining

    return await examining.history(app_context)


async def unwell(app_context: AppContext) -> list[Finding]:
    """Return what `health` finds: nobody carries out tasks, or whoever should does not."""
    from modules.core.scheduler import examining

    return await examining.unwell(app_context)


async def findings(app_context: AppContext) -> list[Finding]:
    """Return what `doctor` finds: tasks that nobody carries out."""
    from modules.core.scheduler import examining

    return await examining.findings(app_context)


async def in_use(app_context: AppContext) -> list[str]:
    """Return who uses the database, a sentence for each living node."""
    from modules.core.scheduler import examining

    return await examining.in_use(app_context)


def _execution_line(record: logging.LogRecord) -> tuple[str, str, str]:
    """Word the record of an ending: its mark, the mark's colour, and the text."""
    from modules.core.scheduler.showing.tasks import took

    told = vars(record)
    if "state" not in told:
        return "!", "yellow", record.getMessage()
    mark, colour = MARKS.get(told["state"], ("✗", "red"))
    error = f": {told['error']}" if told["error"] else ""
    return mark, colour, f"{told['task_name']}  {told['state'].replace('_', ' ')} in {took(told['seconds'])}{error}"


log_lines = {"modules.core.scheduler.executions": _execution_line}
