"""Clocks and ids: the real ones, and the clock that a test moves."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from nodes import Machine

from framework import clock as clock_module
from framework.clock import Clock, SystemClock, new_id
from framework.testing import START, FakeClock

UUID_7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def test_ids_are_uuids_of_version_7() -> None:
    assert UUID_7.fullmatch(new_id())


def test_ids_sort_in_the_order_in_which_they_were_made() -> None:
    ids = [new_id() for _ in range(10_000)]

    assert ids == sorted(set(ids))


def test_ids_tell_when_they_were_made() -> None:
    before = datetime.fromtimestamp(int(new_id().replace("-", "")[:12], 16) / 1000, UTC)

    assert abs(SystemClock().now() - before) < timedelta(minutes=1)


def test_ids_go_on_sorting_when_the_clock_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    first = new_id()
    monkeypatch.setattr(clock_module.time, "time_ns", lambda: 1)

    assert first < new_id() < new_id()


def test_threads_never_make_the_same_id() -> None:
    with ThreadPoolExecutor(4) as threads:
        ids = [each for made in threads.map(lambda _: [new_id() for _ in range(1_000)], range(8)) for each in made]

    assert len(set(ids)) == 8_000


def is_near(found: timedelta, expected: timedelta) -> bool:
    """Whether the two differ by no more than a slow machine explains."""
    return abs(found - expected) < timedelta(minutes=1)


def test_the_system_clock_tells_aware_utc_as_it_was_corrected() -> None:
    clock, corrected = SystemClock(), SystemClock()
    corrected.correct(timedelta(hours=2))
    corrected.correct(timedelta(hours=-1))

    now = clock.now()

    assert now.utcoffset() == timedelta(0)
    assert is_near(corrected.now() - now, timedelta(hours=1))
    assert is_near(corrected.offset, timedelta(hours=1))
    assert clock.offset == timedelta(0)


def test_a_corrected_clock_goes_on_whatever_its_machine_is_set_to_and_another_one_with_it() -> None:
    clock, corrected = Machine(), Machine()
    corrected.correct(timedelta(hours=1))
    before, corrected_before = clock.now(), corrected.now()

    clock.ahead = corrected.ahead = timedelta(days=1)

    assert is_near(clock.now() - before, timedelta(days=1))
    assert is_near(corrected.now() - corrected_before, timedelta(0))
    assert corrected.now() > corrected_before
    assert is_near(corrected.offset, timedelta(hours=-23))


def test_monotonic_seconds_are_not_shifted() -> None:
    clock, shifted = SystemClock(), SystemClock()
    shifted.correct(timedelta(days=365))

    assert shifted.monotonic() - clock.monotonic() < 3600


async def test_waiting_for_an_event_that_is_set_takes_no_time() -> None:
    event = asyncio.Event()
    event.set()

    assert await SystemClock().wait(event, 3600) is True


async def test_waiting_ends_when_the_event_is_set() -> None:
    clock, event = SystemClock(), asyncio.Event()
    waiting = asyncio.ensure_future(clock.wait(event, 3600))
    await clock.sleep(0)
    event.set()

    assert await waiting is True


@pytest.mark.parametrize("seconds", [0.0, 0.001, -5.0])
async def test_waiting_ends_when_the_time_is_over(seconds: float) -> None:
    assert await SystemClock().wait(asyncio.Event(), seconds) is False


@pytest.mark.parametrize("clock", [SystemClock(), FakeClock()], ids=["system", "fake"])
async def test_cancelling_a_wait_leaves_nothing_behind(clock: Clock) -> None:
    before = asyncio.all_tasks()
    waiting = asyncio.ensure_future(clock.wait(asyncio.Event(), 3600))
    await clock.sleep(0)
    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert asyncio.all_tasks() == before


def test_a_fake_clock_stands_still() -> None:
    clock = FakeClock()

    assert (clock.now(), clock.now(), clock.monotonic()) == (START, START, 0.0)


def test_advancing_moves_both_hands() -> None:
    clock = FakeClock()

    clock.advance(90)
    clock.move_to(START + timedelta(minutes=2))

    assert (clock.now(), clock.monotonic()) == (START + timedelta(minutes=2), 120.0)


def test_stepping_moves_only_the_wall_clock() -> None:
    clock = FakeClock()

    clock.step(timedelta(hours=-1))

    assert (clock.now(), clock.monotonic()) == (START - timedelta(hours=1), 0.0)


def test_time_does_not_pass_backwards() -> None:
    with pytest.raises(ValueError, match="backwards"):
        FakeClock().advance(-1)


async def test_sleepers_wake_in_order_when_their_moment_has_come() -> None:
    clock, woken = FakeClock(), []

    async def sleep(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(seconds)

    sleeping = [asyncio.ensure_future(sleep(seconds)) for seconds in (30, 10, 20, 60)]
    await clock.sleep(0)
    clock.advance(30)
    await asyncio.gather(*sleeping[:3])

    assert woken == [10, 20, 30]
    sleeping[3].cancel()


async def test_a_wait_on_a_fake_clock_ends_by_its_event_or_by_its_time() -> None:
    clock, event = FakeClock(), asyncio.Event()
    by_time = asyncio.ensure_future(clock.wait(asyncio.Event(), 10))
    by_event = asyncio.ensure_future(clock.wait(event, 10))
    await clock.sleep(0)
    event.set()

    assert await by_event is True
    clock.advance(10)
    assert await by_time is False


async def test_who_is_cancelled_while_its_wait_ends_is_cancelled() -> None:
    for rounds in range(8):
        clock, event = FakeClock(), asyncio.Event()
        waiting = asyncio.ensure_future(clock.wait(event, 10))
        for _ in range(3):
            await SystemClock().sleep(0)
        event.set()
        for _ in range(rounds):
            await SystemClock().sleep(0)

        was_asked = waiting.cancel()
        await asyncio.wait({waiting})

        assert waiting.cancelled() == was_asked
