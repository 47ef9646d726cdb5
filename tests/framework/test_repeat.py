"""A loop is a step, repeated: it survives its step's errors, backs off, and can be woken."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from framework.repeat import LONGEST_PAUSE, LONGEST_SLEEP, repeat
from framework.testing import FakeClock


class Loop:
    """A loop under test: `answers` says what each step returns or raises, `moments` when each one ran."""

    def __init__(self, clock: FakeClock, *answers: float | BaseException | None) -> None:
        self.clock = clock
        self.wake = asyncio.Event()
        self.moments: list[float] = []
        self.during: Callable[[], Any] = lambda: None
        self._answers = list(answers)
        self._stepped = asyncio.Event()
        self.task = asyncio.ensure_future(repeat(self._step, name="test", clock=clock, wake=self.wake))

    async def _step(self) -> float | None:
        self.moments.append(self.clock.monotonic())
        self._stepped.set()
        self.during()
        answer = self._answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def next_step(self) -> None:
        """Wait until the next step has run and the loop sleeps again."""
        await self._stepped.wait()
        self._stepped.clear()
        for _ in range(5):
            await self.clock.sleep(0)


class Impatient(FakeClock):
    """A clock that lets the time pass which somebody wants to sleep, and remembers it."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)
        await super().sleep(0)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


async def test_a_step_that_returns_none_ends_the_loop(clock: FakeClock) -> None:
    loop = Loop(clock, None)

    await loop.task

    assert loop.moments == [0.0]


async def test_a_step_says_how_long_to_sleep(clock: FakeClock) -> None:
    loop = Loop(clock, 10, None)
    await loop.next_step()

    clock.advance(9)
    await clock.sleep(0)
    clock.advance(1)
    await loop.task

    assert loop.moments == [0.0, 10.0]


async def test_no_sleep_is_longer_than_what_a_clock_step_may_hide(clock: FakeClock) -> None:
    loop = Loop(clock, 1_000_000, None)
    await loop.next_step()

    clock.advance(LONGEST_SLEEP)
    await loop.task

    assert loop.moments == [0.0, LONGEST_SLEEP]


async def test_a_loop_that_is_woken_does_not_sleep_on(clock: FakeClock) -> None:
    loop = Loop(clock, 30, None)
    await loop.next_step()

    loop.wake.set()
    await loop.task

    assert loop.moments == [0.0, 0.0]


async def test_a_loop_that_is_woken_during_its_step_does_not_sleep_at_all(clock: FakeClock) -> None:
    loop = Loop(clock, 30, None)
    loop.during = loop.wake.set

    await loop.task

    assert loop.moments == [0.0, 0.0]


async def test_a_loop_survives_its_step_and_backs_off_up_to_a_limit() -> None:
    clock = Impatient()
    loop = Loop(clock, *[OSError("gone")] * 9, None)

    await loop.task

    assert clock.slept == [0.2, 0.4, 0.8, 1.6, 3.2, *[LONGEST_PAUSE] * 4]


async def test_after_a_success_the_pauses_begin_anew() -> None:
    clock = Impatient()
    loop = Loop(clock, OSError("gone"), OSError("gone"), 0, OSError("gone"), None)

    await loop.task

    assert [pause for pause in clock.slept if pause] == [0.2, 0.4, 0.2]


async def test_one_traceback_is_enough_for_many_failures(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "framework.repeat")
    loop = Loop(Impatient(), OSError("gone"), OSError("gone"), OSError("gone"), None)

    await loop.task

    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert [bool(record.exc_info) for record in warnings] == [True, False, False]
    assert caplog.messages[-1] == "test works again after 3 failure(s)"


async def test_cancelling_ends_the_loop(clock: FakeClock) -> None:
    loop = Loop(clock, 30)
    await loop.next_step()

    loop.task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await loop.task
