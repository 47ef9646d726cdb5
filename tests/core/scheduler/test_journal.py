"""What functions log is kept with their executions: from whatever thread, and bounded."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

import pytest
from logged import lines_of, messages

from modules.core.scheduler import ExecutionContext

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # no SQL of its own
log = logging.getLogger("acme.work")


@pytest.fixture(autouse=True)
def _heard(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="acme")


async def test_what_any_logger_says_within_a_function_is_kept_with_its_execution(node: Any) -> None:
    async def work() -> None:
        log.info("counted %d", 3, extra={"size": 3})
        await asyncio.gather(asyncio.create_task(nested()))
        log.debug("nobody wants this")

    async def nested() -> None:
        log.warning("and nested")

    node.register("work", work)
    task_id = await node.add("work")
    log.info("before")

    await node.scheduler.run_due()
    log.info("after")

    lines = await lines_of(node, task_id)
    assert [(each["number"], each["level"], each["message"]) for each in lines] == [
        (1, "info", "counted 3"),
        (2, "warning", "and nested"),
    ]
    assert (lines[0]["logger"], lines[0]["at"]) == ("acme.work", node.clock.now())


async def test_executions_at_the_same_time_keep_their_lines_apart(node: Any) -> None:
    both = asyncio.Barrier(2)

    async def work(*, name: str) -> None:
        await both.wait()
        log.info("I am %s", name)

    node.register("work", work)
    ids = [await node.add("work", name=name, parameters={"name": name}) for name in ("one", "two")]

    await node.scheduler.run_due()

    assert [await messages(node, task_id) for task_id in ids] == [["I am one"], ["I am two"]]


async def test_a_function_in_a_thread_is_heard_and_so_is_its_logger_in_a_thread_of_its_own(node: Any) -> None:
    def work(context: ExecutionContext) -> None:
        log.info("in a thread")
        own = threading.Thread(target=lambda: context.logger.debug("too quiet") or context.logger.info("quietly"))
        own.start()
        own.join()

    node.register("work", work)
    task_id = await node.add("work")

    await node.scheduler.run_due()

    assert await messages(node, task_id) == ["in a thread", "quietly"]


async def test_the_logger_of_the_context_is_kept_though_nobody_else_listens(
    node: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, logger="modules")

    async def work(context: ExecutionContext) -> None:
        context.logger.info("only %s", "for the history")
        context.logger.error("for all")

    node.register("work", work)
    task_id = await node.add("work")

    await node.scheduler.run_due()

    assert await messages(node, task_id) == ["only for the history", "for all"]
    assert "only for the history" not in caplog.text
    assert caplog.records[-1].filename == "test_journal.py"


async def test_an_exception_is_logged_with_its_traceback_and_what_cannot_be_formatted_does_no_harm(node: Any) -> None:
    logging.raiseExceptions, before = False, logging.raiseExceptions

    async def work() -> None:
        log.info("%d apples", "no number")
        try:
            int("broken\0")
        except ValueError:
            log.exception("it did not work")

    node.register("work", work)
    task_id = await node.add("work")

    try:
        await node.scheduler.run_due()
    finally:
        logging.raiseExceptions = before

    first, second = await messages(node, task_id)
    assert first == "its message cannot be formatted"
    assert second.startswith("it did not work\nTraceback")
    assert "ValueError: invalid literal" in second
    assert await node.states(task_id) == ["succeeded"]


async def test_secret_parameters_are_masked_in_log_lines_and_progress(node: Any) -> None:
    async def work(context: ExecutionContext, *, password: str) -> None:
        log.info("logging in with %s", password)
        context.progress(0.5, message=f"as {password}")

    node.register("work", work, secret=["password"])
    task_id = await node.add("work", parameters={"password": "opensesame"})

    await node.scheduler.run_due()

    (row,) = await node.history(task_id)
    assert await messages(node, task_id) == ["logging in with ***"]
    assert row["progress"]["message"] == "as ***"


async def test_a_line_is_kept_to_its_bound(node: Any) -> None:
    async def work() -> None:
        log.warning("x" * 9_000)

    node.register("work", work)
    task_id = await node.add("work")
    await node.scheduler.run_due()
    (execution,) = await node.history(task_id)
    (line,) = (await node.scheduler.execution_logs(execution["id"])).unwrap()["lines"]

    assert 7_000 < len(line["message"]) <= 8_000


async def test_of_too_many_lines_the_first_and_the_last_are_kept(start_node: Any) -> None:
    node = await start_node(execution_log_lines=20)

    async def work() -> None:
        for number in range(1, 101):
            log.info("line %d", number)

    node.register("work", work)
    task_id = await node.add("work")

    await node.scheduler.run_due()

    lines = await lines_of(node, task_id)
    assert [each["number"] for each in lines] == [*range(1, 19), 98, 99, 100]
    assert lines[18]["message"].startswith("80 line(s) are left out here: at most 20 lines")
    assert lines[-1]["message"] == "line 100"


async def test_of_too_many_bytes_the_first_and_the_last_are_kept(start_node: Any) -> None:
    node = await start_node(execution_log_bytes=10_000)

    async def work() -> None:
        for number in range(1, 101):
            log.info("%d %s", number, "x" * 494)

    node.register("work", work)
    task_id = await node.add("work")

    await node.scheduler.run_due()

    lines = await lines_of(node, task_id)
    assert sum(len(each["message"]) for each in lines) < 10_500
    assert lines[0]["message"].startswith("1 x")
    assert lines[-1]["message"].startswith("100 x")


async def test_lines_can_be_kept_of_errors_only_or_not_at_all(start_node: Any) -> None:
    nodes = [await start_node(execution_log_level=level) for level in ("error", "off")]

    async def work(context: ExecutionContext) -> None:
        context.logger.info("all is well")
        log.error("nothing is well")

    kept = []
    for node in nodes:
        node.register("work", work)
        task_id = await node.add("work")
        await node.scheduler.run_due()
        kept.append(await messages(node, task_id))

    assert kept == [["nothing is well"], []]
