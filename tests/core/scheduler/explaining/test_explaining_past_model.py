"""Explain moments that have passed against a model that has kept a diary of all that was done."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from modules.core.scheduler import ExecutionContext

STEP = timedelta(seconds=20)  # between turns; all times of tasks are steps apart
MODULE = "acme.test"
SLOTS = 2
GATE_OF = {"everything": "paused", "module": "paused", "queue": "paused", "task": "paused", "away": "node"}
GATE_OF |= {"full": "slots", "printer": "limit"}
FATE_OF = GATE_OF | {"away": "catch_up"}  # of what did not run


@dataclass
class Task:
    """A task: since when it had which interval, and when its runs began, by nominal time."""

    id: str
    created: datetime
    kind: str
    intervals: list[tuple[datetime, timedelta]]
    began: dict[datetime, datetime] = field(default_factory=dict)

    def interval_at(self, moment: datetime) -> tuple[datetime, timedelta]:
        return [each for each in self.intervals if each[0] < moment or each is self.intervals[0]][-1]

    def is_time(self, moment: datetime) -> bool:
        since, interval = self.interval_at(moment)
        return moment > since and not (moment - since) % interval


class Model:
    """A node, and the diary: from each moment on, which conditions held, and for which task or queue."""

    def __init__(self, node: Any, seed: int) -> None:
        self.node = node
        self.chance = random.Random(seed)
        self.tasks: list[Task] = []
        self.on: set[str] = set()
        self.diary: list[tuple[datetime, frozenset[str]]] = []
        self.holders: list[tuple[str, asyncio.Event]] = []
        node.register("work", self._work)
        node.register("hold", self._hold)

    @property
    def now(self) -> datetime:
        now: datetime = self.node.clock.now()
        return now

    async def _work(self, context: ExecutionContext) -> None:
        task = next(task for task in self.tasks if task.id == context.task_id)
        task.began[context.scheduled_for] = self.now

    async def _hold(self, context: ExecutionContext) -> None:
        await next(event for task_id, event in self.holders if task_id == context.task_id).wait()

    # What is done.

    async def add(self, kind: str, **config: Any) -> None:
        task_id = await self.node.add_every(60, "work", name=kind, **config)
        self.tasks.append(Task(task_id, self.now, kind, [(self.now, timedelta(minutes=1))]))

    async def toggle(self, what: str) -> None:
        scheduler, is_on = self.node.scheduler, what in self.on
        if what == "queue":
            await (scheduler.resume_queue("mail") if is_on else scheduler.pause_queue("mail", "paper jam"))
        elif what in ("everything", "module"):
            named = {"module_id": MODULE} if what == "module" else {}
            await (scheduler.resume_all(**named) if is_on else scheduler.pause_all("too loud", **named))
        else:
            await (scheduler.resume_task(what) if is_on else scheduler.pause_task(what, "too loud"))
        self.on ^= {what}

    async def hold(self) -> None:
        """Take one of the slots, perhaps with the key that others need."""
        if len(self.holders) == SLOTS or self.on & {"everything", "module"}:
            return
        event = asyncio.Event()
        key = self.chance.choice([None, "printer"]) if "printer" not in self.on else None
        task_id = await self.node.add("hold", delay=3600, concurrency_key=key, overlap="queue", priority=9)
        self.holders.append((task_id, event))
        await self.node.scheduler.execute_task(task_id)
        await self.node.scheduler.turn()
        if (await self.node.states(task_id))[0] != "running":  # what it wants is taken; it goes again
            await self.node.scheduler.cancel_task(task_id)
            self.holders.pop()
            return
        self.on |= ({"printer"} if key else set()) | ({"full"} if len(self.holders) == SLOTS else set())
        self.write()

    async def let_go(self) -> None:
        for _, event in self.holders:
            event.set()
        self.holders.clear()
        self.on -= {"printer", "full"}
        await self.settle()

    async def edit(self) -> None:
        task = self.chance.choice(self.tasks)
        others = {40, 60, 100} - {task.intervals[-1][1].total_seconds()}
        interval = timedelta(seconds=self.chance.choice(sorted(others)))
        timing = {"recurring": True, "interval_type": "seconds", "interval_value": interval.total_seconds()}
        (await self.node.scheduler.update_task(task.id, timing)).unwrap()
        task.intervals.append((self.now, interval))
        await self.settle()

    async def pass_time(self) -> None:
        for _ in range(self.chance.choice([1, 3, 5])):
            self.write()
            self.node.clock.advance(STEP.total_seconds())
            await self.settle()

    async def be_away(self) -> None:
        self.on.add("away")
        self.write()
        self.node.clock.advance(STEP.total_seconds() * self.chance.choice([2, 4, 8]))
        self.on.remove("away")
        await self.settle()

    async def settle(self) -> None:
        """Take turns until nothing but what is held runs."""
        crew = self.node.scheduler._runner._crew
        while await self.node.scheduler.turn() or len(crew) > len(self.holders) or crew.has_endings:
            await self.node.clock.sleep(0)

    def write(self) -> None:
        """From now on, and after the turn that is taken now, this is so."""
        self.diary.append((self.now, frozenset(self.on)))

    async def step(self) -> None:
        scopes = [*(self.on - {"full", "printer"}), "everything", "module", "queue", self.chance.choice(self.tasks).id]
        things: list[Any] = [self.pass_time] * 5 + [self.be_away, self.edit, self.hold, self.hold, self.let_go]
        things += [lambda: self.toggle(self.chance.choice(scopes))] * 3
        await self.chance.choice(things)()
        await self.settle()

    # What must be told of it.

    def conditions(self, task: Task, first: datetime, stop: datetime | None = None) -> set[str]:
        """Return what stood in the way of a task at a moment, or at any between two."""
        diary = [*self.diary, (self.now, frozenset(self.on))]
        pairs = zip(diary, [*(since for since, _ in diary[1:]), None], strict=True)
        spans = [(since, until or self.now + STEP, on) for (since, on), until in pairs]
        found: set[str] = set()
        for since, until, on in spans:
            if since < (stop or first + timedelta(seconds=1)) and until >= first:
                found |= on
        mine = {"everything", "module", "away", "full"} | ({"queue"} if task.kind == "mail" else set())
        mine |= {"printer"} if task.kind == "printer" else set()
        return (found & mine) | ({"task"} if task.id in found else set())

    async def check(self, task: Task, moment: datetime) -> str:
        told = (await self.node.scheduler.explain(task.id, at=moment)).unwrap()
        answer, about = (told["answer"], told["blocked_by"]), (task, moment, told)
        gates = [each["gate"] for each in told["gates"]]
        there = self.conditions(task, moment)
        if moment < task.created:
            assert answer == ("did_not_run", "task"), about
        elif moment in task.began:
            assert answer == ("ran", None), about
            self.check_late(task, moment, set(gates) - {"task", "schedule", "run", "catch_up", "lease"}, about)
        elif told["answer"] in ("waits", "may_start", "will_not_run"):
            assert task.is_time(moment), about
        elif task.is_time(moment):
            fates = {FATE_OF[each] for each in there} | ({"overlap"} if await self.was_open(task, moment) else set())
            assert told["answer"] == "did_not_run", about
            assert told["blocked_by"] in fates, about
        elif task.interval_at(moment) == task.intervals[-1]:
            began = moment in task.began.values()
            assert answer == (("ran", None) if began else ("did_not_run", "schedule")), about
        else:  # under an interval that it has no more
            if moment in dict(task.intervals):
                return "edited"
            began = moment in task.began.values()
            assert answer == (("ran" if began else "not_recorded"), None) or FATE_OF.keys() & there, about
        return str(told["blocked_by"] or told["answer"])

    async def was_open(self, task: Task, moment: datetime) -> bool:
        """Whether an earlier occurrence had not begun by a moment."""
        waits = [row["scheduled_for"] for row in await self.node.history(task.id) if row["state"] == "pending"]
        return (
            any(nominal < moment <= began for nominal, began in task.began.items())
            or min(waits, default=moment) < moment
        )

    def check_late(self, task: Task, moment: datetime, told: set[str], about: object) -> None:
        """All that is told was so while it waited, and what was so from the first is told."""
        began = task.began[moment]
        if began == moment:
            assert not told, about
            return
        allowed = {GATE_OF[each] for each in self.conditions(task, moment, began)}
        allowed |= {"limit"} if task.kind in ("mail", "printer") else set()  # where several go on at once
        assert told <= allowed, about
        assert told & {GATE_OF[each] for each in self.conditions(task, moment)}, about


@pytest.fixture
def models() -> Iterator[list[Model]]:
    """The models of a test; what they hold is let go in the end."""
    models: list[Model] = []
    yield models
    for model in models:
        for _, event in model.holders:
            event.set()


async def walk(start_node: Any, models: list[Model], seed: int, steps: int) -> set[str]:
    node = await start_node(lease="10 days", max_concurrent_tasks=SLOTS)
    models.append(model := Model(node, seed))
    node.clock.advance(5)  # a moment without seconds would mean its whole minute
    await node.scheduler.turn()
    node.clock.advance(20)
    first = model.now
    await model.add("plain")
    await model.add("mail", queue="mail", overlap="queue")
    await model.add("none", catch_up="none")
    await model.add("printer", concurrency_key="printer", overlap="queue")
    for _ in range(steps):
        await model.step()
    count = (model.now - first) // STEP
    asked = [(task, first + number * STEP) for task in model.tasks for number in range(-1, count)]
    return {await model.check(*each) for each in model.chance.sample(asked, min(len(asked), 150))}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("seed", range(4))
async def test_what_is_told_of_the_past_is_what_the_diary_says(start_node: Any, models: list[Model], seed: int) -> None:
    seen = await walk(start_node, models, seed, steps=30)

    assert {"ran", "schedule"} <= seen


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_it_is_so_on_postgresql_too(start_node: Any, models: list[Model]) -> None:
    await walk(start_node, models, seed=10, steps=10)
