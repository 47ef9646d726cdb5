"""Many processes that write to one database at once: none is refused, none is passed over."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from processes import run_together

WRITERS = 8
EACH = 40
PROGRAM = """
import asyncio, json, sys
from framework import Application
from framework.clock import SystemClock

async def main():
    tables = {"framework": {"database_url": %r, "data_dir": %r}, "core.scheduler": {"enabled": %r}}
    clock, longest = SystemClock(), 0.0
    async with Application(modules=["core.scheduler"], settings=tables) as app_context:
        scheduler = app_context.get_service("core.scheduler.service")
        scheduler.register_function("acme.test", "note", lambda: None)
        for number in range(%r):
            begun = clock.monotonic()
            config = {"name": "n", "module_id": "acme.test", "function_name": "note", "delay": "1 day"}
            (await scheduler.schedule_task(config)).unwrap()
            (await scheduler.list_tasks(limit=5)).unwrap()
            longest = max(longest, clock.monotonic() - begun)
        listed = (await scheduler.list_tasks(function_name="note", limit=500)).unwrap()["tasks"]
    print(json.dumps({"longest": longest, "listed": len(listed)}))

asyncio.run(main())
"""


@pytest.mark.slow
@pytest.mark.parametrize("enabled", [False, True])
async def test_eight_writers_and_readers_at_once_meet_no_locked_database(
    database_url: str, tmp_path: Path, enabled: bool
) -> None:
    program = PROGRAM % (database_url, str(tmp_path), enabled, EACH)

    answers = await asyncio.to_thread(run_together, program, WRITERS)

    told = [json.loads(answer.splitlines()[-1]) for answer in answers]
    assert max(each["listed"] for each in told) == min(500, WRITERS * EACH)
    assert max(each["longest"] for each in told) < 10
