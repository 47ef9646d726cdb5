"""The command `chamberlain tick`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from framework.terminal import print_json, say
from modules.core.scheduler.cli.opening import INTERRUPTED, MODULE_ID, AsJson

if TYPE_CHECKING:
    from framework.context import AppContext


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
