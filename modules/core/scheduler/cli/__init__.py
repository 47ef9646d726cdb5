"""The scheduler's own commands, its part of the banner of `run`, and how its executions read there.

Imported without the package that it stands in, so that listing commands stays fast: what is heavy is imported inside
the commands.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import typer

from framework.terminal import print_json, say
from modules.core.scheduler.cli.ahead import ahead_commands, next_commands
from modules.core.scheduler.cli.calendars import calendar_commands
from modules.core.scheduler.cli.cleanup_archives import archive_commands
from modules.core.scheduler.cli.cleanups import cleanup_commands
from modules.core.scheduler.cli.cron import cron_commands
from modules.core.scheduler.cli.events import event_commands
from modules.core.scheduler.cli.executions import execution_commands
from modules.core.scheduler.cli.import_from import from_apscheduler, from_crontab
from modules.core.scheduler.cli.leftovers import leftover_commands
from modules.core.scheduler.cli.nodes import node_commands
from modules.core.scheduler.cli.occurrences import occurrence_commands
from modules.core.scheduler.cli.opening import INTERRUPTED, MODULE_ID, AsJson
from modules.core.scheduler.cli.plan import plan_commands
from modules.core.scheduler.cli.queues import queue_commands
from modules.core.scheduler.cli.tasks import task_commands
from modules.core.scheduler.cli.transfer import export_tasks, import_commands

if TYPE_CHECKING:
    from framework.context import AppContext

MARKS = {"succeeded": ("✓", "green"), "cancelled": ("-", "yellow")}

commands = typer.Typer()
module_commands = leftover_commands
commands.add_typer(plan_commands)
task_commands.add_typer(next_commands)
task_commands.add_typer(occurrence_commands)
task_commands.command("export")(export_tasks)
import_commands.command("crontab")(from_crontab)
import_commands.command("apscheduler")(from_apscheduler)
task_commands.add_typer(import_commands, name="import")
commands.add_typer(task_commands, name="tasks")
commands.add_typer(execution_commands, name="executions")
commands.add_typer(event_commands, name="events")
commands.add_typer(node_commands, name="nodes")
commands.add_typer(queue_commands, name="queues")
commands.add_typer(calendar_commands, name="calendars")
cleanup_commands.add_typer(archive_commands)
commands.add_typer(cleanup_commands, name="cleanups")
commands.add_typer(cron_commands, name="cron")
commands.add_typer(ahead_commands)


@commands.command()
def tick(as_json: AsJson = False) -> None:
    """Do what is due, then exit: for cron, a serverless timer or a Kubernetes CronJob."""
    from framework.application import Application
    from framework.foreground import carry_through
    from modules.core.scheduler import SchedulerService

    ended = 0

    async def work(app_context: AppContext) -> None:
        nonlocal ended
        ended = await app_context.get_service(SchedulerService).tick()

    if not carry_through(Application(settings={MODULE_ID: {"enabled": False}}), work):
        raise typer.Exit(INTERRUPTED)
    if as_json:
        print_json({"executions": ended})
    else:
        say(f"{ended} execution{'' if ended == 1 else 's'} ran" if ended else "nothing was due")


async def announce(app_context: AppContext) -> list[tuple[str, str]]:
    """Return what the banner of `run` tells: the zone, what is held back or blocked, and what comes next."""
    from modules.core.scheduler.announcing import facts

    return await facts(app_context)


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
