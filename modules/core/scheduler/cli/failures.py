"""The commands `chamberlain failures …`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from framework.terminal import print_json, print_table, say
from modules.core.scheduler.cli.opening import AsJson, with_scheduler

if TYPE_CHECKING:
    from framework.clock import Clock
    from modules.core.scheduler.asking import Scheduler

FailureId = Annotated[str, typer.Argument(metavar="FAILURE", help="Its id, as `failures list` shows it.")]

failure_commands = typer.Typer(help="What failed lately, each once.", no_args_is_help=True)


@failure_commands.command("list")
def list_failures(
    window: Annotated[str, typer.Option(help="1h, 24h or 7d.")] = "24h",
    everything: Annotated[bool, typer.Option("--all", help="Those that are ignored, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List what failed in the last hour, day or week, of each task what says the same as one, the most first."""
    from modules.core.scheduler.showing.failures import FAILURE_COLUMNS, FAILURE_FIT, failure_rows

    async def look(scheduler: Scheduler, clock: Clock) -> None:
        told = (await scheduler.failures(window)).unwrap()
        shown = [each for each in told["failures"] if everything or not each["ignored"]]
        if as_json:
            print_json(told | {"failures": shown})
            return
        if shown:
            ids = [each["id"] for each in shown]
            print_table(FAILURE_COLUMNS, failure_rows(shown, clock.now()), ids=ids, **FAILURE_FIT)
        else:
            say(f"nothing failed in the last {window}")
        if hidden := len(told["failures"]) - len(shown):
            say(f"{hidden} more ignored: add --all")
        if told["is_cut"]:
            say("the newest ones only; there are more")

    with_scheduler(look)


@failure_commands.command("ignore")
def ignore_failure(
    failure: FailureId,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="Show it again once it happens after this; by default, now.")
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Show it again at once.")] = False,
    as_json: AsJson = False,
) -> None:
    """Hide a failure until it happens again."""
    if undo and until is not None:
        raise typer.BadParameter("--until and --undo contradict each other; take one")

    async def ask(scheduler: Scheduler, clock: Clock) -> None:
        moment = None if undo else until or clock.now().isoformat()
        told = (await scheduler.ignore_failures(failure, moment)).unwrap()
        if as_json:
            print_json(told)
        else:
            say(f"failure {failure} is {'shown again' if undo else 'hidden until it happens again'}")

    with_scheduler(ask)
