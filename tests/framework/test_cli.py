"""The command line says in one line what is wrong, ends with a status that means something."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import Project

PLAIN = "from framework import Module\n\n\nclass Plain(Module):\n    id = {id!r}\n    autoload = {autoload}\n"
BROKEN_MIGRATION = """
from alembic import op

revision, down_revision = "0001", None


def upgrade():
    1 / 0
"""
STARTS_NOT = """
from contextlib import asynccontextmanager

from framework import Module


class StartsNot(Module):
    id = "acme.starts_not"

    @asynccontextmanager
    async def lifespan(self, app_context):
        raise ValueError("no coal")
        yield
"""
COMMANDS = """
import typer

commands = typer.Typer()


@commands.command()
def brew(cups: int = 2):
    print(f"{cups} cups")
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def put_plain(project: Project, module_id: str, *, autoload: bool = True) -> Path:
    return project.put_module(module_id, PLAIN.format(id=module_id, autoload=autoload))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["dance"], "chamberlain: no such command 'dance'; see chamberlain --help\n"),
        (["db", "check", "--loud"], "chamberlain: no such option: --loud; see chamberlain db check --help\n"),
    ],
)
def test_a_wrong_usage_is_one_line_and_status_2(project: Project, arguments: list[str], complaint: str) -> None:
    answer = project.call(*arguments)

    assert (answer.returncode, answer.stdout, answer.stderr) == (2, "", complaint)


def test_without_a_command_the_help_is_shown(project: Project) -> None:
    answer = project.call("db")

    assert answer.returncode == 2
    assert "upgrade" in answer.stdout + answer.stderr


def test_a_wrong_setting_is_one_line_and_status_1(project: Project) -> None:
    answer = project.call("run", FRAMEWORK_HTTP_PORT="many")

    assert answer.returncode == 1
    assert answer.stderr.startswith("chamberlain: FRAMEWORK_HTTP_PORT is 'many'")
    assert answer.stderr.count("\n") == 1


def test_an_internal_error_is_one_line_and_status_70(project: Project) -> None:
    put_failing_migration(project)

    answer = project.call("db", "upgrade")

    assert answer.returncode == 70
    assert answer.stderr == (
        "chamberlain: internal error: ZeroDivisionError: division by zero; chamberlain --debug … shows where\n"
    )


@pytest.mark.parametrize("way", [{"CHAMBERLAIN_DEBUG": "1"}, {}])
def test_the_traceback_of_an_internal_error_is_shown_on_demand(project: Project, way: dict[str, str]) -> None:
    put_failing_migration(project)

    answer = project.call(*([] if way else ["--debug"]), "db", "upgrade", **way)

    assert answer.returncode == 70
    assert "Traceback" in answer.stderr


def put_failing_migration(project: Project) -> None:
    source = PLAIN.format(id="acme.plain", autoload=True) + '    migrations = "modules.acme.plain:migrations"\n'
    folder = project.put_module("acme.plain", source)
    (folder / "migrations").mkdir()
    (folder / "migrations" / "0001_first.py").write_text(BROKEN_MIGRATION)


def test_looking_at_a_database_that_is_not_there_makes_none(project: Project) -> None:
    answer = project.call("db", "check")

    assert answer.returncode == 1
    assert answer.stderr.startswith("chamberlain: there is no database at data/chamberlain.db yet; `chamberlain run`")
    assert not (project.folder / "data").exists()


def test_an_upgrade_makes_the_tables_and_a_second_one_changes_nothing(project: Project) -> None:
    applied = project.json("db", "upgrade")["applied"]
    assert {name: revisions[:2] for name, revisions in applied.items()} == {
        "core.access": ["0001"],
        "core.scheduler": ["0001", "0002"],
    }

    assert project.json("db", "check") == {"pending": {}}
    assert project.call("db", "upgrade").stdout == "all tables are up to date\n"


def test_a_look_at_old_tables_names_the_cure(project: Project) -> None:
    (project.folder / "old.db").touch()
    url = "sqlite:///old.db"

    answer = project.call("db", "check", FRAMEWORK_DATABASE_URL=url)

    assert answer.returncode == 1
    assert answer.stderr == (
        "chamberlain: the tables of core.access, core.scheduler are not up to date; run `chamberlain db upgrade`\n"
    )


