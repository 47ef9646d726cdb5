"""What the documents say is what the code is."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import settings_table
from documents import PAGES, ROOT, blocks, first_cells, sources, without_blocks

from framework import Application, cli
from framework.web.assembling import web_application
from modules.core.scheduler.execution import Reason, State
from modules.core.scheduler.task import Status, TaskConfig

LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
CODE_WORD = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|OVERLAP|FORBIDDEN")
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
WORDS_OF_A_DECISION = ("Because", "Therefore", "We give up")


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    targets = [target.split("#")[0] for target in LINK.findall(without_blocks(page)) if "://" not in target]

    assert [target for target in targets if target and not (page.parent / target).exists()] == []


@pytest.mark.parametrize("module_id", settings_table.tables())
def test_every_setting_is_documented_as_it_is(module_id: str) -> None:
    documented = (ROOT / "docs" / "settings.md").read_text().splitlines()

    wanted = [row for row in settings_table.tables()[module_id] if row not in documented]

    assert wanted == [], "write these rows, as `python tests/settings_table.py` prints them"


def test_no_setting_is_documented_that_is_not_there() -> None:
    rows = [row for table in settings_table.tables().values() for row in table]
    documented = [line for line in (ROOT / "docs" / "settings.md").read_text().splitlines() if line.startswith("| `")]

    assert sorted(documented) == sorted(rows)


def test_every_key_of_a_task_is_documented() -> None:
    assert set(first_cells("docs/tasks.md")) == set(TaskConfig.model_fields)


def commands_of(group: Any, path: str = cli.PROGRAM) -> Iterator[tuple[str, set[str]]]:
    for name, found in group.commands.items():
        if found.hidden:
            continue
        command = found.loaded() if hasattr(found, "loaded") else found
        if hasattr(command, "commands"):
            yield from commands_of(command, f"{path} {name}")
        else:
            yield f"{path} {name}", {option for each in command.params for option in each.opts if option[0] == "-"}


def test_every_command_is_documented_with_its_options() -> None:
    program = cli.program(cli._doors())
    rows = [line for line in (ROOT / "docs" / "cli.md").read_text().splitlines() if line.startswith("| `chamberlain")]
    documented = {
        re.sub("( [A-Z.]+)+$", "", row.split("`")[1]): set(re.findall(r"`(--?[a-z-]+)`", row)) for row in rows
    }

    assert documented == dict(commands_of(program))


async def test_the_document_of_the_api_is_what_a_server_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with Application(modules=["core.scheduler", "core.access"]).registered() as app_context:
        answered = json.loads(json.dumps(web_application(app_context).openapi()))

    is_up_to_date = answered == json.loads((ROOT / "docs" / "openapi.json").read_text())
    assert is_up_to_date, "write it anew: chamberlain openapi > docs/openapi.json"


def result_codes() -> set[str]:
    """Return every code with which the source refuses: the first argument of `Result.error`, `Error` and `refuse`."""
    found = set()
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("error", "Error", "refuse", "_unhealthy"):
                found.add(code_of(node.args[0]))
    return found - {None}


def test_every_code_of_the_guard_and_of_routes_is_documented() -> None:
    calls = [node for path in sources() for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    problems = [node for node in calls if getattr(node.func, "id", "") == "Problem" and len(node.args) > 1]
    codes = {code.value for node in problems for code in node.args[1:2] if isinstance(code, ast.Constant)}
    text = (ROOT / "docs" / "http.md").read_text()

    assert len(codes) > 10
    assert [code for code in sorted(codes) if f"`{code}`" not in text] == []


def code_of(argument: ast.expr) -> Any:
    match argument:
        case ast.Constant(value=str(code)) if CODE_WORD.fullmatch(code):
            return code
        case ast.Attribute(value=ast.Name(id="Reason"), attr=name):
            return name
    return None


def test_every_code_of_a_refusal_has_its_http_status() -> None:
    rows = [line for line in (ROOT / "docs" / "errors.md").read_text().splitlines() if line.startswith("| `")]
    documented = {row.split("`")[1]: row.rstrip(" |").rsplit("| ", 1)[1] for row in rows}

    assert set(documented) == result_codes()
    assert set(documented.values()) <= {"403", "404", "409", "412", "422", "500", "503", "504"}


def test_every_state_and_every_reason_that_is_written_is_explained() -> None:
    written = {reason for path in sources() for reason in re.findall(r"\bReason\.([A-Z_]+)", path.read_text())}
    explained = set(first_cells("docs/states.md"))
    text = (ROOT / "docs" / "states.md").read_text()

    assert {reason for reason in explained if reason in Reason.__members__} == written
    assert set(State) <= explained
    assert [status for status in Status if f"`{status}`" not in text] == []


def drawn_paths() -> set[str]:
    """Return what docs/house.md draws: files, and folders, whose files it need not draw."""
    (drawing,) = (block.text for block in blocks("docs/house.md") if block.mark == "tree")
    paths: set[str] = set()
    folder = ""
    for line in drawing.splitlines():
        names = re.split(r" {2,}", line.strip())[0].split()
        if not line.startswith(" "):
            folder = names[0]
        else:
            paths |= {folder + name for name in names}
    return paths


def test_the_house_is_drawn_as_it_stands() -> None:
    drawn = drawn_paths()
    folders = tuple(path for path in drawn if path.endswith("/"))
    there = {shown(path) for path in sources() if path.name != "__init__.py"}

    assert {path for path in there - drawn if not path.startswith(folders)} == set()
    assert [path for path in drawn if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", DECISIONS, ids=shown)
def test_a_decision_is_short_and_says_why_and_what_for(page: Path) -> None:
    lines = page.read_text().splitlines()

    assert len(lines) <= 30
    assert lines[0].startswith("# ")
    assert [word for word in WORDS_OF_A_DECISION if word not in page.read_text()] == []


def test_every_dependency_says_what_it_replaces() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["postgres"]]
    names = [re.split(r"[\[<>=]", each)[0] for each in needed]
    text = (ROOT / "docs" / "decisions" / "dependencies.md").read_text()

    assert [name for name in names if f"| {name} " not in text] == []


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = [
        *project["dependencies"],
        *(each for extra in project["optional-dependencies"].values() for each in extra),
    ]
    locked = set(re.findall(r"^([\w.-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE))

    assert {re.split(r"[\[<>=]", each)[0] for each in needed} - locked == set()


def test_every_test_that_the_readme_names_is_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "README.md").read_text()))
    there = {
        found
        for path in (ROOT / "tests").rglob("test_*.py")
        for found in re.findall(r"def (test_\w+)", path.read_text())
    }

    assert named - there == set()
    assert len(named) > 5


def test_the_first_screen_of_the_readme_shows_a_module() -> None:
    first_screen = "\n".join((ROOT / "README.md").read_text().splitlines()[:40])

    assert "(Module):" in first_screen
    assert "make run" in first_screen


def test_the_words_of_the_glossary_are_in_order() -> None:
    words = [line.split("|")[1].strip() for line in (ROOT / "docs/glossary.md").read_text().splitlines()[6:]]

    assert words == sorted(words)


def test_the_gate_and_what_it_calls_are_programs_that_can_be_read() -> None:
    scripts = sorted((ROOT / ".ci").iterdir())

    assert [shown(path) for path in scripts if subprocess.run(["bash", "-n", path], check=False).returncode] == []
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111
