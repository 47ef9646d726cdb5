"""The commands `chamberlain modules …`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from framework.cli.making import new_module
from framework.cli.opening import AsJson, own_settings
from framework.errors import ModuleMissing, RequirementError
from framework.loader import OFF, Found, discover
from framework.terminal import print_facts, print_json, print_table, say

if TYPE_CHECKING:
    from framework.inventory import Entry

ModuleId = Annotated[str, typer.Argument(metavar="MODULE", help="The module's id.")]

module_commands = typer.Typer()
module_commands.command("new")(new_module)


@module_commands.command("list")
def list_modules(as_json: AsJson = False) -> None:
    """Show every module that is found, and whether the application has it."""
    entries, failure = _entries()
    if as_json:
        print_json({"modules": [asdict(entry) for entry in entries]})
    else:
        rows = [(entry.id, entry.state, ", ".join(entry.requires), entry.why) for entry in entries]
        print_table(("MODULE", "STATE", "REQUIRES", "WHY"), rows, ids=[entry.id for entry in entries])
    if failure is not None:
        raise failure


@module_commands.command("show")
def show_module(module: ModuleId, as_json: AsJson = False) -> None:
    """Show one module: where it is, whether the application has it, what it requires and who requires it."""
    item = _found(module)
    entries, _ = _entries()
    shown = _shown(item, next(entry for entry in entries if entry.id == item.module_id), entries)
    if as_json:
        print_json(shown)
    else:
        texts = {name: ", ".join(value) if isinstance(value, list) else value for name, value in shown.items()}
        print_facts((name.replace("_", " "), text or "-") for name, text in texts.items())


@module_commands.command("disable")
def disable(module: ModuleId, as_json: AsJson = False) -> None:
    """Leave a module of this folder out from the next start on, by a file `.disabled` in its folder."""
    item = _found(module)
    marker = _marker(item)
    needed_by = [entry.id for entry in _entries()[0] if entry.state == "on" and item.module_id in entry.requires]
    if needed_by:
        raise RequirementError(f"{', '.join(needed_by)} requires {item.module_id}; disable that first")
    marker.touch()
    _tell(item, "disabled", as_json=as_json)


@module_commands.command("enable")
def enable(module: ModuleId, as_json: AsJson = False) -> None:
    """Take the file `.disabled` away again."""
    item = _found(module)
    _marker(item).unlink(missing_ok=True)
    _tell(item, "enabled", as_json=as_json)


def _entries() -> tuple[list[Entry], RequirementError | None]:
    from framework.inventory import inventory

    return inventory(own_settings().modules, discover())


def _found(module_id: str) -> Found:
    found = discover()
    if module_id not in found:
        raise ModuleMissing(module_id, found)
    return found[module_id]


def _marker(item: Found) -> Path:
    """Return the file that switches a module off; refuse for one that other projects share."""
    if item.folder is None or not item.folder.resolve().is_relative_to(Path.cwd().resolve()):
        raise RequirementError(f"{item.module_id} is installed, not in this folder; leave it out of FRAMEWORK_MODULES")
    return item.folder / OFF


def _shown(item: Found, entry: Entry, entries: list[Entry]) -> dict[str, Any]:
    return {
        "id": entry.id,
        "state": entry.state,
        "why": entry.why,
        "folder": str(item.folder or ""),
        "requires": list(entry.requires),
        "required_by": [each.id for each in entries if entry.id in each.requires],
    }


def _tell(item: Found, state: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"module": item.module_id, "state": state})
    else:
        say(f"{item.module_id} is {state}, for every start from now on; what runs goes on as it is")
