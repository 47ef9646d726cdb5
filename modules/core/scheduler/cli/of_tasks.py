"""All the commands `chamberlain tasks …`, put together."""

from __future__ import annotations

from modules.core.scheduler.cli.ahead import next_commands
from modules.core.scheduler.cli.changing import change_commands
from modules.core.scheduler.cli.import_from import from_apscheduler, from_crontab
from modules.core.scheduler.cli.occurrences import occurrence_commands
from modules.core.scheduler.cli.ordering import order_commands
from modules.core.scheduler.cli.running import run_commands
from modules.core.scheduler.cli.tasks import task_commands
from modules.core.scheduler.cli.transfer import export_tasks, import_commands

__all__ = ["task_commands"]

task_commands.add_typer(order_commands)
task_commands.add_typer(change_commands)
task_commands.add_typer(run_commands)
task_commands.add_typer(next_commands)
task_commands.add_typer(occurrence_commands)
task_commands.command("export")(export_tasks)
import_commands.command("crontab")(from_crontab)
import_commands.command("apscheduler")(from_apscheduler)
task_commands.add_typer(import_commands, name="import")
