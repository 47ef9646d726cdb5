"""What can be found while an application runs: of its surroundings, and who can reach it."""

from __future__ import annotations

from framework.context import AppContext
from framework.doctor import stored, surroundings
from framework.finding import Finding
from framework.settings import FrameworkSettings


async def examine_running(context: AppContext) -> list[Finding]:
    """Examine what may become wrong while an application runs: its data folder, the disk, the tokens."""
    own = context.settings(FrameworkSettings)
    return [*surroundings.data_dir(own), *surroundings.disk(own), *await stored.tokens(context)]
