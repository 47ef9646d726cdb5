"""Health: measured when asked, each check alone and only so long."""

from __future__ import annotations

import asyncio

import pytest

from framework.health import CHECK_SECONDS, Health
from framework.result import Result
from framework.testing import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def health(clock: FakeClock) -> Health:
    return Health(clock)


async def fine() -> Result[dict[str, int]]:
    return Result.success({"tasks": 3})


async def refused() -> Result[dict[str, int]]:
    return Result.error("LOOP_SILENT", "the loop is silent", {"seconds": 40})


async def broken() -> Result[dict[str, int]]:
    raise OSError("disk is gone\nsecond line")


async def silent() -> Result[dict[str, int]]:
    await asyncio.Event().wait()
    return Result.success({})


async def turns(clock: FakeClock) -> None:
    for _ in range(20):
        await clock.sleep(0)


async def test_health_is_green_when_every_module_runs_and_every_check_succeeds(health: Health) -> None:
    health.module_is("acme.greeter", None)
    health.add_check("acme.greeter", "greeter", fine)

    assert await health.report() == {
        "status": "healthy",
        "modules": {"acme.greeter": {"status": "healthy"}},
        "checks": {"greeter": {"status": "healthy", "data": {"tasks": 3}}},
    }


async def test_a_module_that_does_not_run_turns_health_red_with_its_name(health: Health) -> None:
    health.module_is("acme.fine", None)
    health.module_is("acme.broken", "ValueError: no")

    report = await health.report()

    assert report["status"] == "unhealthy"
    assert report["modules"] == {
        "acme.fine": {"status": "healthy"},
        "acme.broken": {"status": "unhealthy", "error": "ValueError: no"},
    }


async def test_a_failing_check_turns_health_red_and_disturbs_no_other(health: Health) -> None:
    health.add_check("a", "refused", refused)
    health.add_check("b", "broken", broken)
    health.add_check("c", "fine", fine)

    report = await health.report()

    assert report["status"] == "unhealthy"
    assert report["checks"]["refused"] == {
        "status": "unhealthy",
        "code": "LOOP_SILENT",
        "error": "the loop is silent",
        "details": {"seconds": 40},
    }
    assert report["checks"]["broken"] == {
        "status": "unhealthy",
        "code": "CHECK_FAILED",
        "error": "OSError: disk is gone",
    }
    assert report["checks"]["fine"]["status"] == "healthy"


async def test_a_silent_check_is_given_up_after_its_time(health: Health, clock: FakeClock) -> None:
    health.add_check("a", "silent", silent)
    asked = asyncio.create_task(health.report())
    await turns(clock)
    clock.advance(CHECK_SECONDS - 0.1)
    await turns(clock)
    early = asked.done()

    clock.advance(0.1)
    report = await asked

    assert not early
    assert report["checks"]["silent"]["code"] == "CHECK_TIMED_OUT"


async def test_health_is_measured_anew_each_time(health: Health) -> None:
    answers = iter([Result.success({}), Result.error("DOWN", "down")])

    async def changing() -> Result[dict[str, int]]:
        return next(answers)

    health.add_check("a", "changing", changing)

    assert [(await health.report())["status"] for _ in range(2)] == ["healthy", "unhealthy"]
