"""`health` ends with 0 where tasks are carried out, and with 1 and a reason where they are not."""

from __future__ import annotations

import asyncio
from typing import Any

from framework import Application

Commands = Any


def test_without_a_node_it_is_unhealthy(commands: Commands) -> None:
    assert commands("health").err.startswith("chamberlain: there is no database at")
    commands("db", "upgrade")

    assert commands("health") == (1, "", "chamberlain: no node lives; start one: chamberlain run\n")
    assert commands("health", "--json").json == {
        "status": "unhealthy",
        "problems": ["no node lives; start one: chamberlain run"],
    }


def test_a_node_that_lives_is_healthy_until_it_leaves_due_tasks_alone(commands: Commands) -> None:
    async def while_it_runs() -> tuple[Any, Any]:
        async with Application(settings={"core.scheduler": {"enabled": False}}) as app_context:
            scheduler = app_context.get_service("core.scheduler.service")
            scheduler.register_function("acme.here", "greet", lambda: None)
            await scheduler.turn()
            healthy = await asyncio.to_thread(commands, "health")
            scheduled = {"trigger": {"type": "cron", "expression": "* * * * *", "start_date": "2020-01-01T00:00:00Z"}}
            task = {"name": "Greet", "module_id": "acme.here", "function_name": "greet", **scheduled}
            (await scheduler.schedule_task(task)).unwrap()
            statement = "UPDATE scheduler_events SET next_execution = '2026-01-01 00:00:00.000000'"
            await app_context.database.write(lambda c: c.exec_driver_sql(statement))
            return healthy, await asyncio.to_thread(commands, "health")

    healthy, late = asyncio.run(while_it_runs())

    assert healthy == (0, "healthy\n", "")
    assert late.status == 1
    assert "the nodes that live do not begin them" in late.err


def test_a_server_is_asked_whether_it_is_ready(commands: Commands, server: Any) -> None:
    assert commands("--url", server.url, "health") == (0, "healthy\n", "")

    server.status = 503
    assert commands("--url", server.url, "health") == (1, "", "chamberlain: unhealthy: core.scheduler\n")


def test_a_server_that_is_not_there_is_named(commands: Commands) -> None:
    told = commands("--url", "http://127.0.0.1:1", "health")

    assert told.status == 1
    assert told.err.startswith("chamberlain: http://127.0.0.1:1 gives no answer")
    assert commands("--url", "file:///etc", "health").status == 2
