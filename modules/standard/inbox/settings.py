"""What an operator may tune: `STANDARD_INBOX_*` variables or the table `["standard.inbox"]`."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from annotated_types import Gt
from pydantic import Field

from framework import Days, ModuleSettings, Seconds

POSITIVE = Gt(timedelta(0))


class InboxSettings(ModuleSettings):
    """Read once at start; a bare number means seconds for `interval`, days for the others."""

    folder: Path | None = Field(
        default=None,
        description="The folder that is watched, by default inbox in data_dir. One elsewhere must lie below the "
        "scheduler's housekeeper_allowed_roots, or done files are not cleaned up.",
    )
    interval: Annotated[Seconds, POSITIVE] = Field(
        default=timedelta(seconds=5), description="Time between two looks into the folder."
    )
    max_file_bytes: int = Field(default=10_000_000, ge=1, description="A larger file is refused.")
    keep_done: Annotated[Days, POSITIVE] = Field(
        default=timedelta(days=30), description="Age at which ingested files leave the folder done."
    )
    keep_records: Annotated[Days, POSITIVE] = Field(
        default=timedelta(days=365), description="Age at which ingested records leave the table."
    )
