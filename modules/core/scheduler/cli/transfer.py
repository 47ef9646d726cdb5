"""The commands `chamberlain tasks export` and `chamberlain tasks import …`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from framework.terminal import complain, print_json, say
from modules.core.scheduler.cli.opening import REFUSED, AsJson, one_of, with_modules

if TYPE_CHECKING:
    from framework.clock import Clock
    from modules.core.scheduler.asking import Scheduler

Config = Mapping[str, Any]
FORMS = ("json", "toml")
OWNERS = ("code", "runtime")

SourceFile = Annotated[Path, typer.Argument(metavar="FILE", help="The file to read; - for standard input.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be stored, and store nothing.")]
Form = Annotated[str | None, typer.Option("--format", help="json or toml; by default by the file's name, else json.")]


class ImportGroup(TyperGroup):
    """Without another word, what is imported is a file of our own."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the word `file` first where no command stands there."""
        named = not args or args[0] in self.commands or args[0] == "--help"
        return super().parse_args(ctx, args if named else ["file", *args])


import_commands = typer.Typer(
    cls=ImportGroup, help="Tasks from files, crontabs, other schedulers.", no_args_is_help=True
)


def export_tasks(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="Where to; without it, standard output.")] = None,
    module: Annotated[str | None, typer.Option(help="Only what belongs to this module.")] = None,
    owner: Annotated[
        str | None, typer.Option(help="code or runtime; both by default.", callback=one_of(OWNERS))
    ] = None,
    form: Form = None,
) -> None:
    """Write tasks and cleanups as configs that can be imported; secret parameters become ***."""
    from modules.core.scheduler.transfer.own_files import FileError, as_text

    form = _form(form, file)

    async def look(scheduler: Scheduler, _clock: Clock) -> None:
        document = (await scheduler.export_tasks(module_id=module, owner=owner)).unwrap()
        try:
            text = as_text(document, form)
        except FileError as error:
            refuse(str(error))
        if file is None:
            sys.stdout.write(text)
            return
        _write(file, text)
        say(f"{len(document['tasks'])} tasks and {len(document['cleanups'])} cleanups written to {file}")

    with_modules(look)


@import_commands.command("file")
def import_file(file: SourceFile, dry_run: DryRun = False, form: Form = None, as_json: AsJson = False) -> None:
    """Store the tasks and cleanups of a file of our own, JSON or TOML: all or none, those that are there updated."""
    from modules.core.scheduler.transfer.own_files import FileError, from_text

    form = _form(form, file)
    try:
        configs = from_text(read(file), form)
    except FileError as error:
        refuse(f"{file}: {error}")

    store(configs["tasks"], configs["cleanups"], str(file), dry_run=dry_run, as_json=as_json)


def store(
    tasks: Sequence[Config],
    cleanups: Sequence[Config],
    source: str,
    *,
    dry_run: bool,
    as_json: bool,
    places: Sequence[Config] | None = None,
    refused: list[dict[str, Any]] | None = None,
) -> None:
    """Import configs, or show what that would do: all or none.

    Where each of them has its place in the source, those that are wrong are left out, and added to `refused`.
    """
    from modules.core.scheduler.showing.plan import imported_lines

    async def work(scheduler: Scheduler, _clock: Clock) -> None:
        fit = tasks
        if places is not None and refused is not None:
            fit = await _fitting(scheduler, tasks, places, refused, source)
        done = await scheduler.import_tasks(fit, cleanups, dry_run=dry_run)
        if done.error is not None:
            problems = (done.error.details or {}).get("problems", [])
            for problem in problems:
                complain(f"{source}: {problem['field']}: {problem['message']}")
            refuse("nothing was imported" if problems else f"nothing was imported: {done.error.message}")
        if as_json:
            print_json(done.data if refused is None else {**done.data, "refused": refused})
            return
        for line in imported_lines(done.data, len(refused or ()), dry_run=dry_run):
            say(line)

    with_modules(work)


async def _fitting(
    scheduler: Scheduler,
    tasks: Sequence[Config],
    places: Sequence[Config],
    refused: list[dict[str, Any]],
    source: str,
) -> list[Config]:
    """Return the configs that can be stored; say of each other one why not."""
    checked = await scheduler.import_tasks(tasks, dry_run=True)
    problems = [] if checked.error is None else (checked.error.details or {}).get("problems", [])
    unfit: dict[int, str] = {}
    for problem in problems:
        unfit.setdefault(problem["index"], f"{problem['field']}: {problem['message']}")
    for index, reason in unfit.items():
        kind, place = next(iter(places[index].items()))
        complain(f"{source}: {kind} {place} is refused: {reason}")
        refused.append({**places[index], "reason": reason})
    return [config for index, config in enumerate(tasks) if index not in unfit]


def read(file: Path) -> str:
    """Return the text of a file, `-` for standard input; ends the command where it cannot be read."""
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        refuse(f"{file} cannot be read: {getattr(error, 'strerror', None) or error}")


def _write(file: Path, text: str) -> None:
    try:
        file.touch(mode=0o600)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        refuse(f"{file} cannot be written: {error.strerror}")


def _form(form: str | None, file: Path | None) -> str:
    if form is not None and form not in FORMS:
        raise typer.BadParameter(f"{form!r} is not one of {', '.join(FORMS)}")
    return form or ("toml" if file is not None and file.suffix == ".toml" else "json")


def refuse(sentence: str) -> NoReturn:
    """Say why, and end the command with 1."""
    complain(sentence)
    raise typer.Exit(REFUSED)
