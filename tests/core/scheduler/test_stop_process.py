"""A process that stops, with or without its event loop, hands back everything that it runs."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from processes import ROOT
from sqlalchemy import select

from framework.clock import SystemClock
from framework.time_limit import finishes_within
from modules.core.scheduler.tables import nodes


@pytest.fixture
def clock() -> SystemClock:
    """The real time."""
    return SystemClock()


PROGRAM = """
import asyncio, sys, threading
from framework import Application
from modules.core.scheduler import heartbeat

heartbeat.JOIN_SECONDS = 60  # in which the last words are written, however loaded the machine is
begun = []

def begin():
    print("begun", flush=True)
    begun.append(1)

def stuck_thread():
    begin()
    threading.Event().wait()

async def deaf():
    begin()
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass

async def stuck():
    begin()
    await asyncio.Event().wait()

async def run(application, app_context):
    scheduler = app_context.get_service("core.scheduler.service")
    for function in (stuck_thread, deaf, stuck):
        scheduler.register_function("acme.test", function.__name__, function)
        name = function.__name__
        config = {"name": name, "module_id": "acme.test", "function_name": name, "schedule_time": "now"}
        (await scheduler.schedule_task(config)).unwrap()
    while len(begun) < 3:
        await asyncio.sleep(0.01)

framework = {"database_url": sys.argv[1], "data_dir": sys.argv[2]}
tables = {"framework": framework, "core.scheduler": {"shutdown_grace": 0.1}}
application = Application(modules=["core.scheduler"], settings=tables)
"""


GRACEFULLY = """
import os

async def main():
    async with application as app_context:
        await run(application, app_context)

loop = asyncio.new_event_loop()
loop.run_until_complete(main())
sys.stdout.flush()
os._exit(0)
"""


WITHOUT_A_LOOP = """
import os

async def main():
    await run(application, await application.start())

loop = asyncio.new_event_loop()
loop.run_until_complete(main())
loop.stop()
application.stop_now()
application.stop_now()
sys.stdout.flush()
os._exit(0)
"""


IN_THE_FOREGROUND = """
from framework.foreground import carry_through

async def work(app_context):
    await run(application, app_context)

carry_through(application, work)
"""

WAYS = {"gracefully": GRACEFULLY, "without a loop": WITHOUT_A_LOOP, "in the foreground": IN_THE_FOREGROUND}
PATIENCE = 60.0  # seconds after which it counts as not stopping


@pytest.mark.parametrize("way", WAYS.values(), ids=list(WAYS))
async def test_a_process_that_stops_hands_everything_back(start_node: Any, way: str, tmp_path: Path) -> None:
    peer = await start_node()
    url = peer.app_context.database.url.render_as_string(hide_password=False)
    command = [sys.executable, "-X", "dev", "-c", PROGRAM + way, url, str(tmp_path / "stopping")]

    child = await asyncio.create_subprocess_exec(
        *command, env={"PYTHONPATH": str(ROOT), "PATH": ""}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    communicating = asyncio.ensure_future(child.communicate())
    if not await finishes_within(communicating, SystemClock(), PATIENCE):
        child.kill()
    printed, complaints = await communicating

    assert (child.returncode, printed) == (0, b"begun\n" * 3), complaints.decode()
    assert b"destroyed" not in complaints
    rows = await peer.history()
    assert sorted((row["state"], row["reason"], row["attempt"]) for row in rows) == [
        *[("cancelled", "SHUTDOWN", 1)] * 3,
        *[("pending", None, 2)] * 3,
    ]
    assert await peer.app_context.database.read(lambda c: c.execute(select(nodes)).all()) == []
