"""How listening ends: somebody removes the listener, or the scheduler stops."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from nodes import until

from framework.clock import SystemClock
from modules.core.scheduler import SchedulerEvent, listeners

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


async def test_a_listener_that_is_removed_hears_nothing_more(node: Any) -> None:
    heard: list[str | None] = []
    remove = node.scheduler.add_listener(lambda event: heard.append(event.state), **ENDINGS)
    await ran(node, 1)
    await counts_become(node, told=1)

    remove()
    remove()
    await ran(node, 2)

    assert heard == ["succeeded"]
    assert (await node.scheduler.status()).unwrap()["listeners"] == []


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_listener_may_remove_itself_while_it_is_told(node: Any, is_async: bool) -> None:
    heard: list[str | None] = []
    told = asyncio.Event()

    def once(event: SchedulerEvent) -> None:
        remove()
        heard.append(event.state)

    async def once_later(event: SchedulerEvent) -> None:
        once(event)
        await SystemClock().sleep(0)
        told.set()

    remove = node.scheduler.add_listener(once_later if is_async else once, **ENDINGS)
    assert await ran(node) == ["succeeded"]

    async def is_heard() -> bool:
        return bool(heard) and (told.is_set() or not is_async)

    await until(is_heard)
    assert heard == ["succeeded"]


async def test_a_stop_tells_what_waits_and_removes_everybody(node: Any) -> None:
    heard: list[str | None] = []

    async def listen(event: SchedulerEvent) -> None:
        await SystemClock().sleep(0.001)
        heard.append(event.state)

    node.scheduler.add_listener(listen, **ENDINGS)
    node.scheduler.add_listener(lambda event: heard.append(event.state), **ENDINGS)
    await ran(node)

    await node.scheduler.stop_background_processing()

    assert heard == ["succeeded"] * 6
    assert (await node.scheduler.status()).unwrap()["listeners"] == []


async def test_a_stop_does_not_wait_long_for_listeners_that_hang(
    node: Any, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners, "GOODBYE_SECONDS", 0.05)
    cancelled = asyncio.Event()

    async def hangs(_: SchedulerEvent) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    node.scheduler.add_listener(hangs)
    node.scheduler.add_listener(lambda _: gate.wait(60))
    await ran(node)

    await node.scheduler.stop_background_processing()

    await cancelled.wait()
    assert not gate.is_set()
