"""Shell commands as tasks: only where they are allowed, as cron runs them, and nothing of them is left behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import make_url

from framework import Application
from framework.clock import SystemClock
from framework.settings import database_url
from modules.core.scheduler import SchedulerService
from modules.core.scheduler.shell_command import run_command


async def test_a_command_gets_its_input_and_the_environment_of_cron(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAMEWORK_DATABASE_URL", "postgresql://user:s3cr3t@host/name")

    done = (await run_command("cat; env", stdin="hello\n")).unwrap()

    names = {line.partition("=")[0] for line in done["output"].splitlines()[1:]}
    assert done["exit_status"] == 0
    assert done["output"].startswith("hello\n")
    assert names - {"PWD", "SHLVL", "_", "OLDPWD"} == {"HOME", "LOGNAME", "SHELL", "PATH"}


async def test_a_command_is_looked_for_in_its_path(tmp_path: Path) -> None:
    program = tmp_path / "say-hello"
    program.write_text("#!/bin/sh\necho hello\n")
    program.chmod(0o700)

    done = (await run_command("say-hello", path=f"{tmp_path}:/bin")).unwrap()

    assert done["output"] == "hello\n"


async def test_a_command_that_fails_says_with_what_and_what_it_said_last() -> None:
    done = await run_command("echo broken >&2; exit 3")

    assert done.error is not None
    assert (done.error.code, done.error.message) == ("COMMAND_FAILED", "exit status 3: broken")


async def test_only_the_end_of_much_output_is_kept() -> None:
    done = (await run_command("head -c 1000000 /dev/zero | tr '\\0' x; echo end")).unwrap()

    assert (len(done["output"]), done["output"][-4:]) == (8_000, "end\n")


async def test_a_command_that_reads_nothing_of_its_input_succeeds() -> None:
    done = await run_command("true", stdin="x" * 1_000_000)

    assert done.error is None


async def test_a_command_that_is_cut_off_leaves_nothing_running(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    running = asyncio.create_task(
        run_command(f"trap '' HUP; sleep 1000 & echo $! > {file}.new; mv {file}.new {file}; wait")
    )
    while not file.exists():
        await SystemClock().sleep(0.01)

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    while lives(file.read_text().strip()):
        await SystemClock().sleep(0.01)


async def test_a_command_that_is_cut_off_while_it_starts_leaves_nothing_running(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    for _ in range(20):
        running = asyncio.create_task(run_command(f"sleep 1000 & echo $! >> {pids}; wait"))
        for _ in range(3):
            await asyncio.sleep(0)  # noqa: TID251  # so that it is about to start
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    begun = pids.read_text().split() if pids.exists() else []
    while any(lives(pid) for pid in begun):
        await SystemClock().sleep(0.01)


def lives(pid: str) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().split()[2] != "Z"


@pytest.mark.parametrize("allowed", [False, True])
async def test_the_function_is_there_only_where_commands_are_allowed(tmp_path: Path, allowed: bool) -> None:
    url = make_url(database_url(f"sqlite:///{tmp_path / 'a.db'}")).render_as_string()
    tables = {"framework": {"database_url": url, "data_dir": str(tmp_path)}, "core.scheduler": {"enabled": False}}
    tables["core.scheduler"]["allow_commands"] = allowed
    task = {"name": "say", "module_id": "core.scheduler", "function_name": "run_command", "schedule_time": "now"}

    async with Application(modules=["core.scheduler"], settings=tables) as app_context:
        scheduler = app_context.get_service(SchedulerService)
        scheduled = await scheduler.schedule_task({**task, "parameters": {"command": "echo hello"}})
        await scheduler.run_due()
        executions = (await scheduler.get_executions()).unwrap()["executions"]

    if allowed:
        assert executions[0]["result"] == {"exit_status": 0, "output": "hello\n"}
    else:
        assert scheduled.error is not None
        assert "CORE_SCHEDULER_ALLOW_COMMANDS=true allows them" in scheduled.error.message
        assert executions == []
