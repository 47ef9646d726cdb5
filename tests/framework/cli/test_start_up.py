"""The command line is quick to help: what a command does not need, it does not import."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from framework import cli
from framework.cli.deferred import Deferred

HEAVY = {"alembic", "asyncio", "croniter", "fastapi", "pydantic", "rich", "sqlalchemy", "structlog"}
IMPORTED_BY = """
import sys
from pathlib import Path
from framework.cli import main
try:
    main(sys.argv[2:])
except SystemExit as end:
    print(end.code, sorted(set(sys.argv[1].split()) & set(sys.modules)))
"""


def imported_by(*arguments: str) -> tuple[str, str]:
    """Run a command; return what it printed, and its status with what of `HEAVY` it imported."""
    program = [sys.executable, "-c", IMPORTED_BY, " ".join(HEAVY), *arguments]
    answer = subprocess.run(program, capture_output=True, text=True, check=True)
    printed, _, end = answer.stdout.rstrip().rpartition("\n")
    return printed, end


@pytest.mark.parametrize(
    ("arguments", "shown"), [(["--help"], "tasks"), (["version"], "chamberlain 0."), (["--version"], "chamberlain 0.")]
)
def test_help_and_version_import_nothing_heavy(arguments: list[str], shown: str) -> None:
    printed, end = imported_by(*arguments)

    assert shown in printed
    assert end == "0 []"


def test_the_help_of_a_group_imports_no_database() -> None:
    printed, end = imported_by("tasks", "--help")

    assert "explain" in printed
    assert end.startswith("0 ")
    assert not {"alembic", "fastapi", "rich", "sqlalchemy"} & set(re.findall(r"\w+", end))


def test_a_group_is_listed_with_the_line_that_it_says_of_itself() -> None:
    doors = cli._doors()
    for name, command in cli.program(doors).commands.items():
        if isinstance(command, Deferred) and not command.hidden:
            assert command.loaded().help.startswith(command.help.rstrip(".")), name


def test_looking_at_tables_that_are_up_to_date_takes_no_alembic(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    subprocess.run([sys.executable, "-m", "framework", "db", "upgrade"], check=True, capture_output=True)

    printed, end = imported_by("tasks", "list", "--json")

    assert json.loads(printed)["tasks"] == []
    assert not {"alembic", "fastapi", "rich"} & set(re.findall(r"\w+", end))
