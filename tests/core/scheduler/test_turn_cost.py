"""What a turn asks of the database does not grow with what it carries: a few statements for one task or many."""

from __future__ import annotations

from typing import Any

import pytest

from framework.testing.statements import Seen, seen_by

IDLE = 12
BUSY = 30
FEW = 10
MANY = 60


@pytest.fixture
async def wide(start_node: Any) -> Any:
    """A node with room for many, whose first turn is over."""
    node = await start_node(max_concurrent_tasks=2 * MANY)
    await node.scheduler.run_due()
    return node


async def add_due(node: Any, count: int, **config: Any) -> None:
    named = {"module_id": "acme.test", "function_name": "note", "delay": 1}
    configs = [{"name": f"task {number}", **named, **config} for number in range(count)]
    (await node.scheduler.schedule_tasks(configs)).unwrap()
    node.clock.advance(1)


async def turn(node: Any) -> Seen:
    """Take one turn, and let what it started end."""
    with seen_by(node.app_context.database) as seen:
        await node.scheduler.turn()
    while node.scheduler._runner.running:
        await node.clock.sleep(0)
    return seen


async def test_a_turn_that_has_nothing_to_do_is_one_transaction_of_a_few_statements(wide: Any) -> None:
    seen = await turn(wide)

    assert seen.commits == 1
    assert len(seen.statements) <= IDLE


async def test_an_upkeep_that_finds_nothing_writes_nothing_and_asks_little(wide: Any) -> None:
    runner = wide.scheduler._runner

    with seen_by(wide.app_context.database) as seen:
        runner._next_upkeep = wide.clock.monotonic()
        await runner._keep_up(runner.node_id)

    assert len(seen.statements) <= 3
    assert all(statement.lstrip().startswith("SELECT") for statement, _ in seen.statements)


async def test_firing_claiming_and_ending_sixty_costs_about_what_ten_cost(wide: Any) -> None:
    costs = {}

    for count in (FEW, MANY):
        await add_due(wide, count)
        costs[count] = [len((await turn(wide)).statements) for _ in range(2)]

    more = [many - few for few, many in zip(costs[FEW], costs[MANY], strict=True)]
    assert len(wide.runs) == FEW + MANY
    assert max(costs[FEW]) <= BUSY
    assert max(more) <= 6  # on SQLite, many rows go in a few statements


@pytest.mark.parametrize(
    "config",
    [
        {"overlap": "queue"},
        {"overlap": "allow"},
        {"concurrency_key": "printer", "max_instances": MANY},
        {"interval_type": "seconds", "interval_value": 1, "recurring": True, "delay": None},
    ],
)
async def test_whatever_the_policy_a_turn_asks_no_more_for_each_of_many(wide: Any, config: dict[str, Any]) -> None:
    await add_due(wide, MANY, **config)

    seen = await turn(wide)

    assert len(wide.runs) == MANY
    assert seen.commits == 1
    assert len(seen.statements) <= BUSY + 6


async def test_a_turn_ends_and_claims_in_one_commit(wide: Any) -> None:
    await add_due(wide, FEW)
    await turn(wide)
    await add_due(wide, FEW)

    seen = await turn(wide)

    assert seen.commits == 1
    assert len(wide.runs) == 2 * FEW
    assert (await wide.states()).count("succeeded") == FEW


async def test_where_nobody_waits_for_an_ending_a_turn_looks_once_for_all_that_end(wide: Any) -> None:
    def looks(seen: Seen) -> int:
        return sum("task.ended" in statement for statement, _ in seen.statements)

    idle = await turn(wide)
    await add_due(wide, MANY)
    starting = await turn(wide)
    ending = await turn(wide)

    assert (await wide.states()).count("succeeded") == MANY
    assert [looks(seen) for seen in (idle, starting, ending)] == [0, 0, 1]
