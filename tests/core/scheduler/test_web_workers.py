"""Several workers of a web server, each with an application: every occurrence runs once, and all of them work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from framework import Application
from framework.clock import SystemClock
from modules.core.scheduler import SchedulerService

ONCE, EVERY = 60, 0.2
MODULE = """
import os
from contextlib import asynccontextmanager

from framework import Module
from modules.core.scheduler import ExecutionContext, SchedulerService


class CountModule(Module):
    id = "acme.count"
    requires = ("core.scheduler",)

    @asynccontextmanager
    async def lifespan(self, app_context):
        scheduler = app_context.get_service(SchedulerService)
        scheduler.register_function(self.id, "count", self.count)
        for number in range({once}):
            (await scheduler.schedule_once(self.count, at="now", name=f"once {{number}}")).unwrap()
        (await scheduler.schedule_interval(self.count, every={every}, name="often")).unwrap()
        yield

    async def count(self, context: ExecutionContext):
        with open("counted", "a") as file:
            file.write(f"{{os.getpid()}} {{context.idempotency_key}}\\n")
        await context.app_context.clock.sleep(0.02)
"""
WEB = """
from fastapi import FastAPI

from framework import Application
from framework.web import lifespan
from count import CountModule

app = FastAPI(lifespan=lifespan(Application(["core.scheduler", CountModule()])))
"""


@pytest.mark.slow
async def test_every_occurrence_runs_once_under_two_workers(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "count.py").write_text(MODULE.format(once=ONCE, every=EVERY))
    (tmp_path / "web.py").write_text(WEB)
    framework = {"database_url": database_url, "data_dir": str(tmp_path)}
    variables = {f"FRAMEWORK_{name.upper()}": value for name, value in framework.items()}

    with serving(tmp_path, {**variables, "CORE_SCHEDULER_MAX_CONCURRENT_TASKS": "2"}):
        clock = SystemClock()
        while len(workers(tmp_path)) < 2 or len(counted(tmp_path)) < ONCE + 5:
            await clock.sleep(0.05)

    keys = [key for _, key in counted(tmp_path)]
    assert [key for key, times in Counter(keys).items() if times > 1] == []
    async with Application(["core.scheduler"], {"framework": framework}).open() as app_context:
        scheduler = app_context.get_service(SchedulerService)
        assert (await scheduler.get_executions(state="lost")).unwrap()["executions"] == []


@contextmanager
def serving(folder: Path, variables: dict[str, str]) -> Iterator[None]:
    """Two workers of uvicorn, stopped as a service manager stops them."""
    command = [sys.executable, "-m", "uvicorn", "web:app", "--workers", "2", "--port", "0", "--log-level", "warning"]
    with subprocess.Popen(command, cwd=folder, env=os.environ | variables, start_new_session=True) as process:
        try:
            yield
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def counted(folder: Path) -> list[list[str]]:
    """What ran: the process and the occurrence."""
    path = folder / "counted"
    return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


def workers(folder: Path) -> set[str]:
    """The processes that ran anything."""
    return {process for process, _ in counted(folder)}
