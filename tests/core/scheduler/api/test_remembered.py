"""A list that is asked for again is not read again, and shows every change at once all the same."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from asking import HOURLY, Api


@pytest.fixture
def reads(node: Any, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is read from the database from here on."""
    seen: list[Any] = []
    database = node.app_context.database

    def noting(read: Any, work: Any) -> Any:
        seen.append(work)
        return read(work)

    for name in ("read", "glance"):
        monkeypatch.setattr(database, name, partial(noting, getattr(database, name)))
    return seen


async def test_the_same_list_is_read_once_as_long_as_nobody_commits(api: Api, task_id: str, reads: list[Any]) -> None:
    while await how_many_reads(api, reads):  # until the file has rested as long as its times are coarse
        pass

    assert await how_many_reads(api, reads) == 0
    assert await how_many_reads(api, reads, limit=7) == 1
    await api.post(f"/tasks/{task_id}/pause")
    assert await how_many_reads(api, reads) == 1


async def test_every_change_is_seen_at_once(api: Api, task_id: str, node: Any, start_node: Any) -> None:
    other = await start_node()  # with connections of its own
    for number in range(10):
        who = (node, other)[number % 2]
        (await who.scheduler.update_task(task_id, {"priority": number})).unwrap()
        (task,) = (await api.get("/tasks", module_id="acme.test"))["tasks"]
        assert task["priority"] == number
        await api.post(f"/tasks/{task_id}/{'pause' if number % 2 else 'resume'}")
        (task,) = (await api.get("/tasks", module_id="acme.test"))["tasks"]
        assert task["status"] == ("paused" if number % 2 else "pending")


async def test_what_is_shown_of_parameters_follows_the_functions_at_once(api: Api, node: Any) -> None:
    node.register("mail", lambda *, to="": None)
    await api.post("/tasks", 201, **{**HOURLY, "function_name": "mail"}, parameters={"to": "ada"})
    node.scheduler.functions.withdraw({"acme.test"})
    (hidden,) = (await api.get("/tasks", module_id="acme.test"))["tasks"]
    node.register("mail", lambda *, to="": None)
    (shown,) = (await api.get("/tasks", module_id="acme.test"))["tasks"]

    assert (hidden["parameters"], shown["parameters"]) == ({"to": "***"}, {"to": "ada"})


async def how_many_reads(api: Api, reads: list[Any], **query: Any) -> int:
    before = len(reads)
    await api.get("/tasks", **query)
    return len(reads) - before
