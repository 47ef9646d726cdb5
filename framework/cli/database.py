"""The commands `chamberlain db …`."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from framework.cli.opening import AsJson, own_settings
from framework.errors import DatabaseMissing, FrameworkError, SchemaBehind, one_line
from framework.terminal import console, moment_text, print_facts, print_json, print_table, say

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


@database_commands.command("current")
def current(as_json: AsJson = False) -> None:
    """Tell which revision the tables of every module are at; changes nothing."""
    import asyncio

    from framework.application import Application

    revisions = asyncio.run(Application().revisions())
    if as_json:
        print_json({"current": revisions})
    else:
        print_table(("MODULE", "REVISION"), [(name, revision or "-") for name, revision in revisions.items()])


@database_commands.command("stats")
def stats(context: typer.Context, as_json: AsJson = False) -> None:
    """Show how much the database holds: bytes, rows of each table, and how far back its history goes."""
    import asyncio

    from framework.application import Application
    from framework.database.measuring import bytes_free, bytes_held, tables_held

    telling = [door.stored for door in context.obj.values() if hasattr(door, "stored")]

    async def look() -> dict[str, Any]:
        async with Application().open() as app_context:
            read = app_context.database.read
            return {
                "bytes": await read(bytes_held),
                "bytes_free": await read(bytes_free),
                "tables": [held._asdict() for held in await read(tables_held)],
                "history": {name: moment for tell in telling for name, moment in await tell(app_context)},
            }

    found = asyncio.run(look())
    if as_json:
        print_json(found)
        return
    rows = [
        (each["name"], f"{each['rows']:,}{'+' if each['more'] else ''}", _size(each["size"]))
        for each in found["tables"]
    ]
    print_table(("TABLE", "ROWS", "SIZE"), rows)
    print_facts(
        [
            ("size", f"{_size(found['bytes'])}, of which {_size(found['bytes_free'])} are free"),
            *((name, moment_text(moment)) for name, moment in found["history"].items()),
        ]
    )


@database_commands.command("backup")
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to; it must not be there yet.")],
    as_json: AsJson = False,
) -> None:
    """Copy a SQLite database that may be in use into a file, and check the copy."""
    from sqlalchemy import make_url

    from framework.database.file_copy import BackupDamaged, copy_verified
    from framework.database.location import locate, path_of

    url = make_url(own_settings().database_url)
    source = None if url.get_backend_name() != "sqlite" else path_of(locate(str(url)))
    if source is None:
        raise FrameworkError("only a SQLite file is copied this way; PostgreSQL has pg_dump: pg_dump --format=custom …")
    if not source.exists():
        raise DatabaseMissing(f"there is no database at {source} yet")
    if file.exists():
        raise FrameworkError(f"{file} is there already; give another name, or delete it")
    try:
        with _progress() as told:
            copy_verified(source, file.absolute(), lambda done, total: told(str(file), done, total))
    except (BackupDamaged, sqlite3.Error, OSError) as error:
        raise FrameworkError(f"no copy was made: {one_line(error)}") from error
    size = file.stat().st_size
    if as_json:
        print_json({"file": str(file), "bytes": size})
    else:
        say(f"{file} is a copy of {source}, {_size(size)}, and passed SQLite's check of its integrity")


def _size(count: int | None) -> str:
    return "-" if count is None else f"{count / 1_000_000:,.1f} MB"


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
