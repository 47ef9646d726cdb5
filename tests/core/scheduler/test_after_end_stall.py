"""A pause after each run begins whatever has become of the run: nothing stalls such a task."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from nodes import Stuck, begun, kill, next_of, release_all

from modules.core.scheduler import settling

PAUSE = {"interval_type": "minutes", "interval_value": 5, "after_end": True, "timeout": "2h"}
MINUTE = 60.0
LEASE = 60.0


@pytest.fixture(autouse=True)
def _let_go(start_node: Any) -> Iterator[None]:
    yield
    release_all()


async def test_an_execution_that_is_cancelled_before_it_ran_has_ended_too(node: Any) -> None:
    task_id = await node.add(**PAUSE)
    await node.damage(task_id, function_name="unknown")
    await node.pass_time(5 * MINUTE)
    (waiting,) = await node.history(task_id)
    during = await next_of(node, task_id)

    await node.scheduler.cancel_execution(waiting["id"])

    assert (waiting["state"], during) == ("pending", None)
    assert await next_of(node, task_id) == node.clock.now() + timedelta(minutes=5)


@pytest.mark.parametrize("config", [{}, {"delivery": "at_most_once"}], ids=["again", "never-again"])
async def test_a_crash_does_not_stall_it(start_node: Any, config: Any) -> None:
    dying, peer, stuck = await start_node(), await start_node(), Stuck()
    dying.register("work", stuck.run)
    peer.register("work", lambda parameters: None)
    task_id = await dying.add("work", **PAUSE, **config)
    dying.clock.advance(5 * MINUTE)
    await begun(dying, stuck)

    kill(dying)
    await peer.pass_time(LEASE + 1)

    assert (await peer.states(task_id))[0] == "lost"
    assert await next_of(peer, task_id) == peer.clock.now() + timedelta(minutes=5)


async def test_set_aside_at_its_crash_limit_it_goes_on_when_resumed(start_node: Any) -> None:
    node, stuck = await start_node(crash_limit=1), Stuck()
    node.register("work", stuck.run)
    task_id = await node.add("work", **PAUSE)
    node.clock.advance(5 * MINUTE)
    await begun(node, stuck)
    kill(node)
    stuck.release.set()
    await node.pass_time(LEASE + 1)
    set_aside = await node.task(task_id)

    await node.scheduler.resume_task(task_id)
    await node.pass_time(5 * MINUTE)

    assert (set_aside["status"], set_aside["status_reason"]) == ("paused", "CRASH_LIMIT")
    assert await node.states(task_id) == ["failed", "succeeded"]


async def test_a_row_that_cannot_be_handled_does_not_stall_it(node: Any) -> None:
    task_id = await node.add(**PAUSE)
    (await node.scheduler.pause_queue("default")).unwrap()
    await node.pass_time(5 * MINUTE)
    (row,) = await node.history(task_id)

    now = node.clock.now()
    await node.app_context.database.write(lambda c: settling.close_damaged(c, row["id"], now, "no number"))

    assert await node.states(task_id) == ["failed"]
    assert await next_of(node, task_id) == node.clock.now() + timedelta(minutes=5)
