"""Where a look at the whole line has become dear, it is taken now and then; nothing is missed for that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update

from framework.testing.statements import Seen, seen_by
from modules.core.scheduler import heads
from modules.core.scheduler.heads import Heads
from modules.core.scheduler.store import candidates
from modules.core.scheduler.tables import events


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The statements are the same on both databases."""
    return sqlite_url


class Ticking:
    """Seconds, of which some pass at each look at them."""

    def __init__(self, step: float) -> None:
        self.step, self.seconds = step, 0.0

    def __call__(self) -> float:
        self.seconds += self.step
        return self.seconds


def is_whole(seen: Seen) -> bool:
    """Tell whether anybody has looked which functions are in line."""
    return any("RECURSIVE" in statement for statement, _ in seen.statements)


async def turned(node: Any) -> Any:
    """Take a turn of the loop, and let end what it started."""
    result = await node.scheduler._runner._turn()
    while node.scheduler._runner.running:
        await node.clock.sleep(0)
    return result


@pytest.fixture
def seconds() -> Ticking:
    """What the node takes for seconds when it looks at the line: each whole look lasts twenty of the dearest."""
    return Ticking(20 * heads.DEAR)


@pytest.fixture
async def experienced(node: Any, seconds: Ticking) -> Any:
    """A node whose looks have all been dear, and that has found somebody in line."""
    node.scheduler._runner._heads = Heads(seconds)
    await node.add()
    for _ in range(heads.LAST):
        await turned(node)
    assert len(node.runs) == 1
    return node


async def expect_it_in_the_next_whole_look(node: Any, seconds: Ticking) -> None:
    first = await turned(node)
    seconds.seconds += (first.next_due - first.moment).total_seconds()
    second = await turned(node)

    assert not first.claimed
    assert (first.next_due - first.moment).total_seconds() <= heads.LONGEST
    assert len(second.claimed) == 1


async def test_between_two_dear_looks_the_line_is_looked_at_from_its_head_on(experienced: Any) -> None:
    experienced.clock.advance(1)
    await experienced.add()

    with seen_by(experienced.app_context.database) as seen:
        result = await turned(experienced)

    assert not is_whole(seen)
    assert len(result.claimed) == 1


async def test_what_came_in_before_the_head_is_found_by_the_next_whole_look(experienced: Any, seconds: Ticking) -> None:
    await experienced.add(priority=10)

    await expect_it_in_the_next_whole_look(experienced, seconds)


@pytest.mark.parametrize("by_hand", [lambda s: s.run_due(), lambda s: s.turn()], ids=["run_due", "turn"])
async def test_by_hand_every_look_is_whole(experienced: Any, by_hand: Callable[[Any], Any]) -> None:
    await experienced.add(priority=10)

    with seen_by(experienced.app_context.database) as seen:
        assert await by_hand(experienced.scheduler)

    assert is_whole(seen)


async def test_one_dear_look_changes_nothing(experienced: Any, seconds: Ticking) -> None:
    seconds.step = 0.0
    seconds.seconds += heads.LONGEST
    await turned(experienced)

    with seen_by(experienced.app_context.database) as seen:
        await turned(experienced)

    assert is_whole(seen)


async def test_a_queue_where_nobody_stood_is_found_by_the_next_whole_look(experienced: Any, seconds: Ticking) -> None:
    await experienced.add(queue="another")

    first = await turned(experienced)
    seconds.seconds += heads.LONGEST
    second = await turned(experienced)

    assert (len(first.claimed), len(second.claimed)) == (0, 1)


async def test_a_whole_look_says_from_where_on_to_look_for_the_first(node: Any) -> None:
    ranks = []
    for priority in (0, 10):
        await node.add(priority=priority)
        with seen_by(node.app_context.database) as seen:
            await turned(node)
        (given,) = [values for statement, values in seen.statements if "x.rank >=" in statement]
        ranks.append(given[1])

    assert ranks == [node.clock.now().timestamp() - 60 * priority for priority in (0, 10)]


async def test_between_two_dear_looks_what_becomes_due_is_found_from_the_last_moment_on(experienced: Any) -> None:
    await experienced.add(delay=2)
    experienced.clock.advance(2)

    with seen_by(experienced.app_context.database) as seen:
        result = await turned(experienced)

    looks = [statement for statement, _ in seen.statements if "min(due_at)" in statement or "trigger, rec" in statement]
    assert len(looks) == 2  # ahead, and at what is due
    assert all("next_execution >=" in statement for statement in looks)
    assert len(result.claimed) == 1


async def test_what_was_due_long_before_is_found_by_the_next_whole_look(experienced: Any, seconds: Ticking) -> None:
    task_id = await experienced.add(delay=3600)
    long_ago = experienced.clock.now() - 2 * heads.LATE
    change = update(events).where(events.c.id == task_id).values(next_execution=long_ago)
    await experienced.app_context.database.write(lambda c: c.execute(change))

    await expect_it_in_the_next_whole_look(experienced, seconds)


def test_few_queues_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    found: dict[str, dict[str, float]] = {}
    monkeypatch.setattr(candidates, "in_line", lambda _: found)
    of_many = Heads(Ticking(heads.DEAR))
    for number in range(10 * heads.QUEUES):
        found = {f"queue {number}": {"a:b": 1.0}}
        of_many.forget()
        of_many.look(None)  # type: ignore[arg-type]  # nobody asks it

    assert len(of_many._in_line) <= heads.QUEUES + 1
