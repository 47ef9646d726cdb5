"""The doctor finds each thing that is wrong, names it, and says what to do."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from command_line import Project

from framework import Application
from framework.clock import SystemClock
from framework.database import location
from framework.doctor import examine

Commands = Any
DATABASE = "data/chamberlain.db"


@pytest.fixture(autouse=True)
def port(monkeypatch: pytest.MonkeyPatch) -> str:
    """No port that another test, or another program of this machine, may have."""
    monkeypatch.setenv("FRAMEWORK_HTTP_PORT", "0")
    return "0"


@pytest.fixture
def healthy(commands: Commands) -> Commands:
    """A project with its tables."""
    assert commands("db", "upgrade").status == 0
    return commands


def found(commands: Commands) -> dict[str, str]:
    """Return what the doctor finds, by check: the problem and the cure."""
    told = commands("doctor", "--json")
    findings = told.json["findings"]
    assert (told.status, told.json["healthy"]) == ((1, False) if findings else (0, True)), told
    return {each["check"]: f"{each['problem']}; {each['cure']}" for each in findings}


def test_nothing_is_wrong_with_an_empty_folder_nor_with_a_fresh_database(commands: Commands) -> None:
    assert commands("doctor").out == "nothing is wrong\n"
    commands("db", "upgrade")

    assert commands("doctor") == (0, "nothing is wrong\n", "")


def test_a_problem_is_a_line_with_what_to_do_and_status_1(healthy: Commands) -> None:
    (healthy.folder / "data").chmod(0o755)

    told = healthy("doctor")

    assert told.status == 1
    assert told.out.splitlines()[1].split("  ")[0] == "data_dir"
    assert told.out.splitlines()[1].rstrip().endswith(f"chmod 700 {healthy.folder / 'data'}")


def test_a_data_folder_that_is_a_file_is_found(commands: Commands) -> None:
    commands.put("data", "")

    assert "is no folder" in found(commands)["data_dir"]


def test_a_data_folder_that_cannot_be_written_is_found(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere

    assert "cannot be written" in found(commands)["data_dir"]


def test_a_wrong_value_is_found(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORE_SCHEDULER_LEASE", "soon")

    assert found(commands)["settings"].startswith("CORE_SCHEDULER_LEASE is 'soon'")


def test_a_wrong_value_of_the_application_is_found(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAMEWORK_LOG_LEVEL", "loud")

    assert found(commands)["settings"].startswith("FRAMEWORK_LOG_LEVEL is 'LOUD'")


def test_an_unknown_variable_is_found(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORE_SCHEDULER_LEESE", "60")

    assert found(commands)["settings"].endswith("did you mean 'CORE_SCHEDULER_LEASE'?")


def test_a_module_that_cannot_be_imported_is_found(commands: Commands) -> None:
    commands.put("modules/acme/broken/__init__.py", "import nowhere")

    assert "'modules.acme.broken' cannot be imported" in found(commands)["modules"]


def test_a_listed_module_that_is_missing_is_found(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAMEWORK_MODULES", "core.schedule")

    assert "did you mean 'core.scheduler'?" in found(commands)["modules"]


@pytest.mark.parametrize(
    ("hiding", "problem"),
    [
        ("modules/__init__.py", "hides other folders of the same name; it should be removed"),
        ("modules.py", "is imported as 'modules' and hides the modules/ folders; remove or rename it"),
    ],
)
def test_what_hides_the_folders_of_modules_is_found(tmp_path: Path, hiding: str, problem: str) -> None:
    project = Project(tmp_path)
    (tmp_path / hiding).parent.mkdir(exist_ok=True)
    (tmp_path / hiding).touch()

    told = project.call_anew("doctor", "--json")

    assert told.returncode == 1
    (finding,) = json.loads(told.stdout)["findings"]
    assert f"{finding['problem']}; {finding['cure']}" == f"{tmp_path / hiding} {problem}"


def test_a_disk_that_is_nearly_full_is_found(healthy: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9 - 10**7, 10**7))

    assert found(healthy)["disk"].startswith("only 10 MB are free")


def test_a_port_that_something_else_has_is_found(healthy: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        other.close()
        with socket.create_server(("127.0.0.1", int(port))) as listener:
            listener.settimeout(0)
            monkeypatch.setattr("framework.doctor.surroundings.SECONDS", 0.01)
            monkeypatch.setenv("FRAMEWORK_HTTP_PORT", port)

            assert f"127.0.0.1:{port} cannot be listened on" in found(healthy)["port"]


def test_a_port_that_an_application_of_ours_has_is_as_it_should_be(
    healthy: Commands, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRAMEWORK_HTTP_PORT", str(server.server_port))

    assert found(healthy) == {}


def test_tables_that_are_behind_are_found(commands: Commands) -> None:
    (commands.folder / "data").mkdir(mode=0o700)
    commands.put(DATABASE, "")

    assert found(commands)["schema"].endswith("run `chamberlain db upgrade`")


def test_tables_of_a_newer_program_are_found(healthy: Commands) -> None:
    change(healthy, "UPDATE alembic_version_core_scheduler SET version_num = '9999'")

    assert "the database is newer than this program" in found(healthy)["schema"]


def test_a_file_that_is_no_database_is_found(healthy: Commands) -> None:
    healthy.put(DATABASE, "something else" * 100)

    assert "file is not a database" in found(healthy)["database"]


def test_a_database_on_a_network_file_system_is_found(healthy: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(location, "_file_system", lambda _: "nfs4")

    assert "on a network file system (nfs4)" in found(healthy)["database"]


def test_a_server_that_gives_no_answer_is_found(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAMEWORK_DATABASE_URL", "postgresql://me:hunter2@127.0.0.1:1/x")
    monkeypatch.setenv("FRAMEWORK_DATABASE_TIMEOUT", "0")

    assert "gave no answer within 0s" in found(commands)["database"]
    assert "hunter2" not in found(commands)["database"]


def test_a_locked_database_is_found(healthy: Commands) -> None:
    with closing(sqlite3.connect(healthy.folder / DATABASE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        assert "another program keeps" in found(healthy)["locks"]


def test_a_clock_that_is_behind_what_was_written_is_found(healthy: Commands) -> None:
    ahead = SystemClock().now().timestamp() + 3600
    os.utime(healthy.folder / DATABASE, (ahead, ahead))

    assert "behind what was written into the database" in found(healthy)["clock"]


@pytest.mark.postgres
async def test_a_clock_that_is_off_the_servers_is_found(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Fast(SystemClock):
        def now(self) -> datetime:
            return super().now() + timedelta(hours=1)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FRAMEWORK_DATABASE_URL", postgres_url)
    await Application().upgrade()

    (finding,) = (await examine({}, Fast())).findings

    assert finding.check == "clock"
    assert "ahead of the database server's" in finding.problem


def test_an_address_that_others_can_reach_needs_a_token(healthy: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAMEWORK_HTTP_HOST", "0.0.0.0")
    assert found(healthy)["tokens"].endswith("chamberlain tokens create NAME --scope read")

    assert healthy("tokens", "create", "grafana", "--scope", "read").status == 0
    assert found(healthy) == {}


def change(commands: Commands, statement: str) -> None:
    with closing(sqlite3.connect(commands.folder / DATABASE)) as connection:
        connection.execute(statement)
        connection.commit()


def test_due_tasks_that_nobody_runs_and_functions_that_nobody_has_are_found(healthy: Commands) -> None:
    asyncio.run(schedule_hourly())
    change(healthy, "UPDATE scheduler_events SET module_id = 'acme.gone'")
    assert found(healthy)["functions"].startswith("1 task run greet of acme.gone, which no module here registers")

    change(healthy, "UPDATE scheduler_events SET next_execution = '2026-01-01 00:00:00.000000'")
    assert found(healthy)["nodes"].endswith("and no node lives; start one: chamberlain run")


async def schedule_hourly() -> None:
    async with Application(settings={"core.scheduler": {"enabled": False}}) as app_context:
        scheduler = app_context.get_service("core.scheduler.service")
        scheduler.register_function("acme.here", "greet", lambda: None)
        (await scheduler.schedule_cron(("acme.here", "greet"), "0 * * * *", name="Greet")).unwrap()
