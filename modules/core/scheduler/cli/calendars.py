"""The commands `chamberlain calendars …`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from framework.terminal import print_facts, print_json, print_table, say
from modules.core.scheduler.cli.opening import AsJson, with_scheduler

if TYPE_CHECKING:
    from framework.clock import Clock
    from modules.core.scheduler.asking import Scheduler

calendar_commands = typer.Typer(help="Named calendars, in which tasks do not run.", no_args_is_help=True)


@calendar_commands.command("list")
def list_calendars(as_json: AsJson = False) -> None:
    """List the calendars and how many tasks keep clear of each; `!!` marks one that nobody registers any more."""
    from modules.core.scheduler.showing.calendars import CALENDAR_COLUMNS, calendar_rows, calendars_verdict

    async def look(scheduler: Scheduler, _clock: Clock) -> None:
        calendars = (await scheduler.list_calendars()).unwrap()
        if as_json:
            print_json({"calendars": calendars})
            return
        names = [each["name"] for each in calendars]
        print_table(CALENDAR_COLUMNS, calendar_rows(calendars), ids=names, elastic=("CALENDAR", "CLOSES"))
        say(calendars_verdict(calendars))

    with_scheduler(look)


@calendar_commands.command("show")
def show_calendar(
    name: Annotated[str, typer.Argument(metavar="CALENDAR", help="The calendar's name.")],
    start: Annotated[
        str | None, typer.Option("--from", help="From this time on, such as 2026-12-01; else now.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=3_660, help="For so many days.")] = 30,
    as_json: AsJson = False,
) -> None:
    """Show a calendar, and what it closes in the days to come."""
    from modules.core.scheduler.showing.calendars import calendar_facts

    async def look(scheduler: Scheduler, _clock: Clock) -> None:
        calendar = (await scheduler.show_calendar(name, start, days)).unwrap()
        if as_json:
            print_json(calendar)
        else:
            print_facts(calendar_facts(calendar))

    with_scheduler(look)
