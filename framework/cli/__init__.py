"""The command `chamberlain`: the framework's own commands, and those that modules bring along in their `cli.py`.

A module's `cli.py`, or its folder `cli`, may hold `commands` (a Typer application, added at the top, or the `Places` of
its commands), `module_commands` (the place of one that is added to `modules`) and `log_lines` (by name of logger, how a
record reads: mark, style, text); and functions of an AppContext: `announce` (facts for the banner of `run`), `findings`
and `unwell` (what `doctor` and `health` find), `stored` (moments by name, for `db stats`), `in_use` (sentences that say
who uses the database).
It is imported without its package, and `--help` imports all of them: heavy imports belong inside the commands, and many
commands behind their places.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from io import TextIOWrapper
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import typer

from framework.caller import calling, operator
from framework.cli.completion import be_asked
from framework.cli.deferred import Deferred, DeferringGroup, deferred, imported
from framework.cli.version import WAYS, tell_version
from framework.errors import FrameworkError, one_line
from framework.invocation import Invocation, invoke, to_the_front
from framework.loader import add_project_folder, discover, import_commands
from framework.result import ResultError
from framework.terminal import PROGRAM, complain, complain_of_warnings

DONE, REFUSED, WRONG_USAGE, INTERNAL_ERROR, INTERRUPTED = 0, 1, 2, 70, 130
DEBUG = "CHAMBERLAIN_DEBUG"
OF_MODULES = "The modules of the application."
PLACES = {
    "run": ("framework.cli.running:run", "Start the application of ./settings and the environment, and serve it."),
    "worker": ("framework.cli.running:worker", "Start it without serving anything: it only carries out tasks."),
    "init": ("framework.cli.making:init", "Write a project that runs."),
    "doctor": ("framework.cli.doctor:examine_all", "Find what is wrong with the application of this folder."),
    "openapi": ("framework.cli.openapi:openapi", "Print the OpenAPI document of all routes."),
    "health": ("framework.cli.condition:tell_health", "Tell whether tasks are carried out."),
    "completion": ("framework.cli.completion:complete", "Print what lets a shell complete the words of commands."),
    "version": ("framework.cli.version:tell_version", "Tell which version this is."),
    "settings": ("framework.cli.settings:settings_commands", "What is set, where, and what may be."),
    "db": ("framework.cli.database:database_commands", "The tables of the application's database."),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 refused, 2 wrong usage, 70 internal error, 130 interrupted."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # what Python made; a test may have put something else there
            stream.reconfigure(errors="backslashreplace")
    add_project_folder(Path.cwd())
    sys.exit(_status(arguments))


def _status(arguments: Sequence[str] | None) -> int:
    complain_of_warnings()
    if (sys.argv[1:] if arguments is None else list(arguments)) in WAYS:  # modules and options take a while to import
        tell_version()
        return DONE
    try:
        be_asked()
        doors = _doors()
        with calling(operator()):
            return _carried_out(program(doors), sys.argv[1:] if arguments is None else arguments, doors)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001  # the boundary: whatever happens becomes a line and an exit status
        return _told(error)


def _carried_out(command: Any, arguments: Sequence[str], doors: Mapping[str, ModuleType]) -> int:
    """Call the command; what concerns the whole command line may stand behind the command's own words."""
    try:
        return int(command(list(arguments), prog_name=PROGRAM, standalone_mode=False, obj=doors) or DONE)
    except Exception as error:
        moved = to_the_front(arguments, getattr(error, "option_name", ""))
        if moved is None:
            raise
    return _carried_out(command, moved, doors)


def _told(error: Exception) -> int:
    """Say on stderr what went wrong; return the exit status that it means."""
    if os.environ.get(DEBUG):
        import traceback

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
        message = message.removeprefix("Invalid value: ")
        complain(f"{message[:1].lower()}{message[1:].rstrip('.')}; see {where} --help")


def _doors() -> dict[str, ModuleType]:
    """Return the `cli.py` of every module found, by module id; one that cannot be imported is named and left out."""
    doors: dict[str, ModuleType] = {}
    try:
        found = discover()
    except FrameworkError as error:  # `doctor` should still be there
        complain(str(error))
        return doors
    for item in found.values():
        try:
            door = None if item.disabled else import_commands(item)
        except FrameworkError as error:
            complain(f"the commands of {item.module_id} are left out: {error}")
            continue
        if door is not None:
            doors[item.module_id] = door
    return doors


def program(doors: Mapping[str, ModuleType]) -> Any:
    """Return the command line with the commands of these doors, by module id."""
    shell = typer.Typer(
        help="Runs an application's modules, and its scheduled tasks.",
        cls=DeferringGroup,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # rich takes a while to import
        callback=_for_all,
    )
    commands = deferred(PLACES)
    of_modules = [Deferred(name, OF_MODULES, lambda: _of_modules(doors)) for name in ("modules", "module")]
    of_modules[1].hidden = True  # the same, for whoever thinks of one
    commands += of_modules
    for door in doors.values():
        found = getattr(door, "commands", None)
        if isinstance(found, typer.Typer):
            shell.add_typer(found)
        elif isinstance(found, Mapping):
            commands += deferred(found)
    group: Any = typer.main.get_command(shell)
    for command in commands:
        group.add_command(command)
    return group


def _of_modules(doors: Mapping[str, ModuleType]) -> typer.Typer:
    from framework.cli.modules import module_commands

    of_modules = typer.Typer(help=OF_MODULES, no_args_is_help=True)
    of_modules.add_typer(module_commands)
    for door in doors.values():
        if hasattr(door, "module_commands"):
            of_modules.add_typer(imported(door.module_commands))
    return of_modules


def _for_all(
    debug: Annotated[bool, typer.Option("--debug", help=f"Show where an error comes from; or set {DEBUG}.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print ids, and nothing else.")] = False,
    url: Annotated[
        str | None, typer.Option(metavar="URL", envvar="CHAMBERLAIN_URL", help="Ask a server, not the database here.")
    ] = None,
) -> None:
    if debug:
        os.environ[DEBUG] = "1"
    invoke(Invocation(url or None, quiet))
