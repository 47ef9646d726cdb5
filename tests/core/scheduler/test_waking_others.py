"""Waking other nodes: what one has made room for, another that sleeps may take at once."""

from __future__ import annotations

from typing import Any

import pytest
from nodes import Stuck, ended, until

from framework.clock import SystemClock
from modules.core.scheduler.execution import Full

LONG = {"poll_interval": "1 hour", "lease": "1 hour"}  # neither a poll nor an upkeep comes within a test


@pytest.fixture
def clock() -> SystemClock:
    """The real time."""
    return SystemClock()


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)  # nodes on SQLite look at the file by themselves
async def test_a_limited_queue_that_frees_a_place_wakes_other_nodes(start_node: Any) -> None:
    node, other = await start_node(enabled=True, **LONG), await start_node(enabled=True, **LONG)
    stuck, full = Stuck(), []
    node.register("work", stuck.run)
    other.register("elsewhere", lambda: "elsewhere")
    other.scheduler._runner.after_turn.append(lambda turned, _: full.append(turned.full.get("default")))
    (await node.scheduler.limit_queue("default", 1)).unwrap()
    await node.add("work")
    await stuck.started.wait()
    waiting = await other.add("elsewhere")

    async def is_full() -> bool:
        return full[-1:] == [Full.QUEUE]

    await until(is_full)
    stuck.release.set()

    await ended(other, waiting)
    assert await other.states(waiting) == ["succeeded"]
