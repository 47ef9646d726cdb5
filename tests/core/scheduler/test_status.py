"""Status and health: measured, never declared, and told in words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from framework.clock import SystemClock
from modules.core.scheduler import SchedulerService
from modules.core.scheduler.status import in_human_words

MINUTE = 60.0
HOUR = 3600.0
DAY = 24 * HOUR


async def test_status_tells_what_runs_and_what_comes_next(node: Any) -> None:
    await node.add(delay=2 * HOUR, name="later")
    await node.add(delay=MINUTE, name="sooner")
    await node.scheduler.turn()

    status = (await node.scheduler.status()).unwrap()

    upcoming = [(each["name"], each["due"]) for each in status["upcoming"] if each["name"] != "cleanup history"]
    assert upcoming == [("sooner", "in 1m"), ("later", "in 2h")]
    assert (status["active"], status["running"], status["running_everywhere"]) == (False, 0, 0)
    assert [each["id"] for each in status["nodes"]] == [status["node_id"]]


async def test_status_tells_how_many_cleanups_there_are_and_whether_they_are_frozen(node: Any) -> None:
    node.register("tidy", lambda: None)
    registered = await node.scheduler.register_cleanup_task("acme.test", "own", {"function_name": "tidy"})
    await node.scheduler.pause_task(registered.data["task_id"])
    before = (await node.scheduler.status()).unwrap()["cleanups"]
    await node.scheduler.freeze_cleanups()

    assert before == {"on": 1, "off": 1, "frozen": False}
    assert (await node.scheduler.status()).unwrap()["cleanups"] == {"on": 1, "off": 1, "frozen": True}


async def test_upcoming_tasks_in_health_are_in_words(node: Any) -> None:
    await node.add_every(2 * HOUR, name="report")

    health = await node.app_context.health()

    upcoming = health["checks"]["core.scheduler"]["data"]["upcoming"]
    (shown,) = [each for each in upcoming if each["name"] == "report"]
    assert (shown["schedule"], shown["due"]) == ("every 2 hours", "in 2h")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "now"),
        (-0.4, "now"),
        (5, "in 5s"),
        (7200, "in 2h"),
        (185, "in 3m 5s"),
        (-300, "5m late"),
        (3 * DAY + 4 * HOUR + 5, "in 3d 4h"),
    ],
)
def test_a_distance_is_told_to_its_two_largest_units(clock: Any, seconds: float, words: str) -> None:
    assert in_human_words(clock.now() + timedelta(seconds=seconds), clock.now()) == words


async def test_a_loop_that_does_not_turn_makes_health_red_until_it_does(start_node: Any) -> None:
    node = await start_node(enabled=True)
    fresh = await node.scheduler.health()

    node.clock.advance(31)
    stuck = await node.scheduler.health()  # the loop has had no turn since the time passed
    again = stuck
    while not again:
        again = await node.scheduler.health()

    assert fresh.success
    assert (stuck.error.code, stuck.error.message) == ("LOOP_STUCK", "the scheduler's loop has not turned for 31 s")
    assert again.unwrap()["active"] is True


async def test_a_scheduler_that_is_switched_off_is_healthy_and_says_so(node: Any) -> None:
    node.clock.advance(DAY)

    health = (await node.scheduler.health()).unwrap()

    assert (health["active"], health["seconds_since_turn"]) == (False, None)


async def test_health_is_red_where_the_clock_is_off_the_databases(started: Any) -> None:
    clock = SystemClock()
    async with started(clock=clock) as app_context:
        clock.correct(timedelta(seconds=-11) - clock.offset)  # the heartbeat has found it so
        ahead = await app_context.get_service(SchedulerService).health()
        clock.correct(timedelta(seconds=9) - clock.offset)
        tolerable = await app_context.get_service(SchedulerService).health()

    told = "this machine's clock is 11 s ahead of the database's; let NTP set it"
    assert (ahead.error.code, ahead.error.message) == ("CLOCK_OFF", told)
    assert tolerable.unwrap()["clock_offset"] == pytest.approx(-9, abs=0.5)


async def test_health_names_what_was_missed_and_how_late_the_latest_is(node: Any) -> None:
    await node.add_every(60)
    await node.scheduler.run_due()
    await node.pass_time(180)
    node.clock.advance(65)

    health = (await node.scheduler.health()).unwrap()

    assert (health["missed"], health["lateness"]) == (2, 5)
