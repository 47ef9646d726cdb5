"""New tasks of many callers share a commit; each still hears of its own, and only after it was committed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from statements import seen_by

CALLERS = 100


async def test_a_hundred_callers_at_once_share_a_few_commits(node: Any) -> None:
    await node.add(delay=0)

    with seen_by(node.app_context.database) as seen:
        tasks = await asyncio.gather(*(node.add(name=f"task {number}", delay=1) for number in range(CALLERS)))

    assert len(set(tasks)) == CALLERS
    assert 1 <= seen.commits <= 3
    assert [(await node.task(task_id))["name"] for task_id in tasks] == [f"task {number}" for number in range(CALLERS)]


async def test_a_caller_alone_waits_for_nobody(node: Any) -> None:
    await node.add(delay=0)

    with seen_by(node.app_context.database) as seen:
        await node.add(delay=1)

    assert seen.commits == 1


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


async def test_what_keeps_a_commit_from_happening_is_told_to_all_whose_tasks_were_in_it(
    node: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = node.app_context.database
    insert, calls = database.insert, []

    async def fail_once(*given: Any) -> None:
        calls.append(given)
        if len(calls) == 2:
            raise ValueError("the disk is full")
        await insert(*given)

    monkeypatch.setattr(database, "insert", fail_once)
    answers = await asyncio.gather(
        *(node.add(name=f"task {number}", delay=1) for number in range(5)), return_exceptions=True
    )
    later = await node.add(name="later", delay=1)

    assert [isinstance(answer, ValueError) for answer in answers] == [False, True, True, True, True]
    assert (await node.task(later))["name"] == "later"
