"""A task is written down as somebody would write it, and what is written schedules one like it."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from modules.core.scheduler.showing.definitions import as_command, as_curl, as_python, config_of_task

WAYS: list[dict[str, Any]] = [
    {"cron": "30 2 * * *", "timezone": "Europe/Berlin", "dst_gap": "skip"},
    {"cron": "0 1 * * *", "end_date": "2030-01-01T00:00:00Z"},
    {"recurring": True, "interval_type": "minutes", "interval_value": 90},
    {"recurring": True, "interval_type": "seconds", "interval_value": 1.5, "after_end": True},
    {"schedule_time": "2030-01-01T00:00:00Z"},
    {"trigger": {"type": "calendar", "months": 3, "day": "last", "at": "18:00"}},
    {"trigger": {"type": "event", "event": "upload", "where": {"kind": "csv"}}},
    {"cron": "@daily", "max_retries": 3, "timeout": 60, "misfire_grace_time": 600, "rate_limit": "10/minute"},
    {"cron": "@daily", "tags": ["it's", "b"], "queue": "mail", "priority": 5, "max_executions": 9, "overlap": "queue"},
]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Words are the same on every database."""
    return sqlite_url


async def test_what_is_written_schedules_a_task_like_it(node: Any) -> None:
    same = ("schedule", "policies", "tags", "queue", "priority", "overlap", "timezone", "parameters", "max_executions")
    for way in WAYS:
        task = await node.task(await node.add(parameters={"a": 1}, **way))

        like_it = await node.task((await node.scheduler.schedule_task(config_of_task(task))).unwrap()["task_id"])

        assert {name: like_it[name] for name in same} == {name: task[name] for name in same}


async def test_what_is_as_by_default_is_not_written(node: Any) -> None:
    task = await node.task(await node.add_every(7200))

    assert config_of_task(task) == {
        "name": "note",
        "module_id": "acme.test",
        "function_name": "note",
        "recurring": True,
        "interval_type": "hours",
        "interval_value": 2,
    }


def test_each_way_of_writing_takes_hostile_names_as_text() -> None:
    config = {"name": 'it\'s $(rm) "x"', "module_id": "acme.test", "function_name": "note", "cron": "0 2 * * *"}
    config |= {"parameters": {"days": 7}, "tags": ["a b"], "max_retries": 3}

    words = shlex.split(as_command(config).replace("\\\n", ""))
    request = shlex.split(as_curl(config, "http://host:1/app/").replace("\\\n", ""))

    assert words[:4] == ["chamberlain", "tasks", "add", 'it\'s $(rm) "x"']
    assert words[4:] == shlex.split(
        "--function acme.test:note --cron '0 2 * * *' --tag 'a b' -p days=7 --set max_retries=3"
    )
    assert request[3] == "http://host:1/app/api/v1/scheduler/tasks"
    assert "it's $(rm)" in request[-1]
    compile(as_python(config), "code", "exec", flags=0x2000)  # where `await` may stand at the top
