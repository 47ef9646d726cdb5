"""All the commands `chamberlain cleanups …`, put together."""

from __future__ import annotations

from modules.core.scheduler.cli.cleanup_archives import archive_commands
from modules.core.scheduler.cli.cleanup_changes import cleanup_change_commands
from modules.core.scheduler.cli.cleanup_reports import report_commands
from modules.core.scheduler.cli.cleanups import cleanup_commands

__all__ = ["cleanup_commands"]

cleanup_commands.add_typer(archive_commands)
cleanup_commands.add_typer(report_commands)
cleanup_commands.add_typer(cleanup_change_commands)
