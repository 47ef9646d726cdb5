"""The commands `chamberlain functions …`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from framework.terminal import print_facts, print_json, print_table, say
from modules.core.scheduler.cli.opening import AsJson, with_modules

if TYPE_CHECKING:
    from framework.clock import Clock
    from modules.core.scheduler.asking import Scheduler

function_commands = typer.Typer(help="What tasks may run.", no_args_is_help=True)


@function_commands.command("list")
def list_functions(
    module: Annotated[str | None, typer.Option(help="Only those of this module.")] = None, as_json: AsJson = False
) -> None:
    """List the functions that tasks may run, with their parameters; `*` marks those that must be given."""
    from modules.core.scheduler.showing.functions import FUNCTION_COLUMNS, FUNCTION_FIT, function_rows, name_of

    async def look(scheduler: Scheduler, _clock: Clock) -> None:
        functions = (await scheduler.list_functions(module_id=module)).unwrap()
        if as_json:
            print_json({"functions": functions})
        elif functions:
            names = [name_of(each) for each in functions]
            print_table(FUNCTION_COLUMNS, function_rows(functions), ids=names, **FUNCTION_FIT)
        else:
            say("no functions")

    with_modules(look)


@function_commands.command("show")
def show_function(
    function: Annotated[str, typer.Argument(metavar="FUNCTION", help="MODULE:FUNCTION, or its name alone.")],
    as_json: AsJson = False,
) -> None:
    """Show one function, and the JSON schema of its parameters."""
    from modules.core.scheduler.asking import find_function
    from modules.core.scheduler.showing.functions import function_facts

    async def look(scheduler: Scheduler, _clock: Clock) -> None:
        found = (await find_function(scheduler, function)).unwrap()
        if as_json:
            print_json(found)
        else:
            print_facts(function_facts(found))

    with_modules(look)
