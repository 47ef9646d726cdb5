"""The commands that look ahead: `tasks next`, `forecast` and `lint`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from framework.terminal import print_json, print_table, say
from modules.core.scheduler.cli.cron import Count
from modules.core.scheduler.cli.opening import REFUSED, AsJson, TaskName, with_scheduler

if TYPE_CHECKING:
    from framework.clock import Clock
    from modules.core.scheduler.asking import Scheduler

next_commands = typer.Typer()

WHAT_IF = """A change to suppose, as JSON: a config, `{"task": "report", "cron": "H 3 * * *"}`, or `{"task": "report",
"remove": true}`; may be given again."""
WhatIf = Annotated[list[str] | None, typer.Option(metavar="JSON", help=WHAT_IF)]


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
    what_if: WhatIf = None,
    as_json: AsJson = False,
) -> None:
    """Play what comes on the slots there are: how much runs and waits when, where it piles up, what would help."""
    from modules.core.scheduler.showing.ahead import (
        LOAD_COLUMNS,
        load_rows,
        pile_up_lines,
        verdict_of_forecast,
        what_if_lines,
    )

    async def look(scheduler: Scheduler, clock: Clock) -> None:  # noqa: ARG001  # the shape of what is asked
        told = (await scheduler.forecast(hours, what_if=await _supposed(scheduler, what_if or []))).unwrap()
        if as_json:
            print_json(told)
            return
        if told["total"]:
            print_table(LOAD_COLUMNS, load_rows(told["load"]))
        for line in (*verdict_of_forecast(told), *what_if_lines(told["what_if"]), *pile_up_lines(told["pile_ups"])):
            say(line)

    with_scheduler(look)


async def _supposed(scheduler: Scheduler, given: list[str]) -> list[dict[str, Any]] | None:
    """Return the changes of a forecast, with the ids of the tasks that they name; None where there are none."""
    from framework import strict_json
    from modules.core.scheduler.asking import find_task

    changes = []
    for text in given:
        try:
            change = strict_json.loads(text)
        except strict_json.JsonError as error:
            raise typer.BadParameter(f"{text!r} is no JSON: {error}", param_hint="--what-if") from None
        if not isinstance(change, dict):
            raise typer.BadParameter(f"a change is a JSON object, not {text!r}", param_hint="--what-if")
        if isinstance(change.get("task"), str):
            change["task"] = (await find_task(scheduler, change["task"])).unwrap()["id"]
        changes.append(change)
    return changes or None


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
