"""New tasks of many callers share a commit; each still hears of its own, and only after it was committed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from framework.testing.statements import seen_by

CALLERS = 100


async def test_a_hundred_callers_at_once_share_a_few_commits(node: Any) -> None:
    await node.add()

    with seen_by(node.app_context.database) as seen:
        tasks = await asyncio.gather(*(node.add(name=f"task {number}", delay=1) for number in range(CALLERS)))

    assert len(set(tasks)) == CALLERS
    assert 1 <= seen.commits <= 3
    assert [(await node.task(task_id))["name"] for task_id in tasks] == [f"task {number}" for number in range(CALLERS)]


async def test_a_caller_alone_waits_for_nobody(node: Any) -> None:
    await node.add()

    with seen_by(node.app_context.database) as seen:
        await node.add(delay=1)

    assert seen.commits == 1


@pytest.mark.parametrize(
    ("config", "wakes"),
    [
        ({"schedule_time": "now"}, True),
        ({"delay": 59}, True),
        ({"delay": 3600}, False),
        ({"schedule_time": "now", "paused": True}, True),
        ({"trigger": {"type": "event", "event": "arrived"}}, False),
    ],
)
async def test_only_what_is_due_soon_wakes_a_loop_and_its_peers(node: Any, config: dict[str, Any], wakes: bool) -> None:
    runner = node.scheduler._runner
    runner._wake.clear()

    with seen_by(node.app_context.database) as seen:
        await node.add(**config)

    assert runner._wake.is_set() == wakes
    told = [statement for statement, _ in seen.statements if "pg_notify" in statement]
    assert len(told) <= wakes


async def test_a_caller_hears_of_its_task_only_after_the_commit(node: Any) -> None:
    seen_at_answer = []

    async def add(number: int) -> None:
        task_id = await node.add(name=f"task {number}", delay=1)
        seen_at_answer.append(bool(await node.scheduler.get_task(task_id)))

    await asyncio.gather(*(add(number) for number in range(10)))

    assert seen_at_answer == [True] * 10


async def test_a_refused_caller_keeps_no_other_from_its_task(node: Any) -> None:
    named = {"module_id": "acme.test", "function_name": "note", "delay": 1}
    configs = [{"name": f"task {number}", **named} for number in range(5)]
    configs[2]["delay"] = -1

    answers = await asyncio.gather(*(node.scheduler.schedule_task(config) for config in configs))

    assert [answer.success for answer in answers] == [True, True, False, True, True]
    assert len((await node.scheduler.list_tasks(function_name="note")).unwrap()["tasks"]) == 4


async def test_a_caller_that_goes_away_takes_no_other_along(node: Any) -> None:
    callers = [asyncio.ensure_future(node.add(name=f"task {number}", delay=1)) for number in range(10)]
    await asyncio.wait(callers, return_when=asyncio.FIRST_COMPLETED)

    callers[-1].cancel()
    answers = await asyncio.gather(*callers, return_exceptions=True)

    stored = {task_id for task_id in answers if isinstance(task_id, str)}
    shown = {task["id"] for task in (await node.scheduler.list_tasks()).unwrap()["tasks"]}
    assert len(stored) >= 9
    assert stored <= shown


class Gate:
    """The way into the database: it is shut for the first commit until `open` is set, and counts the others."""

    def __init__(self, database: Any, refuses: str) -> None:
        self._insert = database.insert
        self._refuses = refuses
        self.open = asyncio.Event()
        self.at_gate = asyncio.Event()
        self.commits = 0

    async def insert(self, insertions: Any, notice: Any) -> None:
        """Insert, but for what is refused."""
        self.at_gate.set()
        await self.open.wait()
        self.commits += 1
        if self._refuses and self._refuses in repr(insertions):
            raise ValueError(f"a row about {self._refuses!r} cannot be stored")
        await self._insert(insertions, notice)


async def behind_the_gate(
    node: Any, monkeypatch: pytest.MonkeyPatch, refuses: str = ""
) -> tuple[Gate, list[asyncio.Task[str]]]:
    """Return callers of which the first one's commit is under way; the others wait for it to end."""
    gate = Gate(node.app_context.database, refuses)
    monkeypatch.setattr(node.app_context.database, "insert", gate.insert)
    callers = [asyncio.create_task(node.add(name=f"task {number}", delay=1)) for number in range(5)]
    await gate.at_gate.wait()
    await node.clock.sleep(0)
    return gate, callers


async def names_of(node: Any) -> set[str]:
    page = await node.scheduler.list_tasks(function_name="note")
    return {task["name"] for task in page.unwrap()["tasks"]}


async def test_a_row_that_cannot_be_stored_is_told_to_its_caller_alone(
    node: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, callers = await behind_the_gate(node, monkeypatch, refuses="task 2")

    gate.open.set()
    answers = await asyncio.gather(*callers, return_exceptions=True)
    later = await node.add(name="later", delay=1)

    assert [isinstance(answer, ValueError) for answer in answers] == [False, False, True, False, False]
    assert await names_of(node) == {"task 0", "task 1", "task 3", "task 4", "later"}
    assert (await node.task(later))["name"] == "later"


async def test_a_database_that_refuses_everything_is_told_to_every_caller(
    node: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, callers = await behind_the_gate(node, monkeypatch, refuses="task")

    gate.open.set()
    answers = await asyncio.gather(*callers, return_exceptions=True)

    assert [type(answer) for answer in answers] == [ValueError] * 5
    assert await names_of(node) == set()


async def test_a_caller_that_goes_away_while_it_waits_has_asked_for_nothing(
    node: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, callers = await behind_the_gate(node, monkeypatch)

    callers[3].cancel()
    await asyncio.gather(callers[3], return_exceptions=True)
    gate.open.set()
    answers = await asyncio.gather(*callers, return_exceptions=True)

    assert isinstance(answers[3], asyncio.CancelledError)
    assert await names_of(node) == {"task 0", "task 1", "task 2", "task 4"}
    assert gate.commits == 2
