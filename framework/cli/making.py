"""The commands that write files to start with: `chamberlain init` and `chamberlain module new`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from framework.cli.opening import AsJson
from framework.terminal import PROGRAM, print_json, say

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder, which is made; . for this one.")]
ModuleId = Annotated[str, typer.Argument(metavar="AREA.NAME", help="Two words, such as acme.reports.")]


def init(
    folder: Folder,
    module: Annotated[str, typer.Option(help="The id of the first module.")] = "acme.hello",
    as_json: AsJson = False,
) -> None:
    """Write a project that runs: settings, a first module, and a test of it."""
    from framework.scaffold import project_files, write

    files = project_files(folder.resolve().name, module)
    write(folder, files)
    if as_json:
        print_json({"folder": str(folder), "files": sorted(files)})
        return
    say(f"{len(files)} files are in {folder}; README.md says what to do with them")
    say(f"next: cd {folder} && {PROGRAM} run" if folder.resolve() != Path.cwd() else f"next: {PROGRAM} run")


def new_module(module_id: ModuleId, as_json: AsJson = False) -> None:
    """Write a module that works, with a task, a cleanup, settings and a test; `run` finds it by its place."""
    from framework.loader import discover
    from framework.scaffold import ScaffoldRefused, module_files, write

    files = module_files(module_id)
    if module_id in discover():
        raise ScaffoldRefused(f"there is a module {module_id!r} already; choose another name")
    write(Path(), files)
    if as_json:
        print_json({"module": module_id, "files": sorted(files)})
        return
    for path in files:
        say(path)
    say(f"next: {PROGRAM} run, or python -m pytest {list(files)[-1]}")
