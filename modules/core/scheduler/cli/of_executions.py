"""All the commands `chamberlain executions …`, put together."""

from __future__ import annotations

from modules.core.scheduler.cli.executions import execution_commands
from modules.core.scheduler.cli.watching import watch_commands

__all__ = ["execution_commands"]

execution_commands.add_typer(watch_commands)
