"""The command `chamberlain metrics`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from modules.core.scheduler.cli.opening import on_database

if TYPE_CHECKING:
    from framework.clock import Clock
    from modules.core.scheduler import SchedulerService


def print_metrics() -> None:
    """Print what the database says in the format of Prometheus, such as for node_exporter's textfile collector."""

    async def look(scheduler: SchedulerService, _clock: Clock) -> None:
        text, _media_type = await scheduler.metrics.text()
        sys.stdout.write(text.decode())

    on_database(look)
