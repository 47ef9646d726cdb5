"""Log lines and progress: written with turns about once a second, read by pages, gone with their execution."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from logged import messages
from nodes import until

from framework.testing.statements import seen_by
from modules.core.scheduler import ExecutionContext, JobManager
from modules.core.scheduler.live_tables import log_lines

log = logging.getLogger("acme.work")


@pytest.fixture(autouse=True)
def _heard(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="acme")


async def test_an_execution_that_logs_nothing_costs_no_statement_more(node: Any) -> None:
    async def silent() -> None:
        """Say nothing."""

    node.register("silent", silent)
    await node.add("silent")

    with seen_by(node.app_context.database) as seen:
        await node.scheduler.run_due()

    assert await node.states() == ["succeeded"]
    assert [each for each in seen.statements if "log_lines" in str(each)] == []


async def test_many_lines_cost_a_few_statements_and_no_transaction_of_their_own(node: Any) -> None:
    async def work() -> None:
        for number in range(100):
            log.info("line %d", number)

    node.register("work", work)
    await node.add("work")

    with seen_by(node.app_context.database) as seen:
        await node.scheduler.turn()
        while node.scheduler._runner.running:
            await node.clock.sleep(0)
        await node.scheduler.turn()

    writes = [text for text, _ in seen.statements if "scheduler_log_lines" in text]
    assert 1 <= len(writes) <= 2
    assert seen.commits <= 4  # joining, an upkeep, and the two turns


async def test_lines_and_progress_of_a_running_execution_are_written_about_once_a_second(node: Any) -> None:
    go_on, told = asyncio.Event(), asyncio.Event()

    async def work(context: ExecutionContext) -> None:
        for number in range(1, 51):
            context.progress(number, 100)
        log.info("half of it")
        told.set()
        await go_on.wait()

    node.register("work", work)
    task_id = await node.add("work")
    await node.scheduler.turn()
    await told.wait()
    seen = []
    for _ in range(3):
        await node.scheduler.turn()
        (row,) = await node.history(task_id)
        seen.append((row["progress"] and row["progress"]["done"], await messages(node, task_id)))
        node.clock.advance(0.5)
    go_on.set()
    await node.scheduler.run_due()

    assert seen == [(None, []), (None, []), (50, ["half of it"])]
    assert await messages(node, task_id) == ["half of it"]


async def test_a_loop_that_sleeps_is_woken_to_write_what_is_told(start_node: Any) -> None:
    node = await start_node(enabled=True, poll_interval="1 hour")
    told, go_on = asyncio.Event(), asyncio.Event()

    async def work(context: ExecutionContext) -> None:
        context.progress(0.5)
        log.info("half of it")
        told.set()
        await go_on.wait()

    node.register("work", work)
    task_id = await node.add("work")
    await told.wait()

    async def is_written() -> bool:
        node.clock.advance(0.02)
        (row,) = await node.history(task_id)
        return bool(row["progress"]) and bool(await messages(node, task_id))

    await until(is_written)
    (row,) = await node.history(task_id)
    go_on.set()

    assert row["progress"]["fraction"] == 0.5
    assert await messages(node, task_id) == ["half of it"]


async def test_lines_that_could_not_be_written_are_written_with_the_next_turn(
    node: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work() -> None:
        log.info("still here")

    node.register("work", work)
    task_id = await node.add("work")
    await node.scheduler.turn()
    while node.scheduler._runner.running:
        await node.clock.sleep(0)
    database, write = node.app_context.database, node.app_context.database.write

    async def commit_and_lose_the_answer(work: Any) -> Any:
        await write(work)
        raise ConnectionError("the answer is lost")

    with monkeypatch.context() as patched:
        patched.setattr(database, "write", commit_and_lose_the_answer)
        with pytest.raises(ConnectionError):
            await node.scheduler.turn()
    await node.scheduler.run_due()

    assert await messages(node, task_id) == ["still here"]


async def test_what_a_function_leaves_running_is_not_heard_after_its_end(node: Any) -> None:
    go_on, left = asyncio.Event(), []

    async def work() -> None:
        async def later() -> None:
            await go_on.wait()
            log.info("too late")

        left.append(asyncio.create_task(later()))

    node.register("work", work)
    task_id = await node.add("work")
    await node.scheduler.run_due()
    go_on.set()
    await left[0]
    await node.scheduler.run_due()

    assert await messages(node, task_id) == []


async def test_lines_go_with_their_execution(start_node: Any) -> None:
    node = await start_node(keep_execution_history=1)

    async def work() -> None:
        log.info("remember me")

    node.register("work", work)
    task_id = await node.add_every(24 * 3600, "work")
    await node.pass_time(24 * 3600)
    await node.pass_time(24 * 3600)
    node.clock.advance(3600)
    (await node.app_context.get_service(JobManager).cleanup_completed_jobs()).unwrap()

    (row,) = await node.history(task_id)
    lines = await node.app_context.database.read(lambda c: c.execute(log_lines.select()).all())
    assert [line.execution_id for line in lines] == [row["id"]]


async def test_lines_are_read_by_pages(node: Any) -> None:
    async def work() -> None:
        for number in range(1, 6):
            log.info("line %d", number)

    node.register("work", work)
    task_id = await node.add("work")
    await node.scheduler.run_due()
    (execution,) = await node.history(task_id)

    seen, after = [], 0
    while after is not None:
        page = (await node.scheduler.execution_logs(execution["id"], after=after, limit=2)).unwrap()
        seen.append([line["number"] for line in page["lines"]])
        after = page["next_after"]

    assert seen == [[1, 2], [3, 4], [5]]
    assert page["state"] == "succeeded"


@pytest.mark.parametrize(
    ("options", "code"),
    [({"after": -1}, "INVALID_CURSOR"), ({"after": "x"}, "INVALID_CURSOR"), ({"limit": 0}, "INVALID_LIMIT"), ({}, "")],
)
async def test_a_page_that_there_is_not_is_refused(node: Any, options: dict[str, Any], code: str) -> None:
    refused = await node.scheduler.execution_logs("nobody", **options)

    assert refused.error.code == (code or "EXECUTION_NOT_FOUND")
