"""What `init` and `module new` write works as it is, and nothing that is there already is touched."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

Commands = Any
SECOND = """
from framework import Module


class Second(Module):
    id = "acme.second"
    requires = ("acme.first",)
"""


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_new_project_has_modules_that_run_and_tests_that_pass(
    commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = commands("init", "shop", "--json")
    assert set(told.json["files"]) == files(commands.folder / "shop")
    monkeypatch.chdir(commands.folder / "shop")
    assert commands("module", "new", "acme.stock_count").status == 0

    tests = [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    passed = subprocess.run(tests, capture_output=True, text=True, check=False)

    assert "4 passed" in passed.stdout, passed.stdout
    assert {"acme.hello", "acme.stock_count"} <= {
        each["id"] for each in commands("modules", "list", "--json").json["modules"] if each["state"] == "on"
    }
    assert commands("settings", "validate").status == 0
    assert "__pycache__" in Path(".gitignore").read_text()


def test_a_file_that_is_there_already_is_kept_and_nothing_is_written(commands: Commands) -> None:
    commands.put("shop/README.md", "mine")

    told = commands("init", "shop")

    assert (told.status, told.err) == (1, "chamberlain: shop/README.md is there already; nothing was written\n")
    assert files(commands.folder) == {"shop/README.md"}


@pytest.mark.parametrize(
    "name", ["reports", "acme.", "acme.Reports", "acme.a.b", "acme.class", "../acme.x", "acme.x/y"]
)
def test_a_name_that_no_module_can_have_is_refused(commands: Commands, name: str) -> None:
    told = commands("module", "new", name)

    assert told.status == 1
    assert "is no id of a module; write two words, such as acme.reports" in told.err
    assert files(commands.folder) == set()


def test_an_area_of_the_program_is_not_for_others(commands: Commands) -> None:
    assert "choose an area of your own" in commands("module", "new", "core.reports").err


def test_a_module_is_shown_and_left_out_and_taken_back(commands: Commands) -> None:
    commands("module", "new", "acme.reports")
    state = lambda: commands("modules", "show", "acme.reports", "--json").json["state"]  # noqa: E731
    assert state() == "on"

    assert commands("modules", "disable", "acme.reports").status == 0
    assert state() == "off"

    assert commands("modules", "enable", "acme.reports").status == 0
    assert state() == "on"
    assert commands("modules", "show", "core.scheduler", "--json").json["required_by"].count("acme.reports") == 1


def test_an_installed_module_is_not_switched_off_here(commands: Commands) -> None:
    told = commands("modules", "disable", "core.scheduler")

    assert told.status == 1
    assert "core.scheduler is installed, not in this folder; leave it out of FRAMEWORK_MODULES" in told.err


def test_a_module_that_another_one_requires_is_not_switched_off(commands: Commands) -> None:
    commands("module", "new", "acme.first")
    commands.put("modules/acme/second/__init__.py", SECOND)

    assert commands("modules", "disable", "acme.first").err == (
        "chamberlain: acme.second requires acme.first; disable that first\n"
    )
    assert "did you mean 'acme.first'" in commands("modules", "show", "acme.furst").err
