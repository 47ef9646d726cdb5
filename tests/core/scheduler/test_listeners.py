"""Listeners hear of what has been committed, in order, and of nothing else."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from nodes import Stuck, freeze, kill, release_all, until

from modules.core.scheduler import EventKind, SchedulerEvent, runner
from modules.core.scheduler.turn import turn

MINUTE = 60.0


@pytest.fixture
def stuck() -> Iterator[Stuck]:
    """A function that does not end before it is released; in the end it is."""
    yield Stuck()
    release_all()


class Heard(list[SchedulerEvent]):
    """What a listener heard."""

    def __call__(self, event: SchedulerEvent) -> None:
        self.append(event)

    async def like(self, **wanted: Any) -> SchedulerEvent:
        """Return the first event with these values, once it is heard."""

        def is_like(event: SchedulerEvent) -> bool:
            return all(getattr(event, name) == value for name, value in wanted.items())

        async def is_heard() -> bool:
            return any(is_like(event) for event in list(self))

        await until(is_heard)
        return next(event for event in list(self) if is_like(event))

    def of(self, execution_id: str) -> list[tuple[str, str | None]]:
        """Return kind and state of all that was heard of an execution."""
        return [(event.kind, event.state) for event in self if event.execution_id == execution_id]


async def boom() -> None:
    """Fail."""
    raise ValueError("no luck")


def listens_async(heard: Heard) -> Callable[[SchedulerEvent], Any]:
    async def listen(event: SchedulerEvent) -> None:
        await asyncio.get_running_loop().run_in_executor(None, heard, event)

    return listen


@pytest.mark.parametrize("kind", [lambda heard: heard, listens_async], ids=["plain", "async"])
async def test_a_listener_hears_of_a_start_before_its_end(node: Any, kind: Callable[[Heard], Any]) -> None:
    heard = Heard()
    node.scheduler.add_listener(kind(heard))
    task_id = await node.add(name="greet")

    await node.scheduler.run_due()

    ended = await heard.like(kind="execution_ended")
    (row,) = await node.history(task_id)
    assert heard.of(row["id"]) == [("execution_started", "running"), ("execution_ended", "succeeded")]
    assert (ended.task_id, ended.task_name, ended.module_id) == (task_id, "greet", "acme.test")
    assert (ended.node_id, ended.moment) == (row["node_id"], row["end_time"])


async def test_a_listener_hears_why_an_execution_failed_and_of_its_retry(node: Any) -> None:
    heard = Heard()
    node.scheduler.add_listener(heard)
    node.register("boom", boom)
    await node.add("boom", max_retries=1, retry_delay=0)

    await node.scheduler.run_due()

    ended = await heard.like(kind="task_ended")
    failed = [event for event in heard if event.kind == EventKind.EXECUTION_ENDED]
    assert [(event.state, event.error) for event in failed] == [("failed", "ValueError: no luck")] * 2
    assert (ended.state, ended.error) == ("failed", "ValueError: no luck")


async def test_a_listener_hears_once_that_a_task_has_ended(node: Any) -> None:
    heard = Heard()
    node.scheduler.add_listener(heard)
    once = await node.add()
    await node.add_every(MINUTE, max_executions=2, name="twice")

    for _ in range(4):
        await node.pass_time(MINUTE)

    await heard.like(kind="task_ended", task_name="twice", state="completed")
    await heard.like(kind="task_ended", task_id=once, state="completed")
    assert Counter(event.kind for event in heard)[EventKind.TASK_ENDED] == 2


async def test_a_listener_hears_of_what_was_skipped(node: Any, stuck: Stuck) -> None:
    heard = Heard()
    node.scheduler.add_listener(heard, events={"execution_skipped"})
    node.register("stuck", stuck.run)
    task_id = await node.add_every(MINUTE, "stuck")
    node.clock.advance(MINUTE)
    await node.scheduler.turn()
    node.clock.advance(MINUTE)
    await node.scheduler.turn()

    skipped = await heard.like(task_id=task_id)

    assert (skipped.kind, skipped.state, skipped.reason) == ("execution_skipped", "skipped", "OVERLAP")


async def test_a_listener_hears_of_what_was_missed(node: Any) -> None:
    heard = Heard()
    node.scheduler.add_listener(heard)
    task_id = await node.add_every(MINUTE, catch_up="none")

    await node.pass_time(10 * MINUTE + 1)

    missed = await heard.like(task_id=task_id, kind="execution_missed")
    assert (missed.state, missed.reason) == ("missed", "CATCH_UP_NONE")


async def test_a_listener_hears_of_a_dead_node_and_of_what_it_left(start_node: Any, stuck: Stuck) -> None:
    dying, living = await start_node(), await start_node()
    for each in (dying, living):
        each.register("stuck", stuck.run)
    heard = Heard()
    living.scheduler.add_listener(heard)
    task_id = await dying.add("stuck")
    await dying.scheduler.turn()
    node_id = dying.scheduler._runner.node_id
    kill(dying)
    living.clock.advance(10 * MINUTE)

    await living.scheduler.turn()

    lost = await heard.like(kind="execution_ended", state="lost")
    assert (lost.task_id, lost.node_id, lost.reason) == (task_id, node_id, "NODE_LOST")
    assert (await heard.like(kind="node_lost")).node_id == node_id


async def test_nothing_is_told_of_an_ending_that_is_refused(start_node: Any, stuck: Stuck) -> None:
    frozen, other = await start_node(), await start_node()
    heard = Heard()
    frozen.scheduler.add_listener(heard)
    frozen.register("stuck", stuck.run)
    await frozen.add("stuck")
    await frozen.scheduler.turn()
    node_id = frozen.scheduler._runner.node_id
    await stuck.started.wait()
    freeze(frozen)
    frozen.clock.advance(10 * MINUTE)
    await other.scheduler.turn()

    stuck.release.set()
    await stuck.ended.wait()
    await frozen.scheduler.turn()

    await heard.like(kind="node_lost", node_id=node_id)
    assert "succeeded" not in [event.state for event in heard]


async def test_a_listener_hears_only_what_it_asked_for(node: Any) -> None:
    of_kind, of_module, of_another = Heard(), Heard(), Heard()
    node.scheduler.add_listener(of_kind, events={EventKind.EXECUTION_ENDED})
    node.scheduler.add_listener(of_module, module_id="acme.test", events=["execution_started"])
    node.scheduler.add_listener(of_another, module_id="acme.other")
    await node.add()

    await node.scheduler.run_due()

    await of_kind.like(kind="execution_ended")
    await of_module.like(kind="execution_started")
    assert (len(of_kind), len(of_module), of_another) == (1, 1, [])


async def test_an_event_that_there_is_not_and_a_listener_that_is_none_are_refused(node: Any) -> None:
    with pytest.raises(ValueError, match="there is no event 'execution_stopped'; there are execution_started, "):
        node.scheduler.add_listener(print, events=["execution_stopped"])
    with pytest.raises(TypeError, match="a listener is a function of an event, not 'print'"):
        node.scheduler.add_listener("print")


async def test_one_listener_hears_all_of_a_thousand_executions(node: Any) -> None:
    heard = Heard()
    node.scheduler.add_listener(heard)
    named = {"module_id": "acme.test", "function_name": "note", "schedule_time": "now"}
    await node.scheduler.schedule_tasks([{"name": f"task {number}", **named} for number in range(1_000)])

    await node.scheduler.run_due()

    async def have_ended() -> bool:
        return sum(event.kind == EventKind.TASK_ENDED for event in list(heard)) == 1_000

    await until(have_ended)
    told: dict[str, list[str]] = {}
    for event in heard:
        told.setdefault(str(event.task_id), []).append(event.kind)
    assert set(map(tuple, told.values())) == {("execution_started", "execution_ended", "task_ended")}
    assert len(told) == 1_000


async def test_what_a_turn_would_have_done_that_is_rolled_back_is_not_told(
    node: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = Heard()
    node.scheduler.add_listener(heard)
    task_id = await node.add()

    def done_but_not_committed(*arguments: Any, **named: Any) -> None:
        turn(*arguments, **named)
        raise LookupError("the connection is gone")

    with monkeypatch.context() as patch:
        patch.setattr(runner, "turn", done_but_not_committed)
        with pytest.raises(LookupError):
            await node.scheduler.turn()
    before = list(heard)
    await node.scheduler.run_due()

    await heard.like(kind="task_ended", task_id=task_id)
    assert before == []
    assert [event.kind for event in heard] == ["execution_started", "execution_ended", "task_ended"]
