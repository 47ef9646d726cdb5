"""The test kit breaks the database and the process where the test wants it, and the scheduler makes it good."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from framework import AppContext, Module
from framework.testing import START
from modules.core.scheduler import SchedulerService
from modules.core.scheduler.testing import TestApplication


class Till(Module):
    """Takes money once."""

    id = "acme.till"
    requires = ("core.scheduler",)

    def __init__(self) -> None:
        self.taken = 0

    @asynccontextmanager
    async def lifespan(self, app_context: AppContext) -> AsyncIterator[None]:
        """Register the function."""
        self.scheduler = app_context.get_service(SchedulerService)
        self.scheduler.register_function(self.id, "take", self.take)
        yield

    async def take(self) -> None:
        """Take the money."""
        self.taken += 1

    async def order(self) -> str:
        """Have it taken now, and return the id of the task."""
        return str((await self.scheduler.schedule_once(self.take, at=START)).unwrap()["task_id"])


async def test_a_process_that_dies_at_any_step_leaves_nothing_undone(database_url: str) -> None:
    states: set[str] = set()
    async with TestApplication([till := Till()], database_url=database_url) as app:
        for step in range(1, 30, 2):
            till.taken = 0
            task_id = await till.order()
            with app.crash_at(step) as faults:
                await app.run_due()
            if not faults.struck:
                break
            await app.restart()
            await app.run_due()

            rows = [each["state"] for each in await app.executions(till.take) if each["task_id"] == task_id]
            states |= set(rows)
            assert rows[-1] == "succeeded"
            assert till.taken >= 1

    assert states == {"lost", "succeeded"}, "no crash came between the start and the end of a function"


async def test_a_database_that_fails_at_random_costs_no_execution_and_repeats_none() -> None:
    for seed in range(2):
        async with TestApplication([till := Till()]) as app:
            await till.order()
            with app.database_errors(seed=seed, rate=0.2) as faults:
                ran = await app.run_due()

        assert faults.struck, seed
        assert till.taken == 1
        assert [each["state"] for each in ran] == ["succeeded"]


async def test_the_same_seed_fails_at_the_same_steps() -> None:
    counts = []
    for _ in range(2):
        async with TestApplication([till := Till()]) as app:
            await till.order()
            with app.database_errors(seed=3, rate=0.2) as faults:
                await app.run_due()
        counts.append((faults.steps, faults.struck))

    assert counts[0] == counts[1]


async def test_an_application_goes_on_where_it_was_after_a_restart() -> None:
    async with TestApplication([till := Till()]) as app:
        (await app.scheduler.schedule_interval(till.take, every=60, name="tolls")).unwrap()
        await app.advance(60)

        await app.restart()
        await app.advance(60)

        assert [each["state"] for each in await app.executions()] == ["succeeded"] * 2
