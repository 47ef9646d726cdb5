"""The commands `chamberlain db …`."""

from __future__ import annotations

import typer

from framework.cli.opening import AsJson
from framework.errors import SchemaBehind
from framework.terminal import print_json, say

database_commands = typer.Typer(help="The tables of the application's database.", no_args_is_help=True)


@database_commands.command("upgrade")
def upgrade(as_json: AsJson = False) -> None:
    """Bring the tables of every module up to date; `run` and `tick` do so by themselves."""
    import asyncio

    from framework.application import Application

    applied = asyncio.run(Application().upgrade())
    if as_json:
        print_json({"applied": applied})
        return
    for module_id, revisions in applied.items():
        say(f"{module_id}: upgraded to {revisions[-1]}")
    if not applied:
        say("all tables are up to date")


@database_commands.command("check")
def check(as_json: AsJson = False) -> None:
    """Tell whether the tables of every module are up to date; changes nothing."""
    import asyncio

    from framework.application import Application

    pending = asyncio.run(Application().pending())
    if as_json:
        print_json({"pending": pending})
    if pending:
        raise SchemaBehind(pending)
    if not as_json:
        say("all tables are up to date")
