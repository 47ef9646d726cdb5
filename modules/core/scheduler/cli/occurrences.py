"""The commands `chamberlain tasks skip | shift | until | backfill`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from framework.terminal import complain, print_json, say
from modules.core.scheduler.cli.opening import AsJson, TaskName, Yes, be_sure, with_scheduler

if TYPE_CHECKING:
    from framework.clock import Clock
    from modules.core.scheduler.asking import Scheduler

At = Annotated[str | None, typer.Option("--at", help="The nominal time of the occurrence; by default the next one.")]

occurrence_commands = typer.Typer()


@occurrence_commands.command("skip")
def skip_next(
    task: TaskName,
    at: At = None,
    reason: Annotated[str | None, typer.Option(help="Why, for those who look at it later.")] = None,
    as_json: AsJson = False,
) -> None:
    """Leave out the next occurrence of a task."""
    from modules.core.scheduler.asking import find_task
    from modules.core.scheduler.showing.occurrences import skipped

    async def ask(scheduler: Scheduler, _clock: Clock) -> None:
        found = (await find_task(scheduler, task)).unwrap()
        told = (await scheduler.skip_next(found["id"], at, reason)).unwrap()
        _tell(told, skipped(found, told), as_json=as_json)

    with_scheduler(ask)


@occurrence_commands.command("shift")
def shift_next(
    task: TaskName,
    to: Annotated[
        str, typer.Option(metavar="TIME", help="When it is to start instead; without an offset, in the task's zone.")
    ],
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Start the next occurrence of a task at another time; the following ones stay where they are."""
    from modules.core.scheduler.asking import find_task
    from modules.core.scheduler.showing.occurrences import shifted

    async def ask(scheduler: Scheduler, _clock: Clock) -> None:
        found = (await find_task(scheduler, task)).unwrap()
        told = (await scheduler.shift_next(found["id"], to, at)).unwrap()
        _tell(told, shifted(found, told), as_json=as_json)

    with_scheduler(ask)


@occurrence_commands.command("until")
def run_until(
    task: TaskName,
    moment: Annotated[str, typer.Argument(metavar="TIME", help="The last time at which it may run; or `never`.")],
    as_json: AsJson = False,
) -> None:
    """Let a recurring task end at a time, or with `never` take that end away."""
    from modules.core.scheduler.asking import find_task
    from modules.core.scheduler.showing.occurrences import bounded

    async def ask(scheduler: Scheduler, _clock: Clock) -> None:
        found = (await find_task(scheduler, task)).unwrap()
        told = (await scheduler.run_until(found["id"], None if moment == "never" else moment)).unwrap()
        _tell(told, bounded(found, told), as_json=as_json)

    with_scheduler(ask)


@occurrence_commands.command("backfill")
def backfill(
    task: TaskName,
    start: Annotated[
        str, typer.Option("--from", metavar="TIME", help="The first time; without an offset, in the task's zone.")
    ],
    end: Annotated[str, typer.Option("--to", metavar="TIME", help="The last time; what is still to come is left out.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say how many would run, and change nothing.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Run the occurrences of the past that never ran, oldest first, one at a time."""
    from modules.core.scheduler.asking import NO_NODE, find_task, no_node_lives
    from modules.core.scheduler.showing.occurrences import backfilled

    if as_json and not (yes or dry_run):
        raise typer.BadParameter("--json asks nothing; add --yes or --dry-run")

    async def ask(scheduler: Scheduler, _clock: Clock) -> None:
        found = (await find_task(scheduler, task)).unwrap()
        order = (found["id"], start, end)
        told = (await scheduler.backfill(*order, dry_run=dry_run or not yes)).unwrap()
        if not (dry_run or yes) and told["placed"]:
            say(backfilled(found, told))
            be_sure("run them?")
            told = (await scheduler.backfill(*order)).unwrap()
        _tell(told, backfilled(found, told), as_json=as_json)
        if told["placed"] and not told["dry_run"] and await no_node_lives(scheduler):
            complain(NO_NODE)

    with_scheduler(ask)


def _tell(told: dict[str, Any], sentence: str, *, as_json: bool) -> None:
    if as_json:
        print_json(told)
    else:
        say(sentence)