def test_modules_are_listed_with_what_keeps_them_out(project: Project) -> None:
    put_plain(project, "acme.on")
    put_plain(project, "acme.waits", autoload=False)
    (put_plain(project, "acme.off") / ".disabled").touch()

    modules = {entry["id"]: entry for entry in project.json("modules", "list")["modules"]}

    states = {name: modules[f"acme.{name}"]["state"] for name in ("on", "waits", "off")}
    assert states == {"on": "on", "waits": "not listed", "off": "off"}
    assert modules["acme.off"]["why"].endswith("acme/off/.disabled")


def test_a_module_that_cannot_be_imported_is_listed_and_refused(project: Project) -> None:
    project.put_module("acme.broken", "import nowhere")

    answer = project.call("modules", "list")

    assert answer.returncode == 1
    assert "acme.broken" in answer.stdout
    assert answer.stderr == (
        "chamberlain: module 'modules.acme.broken' cannot be imported: ModuleNotFoundError: No module named 'nowhere'\n"
    )


def test_a_module_brings_commands_of_its_own(project: Project) -> None:
    put_plain(project, "acme.kitchen")
    project.put_module("acme.kitchen", COMMANDS, file="cli.py")

    assert project.call("brew", "--cups", "3").stdout == "3 cups\n"


def test_the_commands_of_a_module_may_be_a_folder(project: Project) -> None:
    (put_plain(project, "acme.kitchen") / "cli").mkdir()
    project.put_module("acme.kitchen", "from modules.acme.kitchen.cli.brewing import commands", file="cli/__init__.py")
    project.put_module("acme.kitchen", COMMANDS, file="cli/brewing.py")

    assert project.call("brew", "--cups", "3").stdout == "3 cups\n"


def test_commands_that_cannot_be_imported_are_named_and_left_out(project: Project) -> None:
    put_plain(project, "acme.kitchen")
    project.put_module("acme.kitchen", "import nowhere", file="cli.py")

    answer = project.call("db", "upgrade")

    assert answer.returncode == 0
    assert answer.stderr.startswith("chamberlain: the commands of acme.kitchen are left out: ")


def test_the_banner_tells_what_started_and_what_did_not(project: Project) -> None:
    project.put_module("acme.starts_not", STARTS_NOT)

    with project.start("run") as running:
        running.until("chamberlain 0.")
        assert running.until("url").split()[1].startswith("http://127.0.0.1:")
        assert running.until("database").endswith("sqlite+aiosqlite:///data/chamberlain.db")
        assert running.until("modules").split() == ["modules", "core.access,", "core.scheduler"]
        assert running.until("NOT RUNNING").endswith("acme.starts_not: ValueError: no coal")
        running.until("Ctrl-C")
        running.interrupt()

        assert running.status() == 0


def test_a_program_reads_json_lines_from_the_banner_to_the_end(project: Project) -> None:
    with project.start("run", FRAMEWORK_LOG_FORMAT="json") as running:
        running.until(" started")
        running.terminate()

        assert running.status() == 0
    events = [json.loads(line) for line in running.seen]
    assert events[-1]["event"] == "stopped"
    assert {"modules": ["core.access, core.scheduler"]}.items() <= next(
        e["started"] for e in events if "started" in e
    ).items()


def test_ctrl_c_ends_the_waiting_for_a_database(project: Project) -> None:
    with project.start("run", FRAMEWORK_DATABASE_URL="postgresql://me:hunter2@127.0.0.1:1/x") as running:
        line = running.until("gives no answer yet")
        running.interrupt()

        assert running.status() == 0
    assert "hunter2" not in line


def test_a_tool_does_not_wait_long_for_a_database(project: Project) -> None:
    answer = project.call(
        "db", "check", FRAMEWORK_DATABASE_URL="postgresql://me:hunter2@127.0.0.1:1/x", FRAMEWORK_DATABASE_TIMEOUT="0"
    )

    assert answer.returncode == 1
    assert "gave no answer within 0s" in answer.stderr
    assert "hunter2" not in answer.stderr
