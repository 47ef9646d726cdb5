"""Explain against a model that knows what it has done, and against what then happens at the next turn."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from modules.core.scheduler import ExecutionContext

SLOTS = 2
MOST_OPEN = 6
MOST_TASKS = 12
KEYS = (None, None, "printer")
MODULE = "acme.test"


class Model:
    """A node, the levers that were pulled, and what must follow from them."""

    def __init__(self, node: Any, seed: int) -> None:
        self.node = node
        self.queues = ["default", "mail"][: 1 + seed % 2]  # those beside each other are begun with in turn
        self.chance = random.Random(seed)
        self.releases: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.tasks: dict[str, dict[str, Any]] = {}
        self.scopes: set[str] = set()
        self.drained = False
        self.rare_is_there = True
        self.seen: set[tuple[str, str | None]] = set()
        for name in ("work", "flaky", "rare"):
            node.register(name, self._function(name))

    def _function(self, name: str) -> Any:
        async def function(context: ExecutionContext) -> None:
            await self.releases[context.execution_id].wait()
            if name == "flaky":
                raise ValueError("as it does")

        function.__name__ = name
        return function

    # What is done to it.

    async def add(self) -> None:
        pick = self.chance.choice
        name = pick(["work", "work", "flaky", "rare"]) if self.rare_is_there else pick(["work", "flaky"])
        config = {"priority": pick([0, 0, 2]), "queue": pick(self.queues), "concurrency_key": pick(KEYS)}
        config |= {"max_retries": 2, "retry_delay": 30, "retry_jitter": 0, "name": f"{name}{len(self.tasks)}"}
        config["overlap"] = pick(["skip", "queue"])
        if self.chance.random() < 0.3:
            task_id = await self.node.add_every(60, name, **config)
        else:
            task_id = await self.node.add(name, **pick([{}, {}, {"delay": 45}]), **config)
        self.tasks[task_id] = {**config, "function": name, "paused": False}

    async def by_hand(self) -> None:
        await self.node.scheduler.execute_task(self.any_task())

    async def pause(self) -> None:
        task_id = self.any_task()
        self.tasks[task_id]["paused"] |= (await self.node.scheduler.pause_task(task_id)).success

    async def resume(self) -> None:
        task_id = self.any_task()
        if (await self.node.scheduler.resume_task(task_id)).success:
            self.tasks[task_id]["paused"] = False

    async def cancel(self) -> None:
        await self.node.scheduler.cancel_task(self.any_task())

    async def toggle_scope(self) -> None:
        scheduler = self.node.scheduler
        scope = self.chance.choice(sorted(self.scopes) or ["*", MODULE, "queue:mail", "queue:default"])
        queue = scope.removeprefix("queue:")
        module = {} if scope == "*" else {"module_id": scope}
        if scope in self.scopes:
            await (scheduler.resume_queue(queue) if queue != scope else scheduler.resume_all(**module))
        else:
            await (scheduler.pause_queue(queue) if queue != scope else scheduler.pause_all(**module))
        self.scopes ^= {scope}

    async def toggle_drain(self) -> None:
        await self.node.scheduler.drain_node(self.node.scheduler._runner.node_id, undo=self.drained)
        self.drained = not self.drained

    async def toggle_rare(self) -> None:
        functions, key = self.node.scheduler.functions, f"{MODULE}:rare"
        if self.rare_is_there:
            functions._functions.pop((MODULE, "rare"))
            functions._keys -= {key}
            functions.on_change[0]()
        else:
            self.node.register("rare", self._function("rare"))
        self.rare_is_there = not self.rare_is_there
        await self.node.scheduler.turn()  # in which the node tells what it has

    async def pass_time(self) -> None:
        self.node.clock.advance(self.chance.choice([1, 20, 70]))

    async def release(self) -> None:
        running = [row["id"] for row in await self.node.history() if row["state"] == "running"]
        for execution_id in running[:1]:
            self.releases[execution_id].set()
        while running and not self.node.scheduler._runner._crew.has_endings:
            await self.node.clock.sleep(0)
        await self.node.scheduler.turn()

    async def step(self) -> None:
        things = [self.release, self.release, self.release, self.pass_time, self.pass_time, self.by_hand]
        things += [self.pause, self.resume, self.resume, self.cancel, self.toggle_scope]
        things += [self.toggle_scope] * 3 if self.scopes else []
        things += [self.toggle_drain] * (3 if self.drained else 1) + [self.toggle_rare]
        few = sum(row["state"] in ("pending", "running") for row in await self.node.history()) < MOST_OPEN
        things += [self.add] * 6 if few else []
        await (self.chance.choice(things) if self.tasks else self.add)()

    def any_task(self) -> str:
        return self.chance.choice(sorted(self.tasks))

    # What must follow.

    def blockers(self, rows: list[dict[str, Any]]) -> dict[str, str | None]:
        """Return what keeps each pending row from its start at the next turn."""
        running = [row for row in rows if row["state"] == "running"]
        held = running + [row for row in rows if row["state"] == "pending" and not self.takes_key_late(row)]
        taken = {self.key_of(row) for row in held}
        free, has_room = SLOTS - len(running), len(running) < SLOTS
        found: dict[str, str | None] = {}
        for row in sorted((row for row in rows if row["state"] == "pending"), key=self.rank):
            blocked = self.lever(row, self.tasks[row["task_id"]])
            if blocked is None and self.takes_key_late(row) and self.key_of(row) in taken:
                blocked = "limit"
            if blocked is None and free <= 0:
                blocked = "line" if has_room else "slots"
            if blocked is None:
                free -= 1
                taken |= {self.key_of(row)}
            found[row["id"]] = blocked
        return found

    def rank(self, row: dict[str, Any]) -> tuple[float, str]:
        return row["due_at"].timestamp() - 60 * self.tasks[row["task_id"]]["priority"], row["id"]

    def lever(self, row: dict[str, Any], task: dict[str, Any]) -> str | None:
        is_held = task["paused"] and row["origin"] != "manual"
        if is_held or self.scopes & {"*", MODULE, f"queue:{task['queue']}"}:
            return "paused"
        if row["due_at"] > self.node.clock.now():
            return "due"
        if task["function"] == "rare" and not self.rare_is_there:
            return "function"
        return "draining" if self.drained else None

    def key_of(self, row: dict[str, Any]) -> str:
        return str(self.tasks[row["task_id"]]["concurrency_key"] or row["task_id"])

    def takes_key_late(self, row: dict[str, Any]) -> bool:
        return bool(self.tasks[row["task_id"]]["overlap"] == "queue")

    async def check(self) -> None:
        """Compare what is explained with what the model knows, and with what the next turn does."""
        before = await self.node.history()
        tasks = sorted(self.tasks)[-MOST_TASKS:]
        told = {task_id: (await self.node.scheduler.explain(task_id)).unwrap() for task_id in tasks}
        waiting = [row["id"] for row in before if row["state"] == "pending"]
        of_rows = {each: (await self.node.scheduler.explain_execution(each)).unwrap() for each in waiting}
        if len(self.queues) == 1 and not await self.some_are_due():
            assert {each: answer["blocked_by"] for each, answer in of_rows.items()} == self.blockers(before)

        await self.node.scheduler.turn()
        after = {row["id"]: row for row in await self.node.history()}

        starts = {each: answer["answer"] == "may_start" for each, answer in of_rows.items() if not _doubtful(answer)}
        assert starts == {each: after[each]["state"] != "pending" for each in starts}
        for task_id, answer in told.items():
            new = [row for row in after.values() if row["task_id"] == task_id and row["id"] not in _ids(before)]
            self.check_task(answer, [row["state"] for row in new], any(r["task_id"] == task_id for r in _open(before)))

    def check_task(self, told: dict[str, Any], new: list[str], was_open: bool) -> None:
        self.seen.add((told["answer"], told["blocked_by"]))
        assert told["verdict"]
        assert told["gates"]
        if was_open or _doubtful(told):
            return  # its rows have been checked, or other queues may come first
        expected = {"may_start": [["running"]], "will_not_run": [["skipped"], ["missed"]], "ended": [[]]}
        assert new in expected.get(told["answer"], [[], ["pending"]]), told

    async def some_are_due(self) -> bool:
        tasks = [await self.node.task(task_id) for task_id in self.tasks]
        now = self.node.clock.now()
        return any(task["next_execution"] is not None and task["next_execution"] <= now for task in tasks)


def _ids(rows: list[dict[str, Any]]) -> set[str]:
    return {row["id"] for row in rows}


def _doubtful(told: dict[str, Any]) -> bool:
    return told["blocked_by"] is None and any(g["gate"] == "line" and g["passes"] is None for g in told["gates"])


def _open(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row["state"] in ("pending", "running")]


@pytest.fixture
def models(start_node: Any) -> Iterator[list[Model]]:
    """The models of a test; what runs in them is let go in the end."""
    models: list[Model] = []
    yield models
    for model in models:
        for release in model.releases.values():
            release.set()


async def walk(start_node: Any, models: list[Model], seed: int, steps: int) -> Model:
    node = await start_node(lease="10 days", execution_timeout="10 days", max_concurrent_tasks=SLOTS)
    models.append(model := Model(node, seed))
    await node.scheduler.turn()
    for _ in range(steps):
        await model.step()
        await model.check()
    return model


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("seed", range(3))
async def test_what_is_explained_is_what_happens(start_node: Any, models: list[Model], seed: int) -> None:
    model = await walk(start_node, models, seed, steps=25)

    assert {"may_start", "waits", "runs"} <= {answer for answer, _ in model.seen}


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_it_is_so_on_postgresql_too(start_node: Any, models: list[Model]) -> None:
    await walk(start_node, models, seed=10, steps=12)
