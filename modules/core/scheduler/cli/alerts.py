"""The commands `chamberlain alerts …`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from framework.terminal import print_json, print_table, say
from modules.core.scheduler.cli.opening import AsJson, with_scheduler

if TYPE_CHECKING:
    from framework.clock import Clock
    from modules.core.scheduler.asking import Scheduler

alert_commands = typer.Typer(help="Who is told when something goes wrong.", no_args_is_help=True)


@alert_commands.command("list")
def list_alerts(as_json: AsJson = False) -> None:
    """List the rules of the settings, with what each has gathered, and what is on its way."""
    from modules.core.scheduler.showing.alerts import ALERT_COLUMNS, alert_rows

    async def look(scheduler: Scheduler, clock: Clock) -> None:
        alerts = (await scheduler.list_alerts()).unwrap()
        if as_json:
            print_json({"alerts": alerts})
        elif alerts:
            print_table(ALERT_COLUMNS, alert_rows(alerts, clock.now()), ids=[each["rule"] for each in alerts])
        else:
            say("nobody is told: the settings have no CORE_SCHEDULER_ALERTS")

    with_scheduler(look)
