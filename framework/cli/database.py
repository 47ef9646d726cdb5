"""The commands `chamberlain db …`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer

from framework.cli.opening import AsJson, own_settings
from framework.errors import SchemaBehind
from framework.terminal import console, print_json, say

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


@database_commands.command("move-to")
def move_to(
    context: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="Where to: a URL, or a name among FRAMEWORK_DATABASES.")],
    replace: Annotated[bool, typer.Option("--replace", help="Delete the rows that are there already.")] = False,
    as_json: AsJson = False,
) -> None:
    """Copy everything into another database, SQLite or PostgreSQL, and compare it; nothing may run meanwhile."""
    import asyncio

    from framework.application import Application
    from framework.moving import move
    from framework.settings import without_password

    own = own_settings()
    target = own.databases.get(url, url)
    there = Application(settings={"framework": {"database_url": target}})
    in_use = [door.in_use for door in context.obj.values() if hasattr(door, "in_use")]
    with _progress() as told:
        moved = asyncio.run(move(Application(), there, in_use=in_use, told=told, replace=replace))
    shown = {"from": without_password(own.database_url), "to": without_password(target)}
    if as_json:
        print_json(shown | asdict(moved))
        return
    rows = sum(table["rows"] for table in moved.tables.values())
    for name, count in moved.left.items():
        say(f"left behind: {count:,} rows of {name}, which no module of this application made", stderr=True)
    say(f"{rows:,} rows in {len(moved.tables)} tables are in {shown['to']} now, compared one by one")
    say(f"set FRAMEWORK_DATABASE_URL to it; {shown['from']} is as it was, and nothing may be started on it any more")


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """Show on stderr, where that is a terminal, how far the rows have come."""
    if not sys.stderr.isatty():
        yield lambda _name, _done, _total: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as progress:
        shown = progress.add_task("")
        yield lambda name, done, total: progress.update(shown, description=name, completed=done, total=total)
