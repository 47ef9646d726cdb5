"""The command `chamberlain`: the framework's own commands, and those that modules bring along in their `cli.py`.

A module's `cli.py`, or its folder `cli`, may hold `commands` (a Typer application, added at the top), `module_commands`
(one added to `modules`), `announce` (facts for the banner of `run`, from an AppContext) and `log_lines` (by name of
logger, how a record reads: mark, style, text).
It is imported without its package, so heavy imports belong inside the commands.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from io import TextIOWrapper
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from framework.errors import FrameworkError, SchemaBehind, one_line
from framework.loader import add_project_folder, discover, import_commands
from framework.result import ResultError
from framework.terminal import PROGRAM, complain, complain_of_warnings, print_json, print_table, say

if TYPE_CHECKING:  # pydantic takes a while to import
    from framework.settings import FrameworkSettings

DONE, REFUSED, WRONG_USAGE, INTERNAL_ERROR, INTERRUPTED = 0, 1, 2, 70, 130
DEBUG = "CHAMBERLAIN_DEBUG"

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]

database_commands = typer.Typer(help="The tables of the application's database.", no_args_is_help=True)
module_commands = typer.Typer()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 refused, 2 wrong usage, 70 internal error, 130 interrupted."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # what Python made; a test may have put something else there
            stream.reconfigure(errors="backslashreplace")
    add_project_folder(Path.cwd())
    sys.exit(_status(arguments))


def _status(arguments: Sequence[str] | None) -> int:
    complain_of_warnings()
    try:
        doors = _doors()
        command = typer.main.get_command(_program(doors))
        return int(command(arguments, prog_name=PROGRAM, standalone_mode=False, obj=doors) or DONE)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001  # the boundary: whatever happens becomes a line and an exit status
        return _told(error)


def _told(error: Exception) -> int:
    """Say on stderr what went wrong; return the exit status that it means."""
    if os.environ.get(DEBUG):
        traceback.print_exception(error)
    if hasattr(error, "format_message"):  # wrong usage; some releases of typer bring a click of their own, others not
        _tell_wrong_usage(error.format_message(), getattr(error, "ctx", None))
        return WRONG_USAGE
    if isinstance(error, typer.Abort):
        return INTERRUPTED
    if isinstance(error, (FrameworkError, ResultError)):
        sentences = error.error.message if isinstance(error, ResultError) else str(error)
        for sentence in sentences.splitlines():
            complain(sentence)
        return REFUSED
    complain(f"internal error: {one_line(error)}; {PROGRAM} --debug … shows where")
    return INTERNAL_ERROR


def _tell_wrong_usage(message: str, context: Any) -> None:
    """Say what is wrong; a group without a command has shown its help instead, or is showing it as the message."""
    if "Usage:" in message:
        sys.stderr.write(message + "\n")
    elif message:
        where = context.command_path if context is not None else PROGRAM
        complain(f"{message[:1].lower()}{message[1:].rstrip('.')}; see {where} --help")


def _doors() -> dict[str, ModuleType]:
    """Return the `cli.py` of every module found, by module id; one that cannot be imported is named and left out."""
    doors: dict[str, ModuleType] = {}
    for item in discover().values():
        try:
            door = None if item.disabled else import_commands(item)
        except FrameworkError as error:
            complain(f"the commands of {item.module_id} are left out: {error}")
            continue
        if door is not None:
            doors[item.module_id] = door
    return doors


def _program(doors: Mapping[str, ModuleType]) -> typer.Typer:
    program = typer.Typer(
        help="Runs an application's modules, and its scheduled tasks.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        callback=_debug,
    )
    program.command()(run)
    of_modules = typer.Typer(help="The modules of the application.", no_args_is_help=True)
    of_modules.add_typer(module_commands)
    for door in doors.values():
        for group, name in ((program, "commands"), (of_modules, "module_commands")):
            if isinstance(found := getattr(door, name, None), typer.Typer):
                group.add_typer(found)
    program.add_typer(of_modules, name="modules")
    program.add_typer(database_commands, name="db")
    return program


def _debug(
    debug: Annotated[bool, typer.Option("--debug", help=f"Show where an error comes from; or set {DEBUG}.")] = False,
) -> None:
    if debug:
        os.environ[DEBUG] = "1"


def run(context: typer.Context) -> None:
    """Start the application of ./settings and the environment; Ctrl-C drains it and stops."""
    from framework.application import Application
    from framework.banner import OWN_LINES, Lines, announce
    from framework.context import AppContext
    from framework.foreground import carry_through, until_asked_to_stop
    from framework.logging import configure

    own = own_settings()
    as_json = own.log_format == "json"
    configure(own.log_level, "json" if as_json else "console")
    doors: Mapping[str, ModuleType] = context.obj
    wordings = dict(OWN_LINES)
    for door in doors.values():
        wordings.update(getattr(door, "log_lines", {}))
    lines = Lines({} if as_json else wordings)
    announcements = {name: door.announce for name, door in doors.items() if hasattr(door, "announce")}

    async def work(app_context: AppContext) -> None:
        await announce(app_context, announcements, as_json=as_json)
        lines.release()
        await until_asked_to_stop()

    carry_through(Application(), work)


def own_settings() -> FrameworkSettings:
    """Return the application's own settings, as it reads them itself when it starts; that one warns of mistakes."""
    from framework.settings import FRAMEWORK_ID, FrameworkSettings
    from framework.settings_loader import SettingsLoader

    handlers, logging.root.handlers[:] = logging.root.handlers[:], [logging.NullHandler()]
    try:
        return SettingsLoader().load(FRAMEWORK_ID, FrameworkSettings)
    finally:
        logging.root.handlers[:] = handlers


@module_commands.command("list")
def list_modules(as_json: AsJson = False) -> None:
    """Show every module that is found, and whether the application has it."""
    from framework.inventory import inventory

    entries, failure = inventory(own_settings().modules, discover())
    if as_json:
        print_json({"modules": [asdict(entry) for entry in entries]})
    else:
        rows = [(entry.id, entry.state, ", ".join(entry.requires), entry.why) for entry in entries]
        print_table(("MODULE", "STATE", "REQUIRES", "WHY"), rows)
    if failure is not None:
        raise failure


@database_commands.command("upgrade")
def upgrade(as_json: AsJson = False) -> None:
    """Bring the tables of every module up to date; `run` and `tick` do so by themselves."""
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
    from framework.application import Application

    pending = asyncio.run(Application().pending())
    if as_json:
        print_json({"pending": pending})
    if pending:
        raise SchemaBehind(pending)
    if not as_json:
        say("all tables are up to date")
