"""Many overdue at once: a start after a long silence stays within the limit, and does everything once."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

MODULE = "acme.test"
MINUTE = 60.0
LIMIT = 5
EACH = 150
ASLEEP = 10


class Counting:
    """A function that knows how many of it run, and for which task each did."""

    def __init__(self, node: Any) -> None:
        self._clock = node.clock
        self._running = 0
        self.most = 0
        self.names: list[str] = []

    async def run(self, *, name: str) -> None:
        """Count, and let others run meanwhile."""
        self._running += 1
        self.most = max(self.most, self._running)
        self.names.append(name)
        for _ in range(5):
            await self._clock.sleep(0)
        self._running -= 1


def configs(**timing: Any) -> list[dict[str, Any]]:
    """Return many tasks with this timing."""
    named = [f"{next(iter(timing))} {number}" for number in range(EACH)]
    function = {"module_id": MODULE, "function_name": "count"}
    return [{"name": name, "parameters": {"name": name}, **function, **timing} for name in named]


@pytest.fixture
async def overdue(node: Any) -> list[str]:
    """Many tasks, one-time and recurring, that became due while nobody was there; returns their names."""
    node.register("count", Counting(node).run)
    wanted = configs(delay=MINUTE) + configs(interval_value=1, interval_type="minutes", recurring=True)
    (await node.scheduler.schedule_tasks(wanted)).unwrap()
    node.clock.advance(ASLEEP * MINUTE)
    return [config["name"] for config in wanted]


async def test_many_overdue_tasks_run_once_each_and_never_more_than_the_limit_at_once(
    start_node: Any, overdue: list[str]
) -> None:
    fresh = await start_node(max_concurrent_tasks=LIMIT)
    counting = Counting(fresh)
    fresh.register("count", counting.run)

    await fresh.scheduler.run_due()

    assert counting.most == LIMIT
    assert Counter(counting.names) == Counter(overdue)
    rows = await fresh.history()
    assert [row["state"] for row in rows] == ["succeeded"] * len(overdue)
    assert Counter(row["missed_count"] for row in rows) == {0: EACH, ASLEEP - 1: EACH}


async def test_lists_are_answered_while_many_overdue_tasks_run(start_node: Any, overdue: list[str]) -> None:
    fresh = await start_node(max_concurrent_tasks=LIMIT)
    counting = Counting(fresh)
    fresh.register("count", counting.run)

    await fresh.scheduler.turn()
    page = (await fresh.scheduler.list_tasks(status="running", limit=1)).unwrap()
    status = (await fresh.scheduler.status()).unwrap()

    assert len(page["tasks"]) == 1
    assert status["running_everywhere"] == LIMIT
