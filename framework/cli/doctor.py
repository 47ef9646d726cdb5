"""The command `chamberlain doctor`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from types import ModuleType
from typing import TYPE_CHECKING

import typer

from framework.cli.opening import REFUSED, AsJson
from framework.terminal import print_json, print_table, say

if TYPE_CHECKING:
    from framework.doctor import Examination


def examine_all(context: typer.Context, as_json: AsJson = False) -> None:
    """Find what is wrong with the application of this folder, and say what to do; 1 where anything is."""
    import asyncio

    from framework.doctor import examine

    doors: Mapping[str, ModuleType] = context.obj
    finds = {name: door.findings for name, door in doors.items() if hasattr(door, "findings")}
    examination = asyncio.run(examine(finds))
    if as_json:
        print_json({"healthy": not examination.findings} | asdict(examination))
    else:
        _tell(examination)
    if examination.findings:
        raise typer.Exit(REFUSED)


def _tell(examination: Examination) -> None:
    if examination.findings:
        rows = [(each.check, each.problem, each.cure) for each in examination.findings]
        print_table(("CHECK", "PROBLEM", "WHAT TO DO"), rows)
    else:
        say("nothing is wrong")
    if not examination.complete:
        say("mend this and call it again: the database was not looked into")
