"""The commands `chamberlain modules …`."""

from __future__ import annotations

from dataclasses import asdict

import typer

from framework.cli.opening import AsJson, own_settings
from framework.loader import discover
from framework.terminal import print_json, print_table

module_commands = typer.Typer()


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
