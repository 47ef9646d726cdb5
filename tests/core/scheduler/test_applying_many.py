"""Very many declarations: a transaction that never works through all of them at once, nor asks once for each."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import pytest
from declaring import Declaring, Started, tasks_of

from framework import AppContext
from framework.testing import FakeClock
from framework.testing.statements import watched
from modules.core.scheduler import declare_function, declare_task
from modules.core.scheduler.declared import TaskStep
from modules.core.scheduler.store import tasks

AT_ONCE = 5
MANY = 30
DAY = 86_400
ASIDE = 10  # looks at tasks that do not depend on how many there are


async def work() -> None: ...


class Between:
    """What is asked of the database, and the most that is worked through from one statement to the next."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.worked = self.most = 0

    def asks(self, statement: str, _: Any) -> None:
        self.asked.append(statement)
        self.most, self.worked = max(self.most, self.worked), 0

    def counting(self, function: Any) -> Any:
        def counted(*given: Any) -> Any:
            self.worked += 1
            return function(*given)

        return counted

    def asks_for(self, text: str) -> int:
        return sum(text in " ".join(each.split()) for each in self.asked)


async def start(
    started: Started, count: int, monkeypatch: pytest.MonkeyPatch, **given: FakeClock
) -> tuple[Between, list[dict[str, Any]]]:
    """Start and stop with so many declarations, a few at a time; return how they were applied, and the tasks then."""
    between, stack, contexts = Between(), ExitStack(), []

    def declare(app_context: AppContext) -> None:
        contexts.append(app_context)
        declare_function(app_context, "work", work)
        for number in range(count):
            declare_task(app_context, {"name": f"task {number:03}", "function_name": "work", "cron": "0 1 * * *"})

    async def watch(_: Any) -> None:
        stack.enter_context(watched(contexts[0].database, between.asks))

    with monkeypatch.context() as patched:
        patched.setattr(tasks, "AT_ONCE", AT_ONCE)
        for name in ("difference", "born"):
            patched.setattr(TaskStep, name, between.counting(getattr(TaskStep, name)))
        async with started(Declaring(declare, watch), **given) as app_context:
            stack.close()
            return between, await tasks_of(app_context, "acme.declaring")


async def test_what_is_declared_is_looked_up_and_stored_some_at_a_time(
    started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, made = await start(started, MANY, monkeypatch)
    again, _ = await start(started, MANY, monkeypatch)

    assert len(made) == MANY
    assert 0 < first.most <= AT_ONCE + 1  # one more, of what there was before
    assert 0 < again.most <= AT_ONCE + 1
    assert 0 < first.asks_for("INSERT INTO scheduler_events") <= MANY / AT_ONCE + 1
    assert again.asks_for("INSERT INTO scheduler_events") == again.asks_for("UPDATE scheduler_events") == 0
    assert 0 < again.asks_for("FROM scheduler_events") <= MANY / AT_ONCE + ASIDE


async def test_what_is_declared_no_more_is_paused_some_at_a_time(
    started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    await start(started, MANY, monkeypatch)

    gone, left = await start(started, 0, monkeypatch)

    assert {(each["status"], each["status_reason"]) for each in left} == {("paused", "NOT_DECLARED")}
    assert len(left) == MANY
    assert 0 < gone.asks_for("UPDATE scheduler_events") <= MANY / AT_ONCE
    assert 0 < gone.asks_for("FROM scheduler_events") <= MANY / AT_ONCE + ASIDE


async def test_what_is_declared_again_goes_on_some_at_a_time(started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock()
    await start(started, MANY, monkeypatch, clock=clock)
    await start(started, 0, monkeypatch, clock=clock)
    clock.advance(2 * DAY)

    again, tasks_now = await start(started, MANY, monkeypatch, clock=clock)

    assert {(each["status"], each["status_reason"]) for each in tasks_now} == {("pending", None)}
    assert min(each["next_execution"] for each in tasks_now) > clock.now()
    for change in ("UPDATE scheduler_events", "INSERT INTO scheduler_executions", "INSERT INTO scheduler_spans"):
        assert 0 < again.asks_for(change) <= MANY / AT_ONCE
    assert 0 < again.asks_for("FROM scheduler_events") <= MANY / AT_ONCE + ASIDE
