"""The commands that look ahead: `tasks next`, `forecast` and `lint`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from framework.terminal import print_json, print_table, say
from modules.core.scheduler.cli.cron import Count
from modules.core.scheduler.cli.opening import REFUSED, AsJson, TaskName, with_scheduler

if TYPE_CHECKING:
    from framework.clock import Clock
    from modules.core.scheduler.asking import Scheduler

next_commands = typer.Typer()


@next_commands.command("next")
def show_next(task: TaskName, count: Count = 5, as_json: AsJson = False) -> None:
    """Show when a task will run, and what is odd about those times."""
    from modules.core.scheduler.asking import find_task
    from modules.core.scheduler.showing.ahead import TIME_COLUMNS, time_rows

    async def look(scheduler: Scheduler, clock: Clock) -> None:  # noqa: ARG001  # the shape of what is asked
        found = (await find_task(scheduler, task)).unwrap()
        shown = (await scheduler.preview_task(found["id"], count)).unwrap()
        if as_json:
            print_json(shown)
            return
        say(f"{shown['name']}: {shown['schedule']}")
        if shown["times"]:
            print_table(TIME_COLUMNS, time_rows(shown["times"]))
        for note in shown["notes"]:
            say(note["text"])

    with_scheduler(look)


def forecast(
    hours: Annotated[float, typer.Option(min=0.01, max=8_784, help="How far to look.")] = 24,
    as_json: AsJson = False,
) -> None:
    """Play what comes on the slots there are: how much runs and waits when, where it piles up, what would help."""
    from modules.core.scheduler.showing.ahead import LOAD_COLUMNS, load_rows, pile_up_lines, verdict_of_forecast

    async def look(scheduler: Scheduler, clock: Clock) -> None:  # noqa: ARG001  # the shape of what is asked
        told = (await scheduler.forecast(hours)).unwrap()
        if as_json:
            print_json(told)
            return
        if told["total"]:
            print_table(LOAD_COLUMNS, load_rows(told["load"]))
        for line in (*verdict_of_forecast(told), *pile_up_lines(told["pile_ups"])):
            say(line)

    with_scheduler(look)


def lint(as_json: AsJson = False) -> None:
    """Find what about the tasks will surprise somebody; 1 where something will not work."""
    from modules.core.scheduler.showing.ahead import FINDING_COLUMNS, finding_rows, verdict_of_findings

    async def look(scheduler: Scheduler, clock: Clock) -> None:  # noqa: ARG001  # the shape of what is asked
        told = (await scheduler.lint()).unwrap()
        if as_json:
            print_json(told)
        else:
            if told["findings"]:
                print_table(FINDING_COLUMNS, finding_rows(told["findings"]), elastic=FINDING_COLUMNS[-3:])
            say(verdict_of_findings(told))
        if any(finding["severity"] == "error" for finding in told["findings"]):
            raise typer.Exit(REFUSED)

    with_scheduler(look)
