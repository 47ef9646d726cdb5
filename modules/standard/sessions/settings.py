"""What an operator may tune: `STANDARD_SESSIONS_*` variables or the table `["standard.sessions"]`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from annotated_types import Gt
from pydantic import Field

from framework import ModuleSettings, Seconds

POSITIVE = Gt(timedelta(0))


class SessionsSettings(ModuleSettings):
    """Read once at start; a bare number means seconds."""

    lifetime: Annotated[Seconds, POSITIVE] = Field(
        default=timedelta(days=14), description="How long a session lasts that is given no lifetime of its own."
    )
    keep_temporary_files: Annotated[Seconds, POSITIVE] = Field(
        default=timedelta(hours=24), description="Age at which files leave the folder tmp of the data folder."
    )
    cleanup_interval: Annotated[Seconds, POSITIVE] = Field(
        default=timedelta(hours=1), description="Time between two cleanups of expired sessions, and of files."
    )
