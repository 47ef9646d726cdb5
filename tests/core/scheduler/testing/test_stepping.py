"""The test kit moves the time and carries out what is due, and tells what came of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from framework import AppContext, Module
from framework.testing import START
from modules.core.scheduler import SchedulerService
from modules.core.scheduler.testing import TestApplication

HOUR = timedelta(hours=1)


class Press(Module):
    """Prints every hour, and as it is told."""

    id = "acme.press"
    requires = ("core.scheduler",)

    def __init__(self, **policies: Any) -> None:
        self.printed: list[str] = []
        self.policies = policies

    @asynccontextmanager
    async def lifespan(self, app_context: AppContext) -> AsyncIterator[None]:
        """Schedule the hourly task."""
        scheduler = app_context.get_service(SchedulerService)
        scheduler.register_function(self.id, "printing", self.printing)
        scheduler.register_function(self.id, "jam", self.jam)
        every_hour = {"name": "hourly", "parameters": {"title": "news"}, **self.policies}
        (await scheduler.schedule_interval(self.printing, every=HOUR, **every_hour)).unwrap()
        yield

    async def printing(self, *, title: str) -> str:
        """Print."""
        self.printed.append(title)
        return title.upper()

    async def jam(self) -> None:
        """Fail."""
        raise RuntimeError("paper jam")


async def test_nothing_runs_before_the_test_says_so() -> None:
    async with TestApplication([press := Press()]) as app:
        app.clock.advance(HOUR)

        assert press.printed == []
        ran = await app.run_due()

    assert press.printed == ["news"]
    assert [(each["task_name"], each["state"], each["result"]) for each in ran] == [("hourly", "succeeded", "NEWS")]


async def test_each_execution_is_told_once() -> None:
    async with TestApplication([Press()]) as app:
        first, again, second = await app.advance(HOUR), await app.run_due(), await app.advance("1 hour")

        assert [len(each) for each in (first, again, second)] == [1, 0, 1]
        assert [each["id"] for each in await app.executions()] == [first[0]["id"], second[0]["id"]]


async def test_days_are_lived_through_from_due_time_to_due_time() -> None:
    async with TestApplication([press := Press()]) as app:
        ran = await app.simulate(timedelta(days=3))

        assert app.clock.now() == START + timedelta(days=3)

    assert press.printed == ["news"] * 72
    assert [each["start_time"] for each in ran] == [START + number * HOUR for number in range(1, 73)]


async def test_an_outage_is_caught_up_when_the_time_passes_in_one_stride() -> None:
    async with TestApplication([press := Press()]) as app:
        ran = await app.advance(timedelta(days=1))

    assert press.printed == ["news"]
    assert [each["missed_count"] for each in ran] == [23]


async def test_retries_come_within_a_simulation() -> None:
    async with TestApplication([press := Press()]) as app:
        config = {"max_retries": 2, "retry_delay": 60, "retry_backoff": 1, "retry_jitter": 0}
        (await app.scheduler.schedule_once(press.jam, at=START, **config)).unwrap()

        ran = await app.simulate("10 minutes")

    assert [(each["attempt"], each["state"]) for each in ran] == [(1, "failed"), (2, "failed"), (3, "failed")]
    assert [each["end_time"] - START for each in ran] == [timedelta(minutes=number) for number in (0, 1, 2)]


async def test_what_is_dated_in_the_past_runs_at_once() -> None:
    async with TestApplication([press := Press()]) as app:
        yesterday = START - timedelta(days=1)
        (await app.scheduler.schedule_once(press.printing, at=yesterday, parameters={"title": "old"})).unwrap()

        ran = await app.run_due()

    assert press.printed == ["old"]
    assert [each["scheduled_for"] for each in ran] == [yesterday]


async def test_occurrences_that_do_not_run_are_told_too() -> None:
    async with TestApplication([Press(catch_up="none")]) as app:
        ran = await app.advance(timedelta(hours=5, minutes=30))

    assert [(each["state"], each["reason"]) for each in ran] == [("missed", "CATCH_UP_NONE")]


async def test_a_simulation_without_end_says_what_fills_it() -> None:
    async with TestApplication([Press()]) as app:
        with pytest.raises(AssertionError, match=r"more than 10 executions .* 'hourly'"):
            await app.simulate(timedelta(days=365), most=10)


async def test_a_module_that_does_not_start_fails_the_test() -> None:
    class Broken(Module):
        id = "acme.broken"

        def register(self, app_context: AppContext) -> None:
            raise LookupError("no paper")

    with pytest.raises(AssertionError, match=r"acme\.broken: LookupError: no paper"):
        async with TestApplication([Broken()]):
            pass


async def test_the_time_and_the_settings_can_be_chosen() -> None:
    start = datetime(2027, 3, 1, tzinfo=UTC)
    settings = {"core.scheduler": {"timezone": "Europe/Berlin"}}

    async with TestApplication([Press()], settings, start=start) as app:
        previewed = (await app.scheduler.preview("0 2 * * *", count=1)).unwrap()

        assert app.clock.now() == start
        assert "Europe/Berlin" in str(previewed)


async def test_a_function_that_never_ends_does_not_hold_up_the_end_of_a_test() -> None:
    import asyncio

    async def wait_for_ever() -> None:
        await asyncio.Event().wait()

    async with TestApplication() as app:
        app.scheduler.register_function("acme.test", "wait", wait_for_ever)
        (await app.scheduler.schedule_once(wait_for_ever, at=START)).unwrap()
        await app.scheduler.turn()
