"""What an operator may tune: `STANDARD_BACKUP_*` variables or the table `["standard.backup"]`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from framework import ModuleSettings


class BackupSettings(ModuleSettings):
    """Read once at start."""

    folder: Path | None = Field(
        default=None, description="Where backups are kept; by default backups in the data folder, made when needed."
    )
    schedule: str = Field(default="30 2 * * *", description="Cron of the backup, in the scheduler's time zone.")
    keep: int = Field(default=7, ge=1, description="How many of the newest backups stay.")
