"""Whatever a listener does, executions go on as if it were not there."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from nodes import until

from modules.core.scheduler import SchedulerEvent, listener

ENDINGS = {"events": {"execution_ended"}}


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What a listener waits for; in the end it is opened."""
    gate = threading.Event()
    yield gate
    gate.set()


async def ran(node: Any, count: int = 3) -> list[str]:
    """Run so many executions; return their states."""
    for _ in range(count):
        await node.add()
    await node.scheduler.run_due()
    return sorted(set(await node.states()))


async def counts(node: Any) -> dict[str, int]:
    (counted,) = (await node.scheduler.status()).unwrap()["listeners"]
    return {name: counted[name] for name in ("told", "failed", "dropped")}


async def counts_become(node: Any, **wanted: int) -> None:
    async def are_so() -> bool:
        counted = await counts(node)
        return all(counted[name] == value for name, value in wanted.items())

    await until(are_so)


def raises(_: SchedulerEvent) -> None:
    raise SystemExit("no more")


async def raises_later(_: SchedulerEvent) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("callback", [raises, raises_later])
async def test_a_listener_that_raises_harms_nothing_and_hears_on(
    node: Any, callback: Callable[[SchedulerEvent], Any], caplog: pytest.LogCaptureFixture
) -> None:
    node.scheduler.add_listener(callback, **ENDINGS)

    states = await ran(node)

    assert states == ["succeeded"]
    await counts_become(node, told=0, failed=3)
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [
        f"listener {callback.__name__}() failed"
    ]


async def test_a_plain_listener_that_blocks_for_ever_delays_no_turn(node: Any, gate: threading.Event) -> None:
    node.scheduler.add_listener(lambda _: gate.wait(60), **ENDINGS)

    states = await ran(node)

    assert states == ["succeeded"]
    assert await counts(node) == {"told": 0, "failed": 0, "dropped": 0}
    gate.set()
    await counts_become(node, told=3)


async def test_an_async_listener_that_does_not_return_delays_no_turn(node: Any) -> None:
    never = asyncio.Event()

    async def waits(_: SchedulerEvent) -> None:
        await never.wait()

    node.scheduler.add_listener(waits)

    assert await ran(node) == ["succeeded"]


async def test_an_async_listener_is_cancelled_when_its_time_is_up(node: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "CALL_SECONDS", 0.02)
    heard: list[str] = []

    async def waits_at_first(event: SchedulerEvent) -> None:
        if not heard:
            heard.append("waits")
            await asyncio.Event().wait()
        heard.append(str(event.state))

    node.scheduler.add_listener(waits_at_first, **ENDINGS)
    await ran(node, 2)

    await counts_become(node, told=1, failed=1)
    assert heard == ["waits", "succeeded"]


async def test_an_async_listener_that_swallows_its_cancellation_is_removed(
    node: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(listener, "CALL_SECONDS", 0.02)
    release = asyncio.Event()

    async def stubborn(_: SchedulerEvent) -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    node.scheduler.add_listener(stubborn, **ENDINGS)
    await ran(node, 2)

    async def is_removed() -> bool:
        return "does not end when it is cancelled, and is removed" in caplog.text

    await until(is_removed)
    assert await ran(node) == ["succeeded"]
    release.set()


async def test_of_a_slow_listener_the_oldest_events_are_dropped_and_counted(
    node: Any, gate: threading.Event, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(listener, "MOST_WAITING", 2)
    began, heard = threading.Event(), []

    def slow(event: SchedulerEvent) -> None:
        heard.append(event.task_name)
        began.set()
        gate.wait(60)

    node.scheduler.add_listener(slow, **ENDINGS)
    await node.add(name="first")
    await node.scheduler.run_due()
    await asyncio.to_thread(began.wait, 60)
    for name in ("second", "third", "fourth", "fifth"):
        await node.add(name=name)
        await node.scheduler.run_due()

    gate.set()

    await counts_become(node, told=3, dropped=2)
    assert heard == ["first", "fourth", "fifth"]
    assert caplog.text.count("is too slow: what waits longest is dropped") == 1


async def test_a_plain_listener_that_returns_a_coroutine_is_told_of_its_mistake(
    node: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def listen(_: SchedulerEvent) -> None:
        raise AssertionError("nobody awaits this")

    def careless(event: SchedulerEvent) -> Any:
        return listen(event)

    node.scheduler.add_listener(careless, **ENDINGS)
    await ran(node, 1)

    await counts_become(node, failed=1)
    assert "it returned a coroutine, which nobody awaits" in caplog.text


async def test_a_database_that_does_not_answer_a_listeners_look_harms_nothing(
    node: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def refuses(*_: Any) -> None:
        raise OSError("the database is gone")

    heard: list[str] = []
    node.scheduler.add_listener(lambda event: heard.append(event.kind))
    task_id = await node.add()
    with monkeypatch.context() as patch:
        patch.setattr(node.app_context.database, "read", refuses)
        await node.scheduler.run_due()
        await node.scheduler._runner.listeners._looking

    assert await node.states(task_id) == ["succeeded"]
    await counts_become(node, told=2)
    assert heard == ["execution_started", "execution_ended"]
    assert "listeners are not told of all that followed: OSError: the database is gone" in caplog.text
