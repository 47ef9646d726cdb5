"""Which ends set off what waits for them: those for good, on whatever road."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from chained import after, with_functions
from nodes import Stuck, kill, release_all
from paying import Payment, halted
from sessions import Mine

from modules.core.scheduler.ending import release_node

LEASE = 60.0


@pytest.fixture(autouse=True)
def _let_go(start_node: Any) -> Iterator[None]:
    yield
    release_all()


@pytest.fixture
async def chained(start_node: Any) -> Any:
    """A node with functions that work, fail, and remember what they are told."""
    return with_functions(await start_node())


async def test_what_did_not_run_is_followed_by_nothing(chained: Any) -> None:
    stuck = Stuck()
    chained.register("wait", stuck.run)
    skipping = await chained.add_every(60, "wait")
    missing = await chained.add_every(60, "work", misfire_grace_time=5)
    followers = [await chained.add(name=task, **after(task, "ended")) for task in (skipping, missing)]
    chained.clock.advance(67)
    await chained.scheduler.turn()
    chained.clock.advance(60)
    await chained.scheduler.turn()

    assert "skipped" in await chained.states(skipping)
    assert await chained.states(missing) == ["missed", "missed"]
    assert [await chained.states(task) for task in followers] == [[], []]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_another_one_has_replaced_is_followed_by_nothing(chained: Any) -> None:
    stuck = Stuck()
    chained.register("wait", stuck.run)
    first = await chained.add_every(60, "wait", overlap="replace")
    follower = await chained.add(**after(first, "ended"))
    for _ in range(2):
        chained.clock.advance(60)
        await chained.scheduler.turn()
        await stuck.started.wait()
    await chained.scheduler.turn()
    await stuck.ended.wait()
    stuck.release.set()
    await chained.scheduler.run_due()

    assert await chained.reasons(first) == ["REPLACED", None]
    assert await chained.states(follower) == ["succeeded"]


async def test_a_pending_execution_that_is_cancelled_has_ended(chained: Any) -> None:
    firsts = [await chained.add("work", trigger={"type": "event", "event": "x"}) for _ in range(2)]
    await chained.add("tell", overlap="queue", trigger={"type": "event", "event": "task.ended"})
    well = await chained.add("work", **after(firsts[0]))
    await chained.scheduler.emit("x")
    (row,) = await chained.history(firsts[0])

    await chained.scheduler.cancel_execution(row["id"])
    await chained.scheduler.cancel_task(firsts[1])
    await chained.scheduler.run_due()

    assert [(told["task_id"], told["state"]) for told in chained.told] == [(each, "cancelled") for each in firsts]
    assert await chained.states(well) == []


@pytest.mark.parametrize(("config", "state"), [({"delivery": "at_most_once"}, "lost"), ({}, "failed")])
async def test_an_execution_lost_for_good_has_failed(start_node: Any, config: Any, state: str) -> None:
    dying, peer, stuck = await start_node(), await start_node(crash_limit=2 if config else 1), Stuck()
    for node in (dying, peer):
        node.register("work", stuck.run)
    first = await dying.add("work", **config)
    follower = await dying.add(**after(first, "failed"))
    await dying.scheduler.turn()
    await stuck.started.wait()

    kill(dying)
    await peer.pass_time(LEASE + 1)

    assert await peer.states(first) == [state]
    assert await peer.states(follower) == ["succeeded"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_an_execution_that_is_out_of_time_has_failed(chained: Any) -> None:
    chained.register("wait", Stuck().run)
    first = await chained.add("wait", timeout=2)
    follower = await chained.add(**after(first, "failed"))
    await chained.scheduler.turn()

    await chained.pass_time(2)

    assert await chained.states(first) == ["timed_out"]
    assert await chained.states(follower) == ["succeeded"]


async def test_what_a_shutdown_cuts_off_for_good_has_ended(start_node: Any) -> None:
    node, stuck = await start_node(shutdown_grace=0), Stuck()
    node.register("work", stuck.run)
    first = await node.add("work", delivery="at_most_once")
    again = await node.add("work")
    followers = [await node.add(name=task, **after(task, "ended")) for task in (first, again)]
    await node.scheduler.turn()
    await stuck.started.wait()

    await node.scheduler.stop_background_processing()

    assert await node.states(followers[0]) == ["pending"]
    assert await node.states(followers[1]) == []


async def test_a_function_that_completes_in_its_own_transaction_is_followed_from_there(node: Any, mine: Mine) -> None:
    payment = Payment(mine)
    payment.halt_after_commit = True
    node.register("pay", payment.run)
    follower = await node.add(**after(await node.add("pay")))

    await halted(node, payment)

    assert await node.states(follower) == ["pending"]
    payment.go_on.set()
    await node.scheduler.run_due()
    assert await node.states(follower) == ["succeeded"]


async def test_a_follower_whose_row_is_damaged_hides_no_other_and_spoils_no_ending(chained: Any) -> None:
    first = await chained.add("work", delay=1)
    damaged, healthy = await chained.add(**after(first)), await chained.add(**after(first))
    await chained.damage(damaged, policies='{"max_retries": "many"}')

    await chained.pass_time(1)

    assert await chained.states(first) == ["succeeded"]
    assert await chained.states(healthy) == ["succeeded"]
    assert (await chained.task(damaged))["status_reason"] == "CORRUPT_DEFINITION"


async def test_what_a_node_hands_back_for_good_has_ended(start_node: Any) -> None:
    node, stuck = await start_node(), Stuck()
    node.register("work", stuck.run)
    first = await node.add("work", delivery="at_most_once")
    follower = await node.add(**after(first, "ended"))
    await node.scheduler.turn()
    await stuck.started.wait()
    node_id, now = node.scheduler._runner.node_id, node.clock.now()
    kill(node)

    await node.app_context.database.write(lambda c: release_node(c, node_id, now))

    assert await node.states(first) == ["cancelled"]
    assert await node.states(follower) == ["pending"]
