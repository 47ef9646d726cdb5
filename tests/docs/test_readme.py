"""The code blocks of the documents are run as a newcomer would run them."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from command_line import Project
from documents import ROOT, Block, blocks

from framework.settings import FRAMEWORK_ID, FrameworkSettings
from framework.settings_loader import SettingsLoader

PAGES = ("README.md", "docs/tutorial.md", "docs/testing.md", "docs/listeners.md")
ALL = [block for page in PAGES for block in blocks(page)]
COMMAND = Path(sys.executable).with_name("chamberlain")
OTHER_PROGRAMS = {"export", "mkdir", "echo", "pip", "python"}
VENV = COMMAND.parents[1]
MAKE_RUN = ["make", "-o", VENV / ".for-running", f"VENV={VENV}", "run"]
SERVED_ONCE = """
import asyncio


async def serve_once():
    async with app.router.lifespan_context(app):
        health = await app.state.app_context.health()
        print("acme.hello", health["modules"]["acme.hello"]["status"])


asyncio.run(serve_once())
"""


def test_every_block_is_of_a_kind_that_is_run() -> None:
    kinds = {("python", "file"), ("python", "test"), ("python", "web"), ("toml", "file"), ("toml", ""), ("sh", "")}
    kinds |= {("ini", "file"), ("text", "")}

    assert {(block.language, re.split(r"\W", block.mark)[0]) for block in ALL} <= kinds


@pytest.mark.parametrize("line", [line for block in ALL if block.language == "sh" for line in block.text.splitlines()])
def test_every_command_exists(line: str) -> None:
    words = shlex.split(line, comments=True)
    program = Path(words[0]).name

    if program == "make":
        assert re.search(rf"^{words[1]}:.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    elif program == "cp":
        assert (ROOT / words[1]).is_file()
    elif program == "chamberlain":
        assert_known_to_the_command_line(words[1:])
    else:
        assert program in OTHER_PROGRAMS


def assert_known_to_the_command_line(words: list[str]) -> None:
    command = [word for word in words if re.fullmatch("[a-z]+", word)][:2]
    command = command[:1] if command[0] in ("run", "tick") else command
    shown = Project(ROOT).call(*command, "--help")

    assert shown.returncode == 0, shown.stderr
    assert [word for word in words if word.startswith("--") and word not in shown.stdout] == []


@pytest.mark.slow
@pytest.mark.parametrize("page", ["README.md", "docs/tutorial.md"])
def test_the_modules_of_a_page_work_as_they_grow(page: str, tmp_path: Path) -> None:
    for block in blocks(page):
        if block.file is None:
            continue
        write(tmp_path, block, block.file)
        if block.language == "python":
            ticked = Project(tmp_path).call("tick")
            assert (ticked.returncode, ticked.stderr) == (0, ""), f"{block}\n{ticked.stderr}"

    listed = Project(tmp_path).call("modules", "list")
    assert re.search(r"acme\.\w+ +on\b", listed.stdout), listed.stdout


@pytest.mark.parametrize("page", ["docs/tutorial.md", "docs/testing.md", "docs/listeners.md"])
def test_the_tests_of_a_page_pass(page: str, tmp_path: Path) -> None:
    for block in blocks(page):
        if block.language in ("python", "ini"):
            write(tmp_path, block, block.file or "tests/test_module.py")

    passed = called([sys.executable, "-m", "pytest"], tmp_path)

    assert passed.returncode == 0, passed.stdout
    tests = sum(len(re.findall(r"^(?:async )?def test_", block.text, re.MULTILINE)) for block in blocks(page))
    assert f"{tests} passed" in passed.stdout


def test_the_web_application_of_the_readme_starts_and_stops(tmp_path: Path) -> None:
    module, web = (block for block in blocks("README.md") if block.language == "python")
    write(tmp_path, module, str(module.file))
    (tmp_path / "web.py").write_text(web.text + SERVED_ONCE)

    ran = called([sys.executable, "web.py"], tmp_path)

    assert (ran.returncode, ran.stdout) == (0, "acme.hello healthy\n"), ran.stderr


@pytest.mark.parametrize("block", [block for block in ALL if block.language == "toml"], ids=str)
def test_every_settings_block_is_accepted(block: Block, tmp_path: Path) -> None:
    (tmp_path / "default.toml").write_text(block.text)

    loader = SettingsLoader(folders=[tmp_path])

    loader.load(FRAMEWORK_ID, FrameworkSettings)
    for table in tomllib.loads(block.text):
        assert table in (FRAMEWORK_ID, "core.scheduler", "acme.reports")
    if "core.scheduler" in block.text:
        from modules.core.scheduler import SchedulerSettings

        loader.load("core.scheduler", SchedulerSettings, known=("core.scheduler",))


@pytest.mark.slow
def test_the_first_command_of_the_readme_shows_executions_and_survives_a_restart(tmp_path: Path) -> None:
    second_terminal = [block for block in blocks("README.md") if block.language == "sh"][1]
    data = {"FRAMEWORK_DATA_DIR": str(tmp_path)}

    with running(MAKE_RUN, ROOT, data) as lines:
        wait_for("succeeded", lines)
        type_in(second_terminal, ROOT, data)
        wait_for("Ingest the inbox  succeeded", lines)
    before = Project(ROOT).call("tasks", "list", "--json", **data).stdout
    with running(MAKE_RUN, ROOT, data) as lines:
        wait_for("succeeded", lines)
    after = Project(ROOT).call("tasks", "list", "--json", **data).stdout

    assert standing(before) == standing(after) != set()


@pytest.mark.slow
def test_the_commands_of_the_tutorial_work_in_a_folder_of_ones_own(tmp_path: Path) -> None:
    for block in blocks("docs/tutorial.md"):
        if block.file is not None:
            write(tmp_path, block, block.file)
    look, make_texts, start_and_ask, _ = (block for block in blocks("docs/tutorial.md") if block.language == "sh")

    type_in(look, tmp_path, {})
    type_in(make_texts, tmp_path, {})
    with running([COMMAND, "run"], tmp_path, {}) as lines:
        wait_for("next", lines)
        type_in(start_and_ask, tmp_path, {})
        wait_for("Count words  succeeded", lines)


def test_the_second_command_runs_the_tests() -> None:
    shown = called(["make", "--dry-run", "test"], ROOT)

    assert "-m pytest" in shown.stdout


@contextmanager
def running(command: list[Any], folder: Path, variables: dict[str, str]) -> Iterator[Iterator[str]]:
    """Start a command, yield the lines it prints, then press Ctrl-C."""
    with subprocess.Popen(
        [str(word) for word in command],
        cwd=folder,
        env=environment() | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.communicate(timeout=30)


def wait_for(text: str, lines: Iterator[str]) -> None:
    """Read on until a line holds the text; pytest's own time limit ends a wait that is in vain."""
    assert any(text in line for line in lines), f"it ended before it said {text!r}"


def type_in(block: Block, folder: Path, variables: dict[str, str]) -> None:
    """Run a shell block in a shell of its own, but for the line that starts what is running already."""
    script = block.text.replace("chamberlain run\n", "", 1).replace(".venv/bin/", "")
    script = script.replace("data/", f"{variables.get('FRAMEWORK_DATA_DIR', 'data')}/")
    path = f"{COMMAND.parent}{os.pathsep}{os.environ['PATH']}"

    done = called(["sh", "-ec", script], folder, variables | {"PATH": path})

    assert done.returncode == 0, f"{block}\n{done.stderr}"


def standing(listed: str) -> set[tuple[str, str]]:
    """Return the ids and schedules of the tasks that a listing in JSON shows."""
    return {(task["id"], task["schedule"]) for task in json.loads(listed)["tasks"]}


def write(folder: Path, block: Block, name: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block.text)


def environment() -> dict[str, str]:
    own = ("FRAMEWORK_", "CORE_SCHEDULER_", "STANDARD_", "PYTEST", "COV")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    return kept | {"FRAMEWORK_HTTP_PORT": "0"}  # tests run beside each other


def called(
    command: list[Any], folder: Path, variables: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env=environment() | (variables or {}),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
