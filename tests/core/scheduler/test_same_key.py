"""The same key from several processes at once is one task."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from processes import run_together

PROCESSES = 4
CALLS = 25


async def test_processes_that_schedule_the_same_key_at_once_get_one_task(
    start_node: Any, database_url: str, tmp_path: Path
) -> None:
    program = f"""
        import asyncio
        import json
        from framework import Application
        from modules.core.scheduler import SchedulerService

        FRAMEWORK = {{"database_url": {database_url!r}, "data_dir": {str(tmp_path / "data")!r}}}
        TABLES = {{"framework": FRAMEWORK, "core.scheduler": {{"enabled": False, "timezone": "UTC"}}}}
        NIGHTLY = {{"name": "nightly", "module_id": "acme.test", "function_name": "work", "cron": "0 3 * * *"}}

        def work():
            pass

        async def main():
            async with Application(modules=["core.scheduler"], settings=TABLES) as app_context:
                service = app_context.get_service(SchedulerService)
                service.register_function("acme.test", "work", work)
                asked = [service.schedule_task(NIGHTLY | {{"key": "nightly"}}) for _ in range({CALLS})]
                print(json.dumps([answer.unwrap()["task_id"] for answer in await asyncio.gather(*asked)]))

        asyncio.run(main())
    """
    node = await start_node()

    answers = [json.loads(answer) for answer in run_together(program, PROCESSES)]

    tasks = (await node.scheduler.list_tasks(module_id="acme.test")).unwrap()["tasks"]
    assert [len(answer) for answer in answers] == [CALLS] * PROCESSES
    assert {task_id for answer in answers for task_id in answer} == {task["id"] for task in tasks}
    assert [task["key"] for task in tasks] == ["nightly"]
