"""The command `chamberlain modules leftovers`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from framework.terminal import print_facts, print_json
from modules.core.scheduler.cli.opening import AsJson, on_database

if TYPE_CHECKING:
    from framework.clock import Clock
    from modules.core.scheduler import SchedulerService

leftover_commands = typer.Typer()


@leftover_commands.command("leftovers")
def show_leftovers(
    module: Annotated[
        str, typer.Argument(metavar="MODULE", help="The module's id; it need not be installed any more.")
    ],
    as_json: AsJson = False,
) -> None:
    """Show what a module leaves behind: tables, files, tasks and their history; nothing is deleted."""
    from modules.core.scheduler.showing.cleanups import leftover_facts

    async def look(scheduler: SchedulerService, _clock: Clock) -> None:
        found = (await scheduler.module_leftovers(module)).unwrap()
        if as_json:
            print_json(found)
        else:
            print_facts(leftover_facts(found))

    on_database(look, declared=True)
