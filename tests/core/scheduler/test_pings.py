"""A service outside hears of each success, and that the scheduler is alive; it notices silence."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from outside import Outside

from framework.clock import SystemClock

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def sent(node: Any) -> None:
    """Wait until all pings are out."""
    sending = node.scheduler.lookout.pings._sending
    if sending is not None:
        await sending


async def test_each_success_of_a_task_pings(start_node: Any, outside: Outside) -> None:
    node = await start_node(framework=outside.allowed)
    node.register("fail", lambda: 1 / 0)
    await node.add(ping_url=f"{outside.url}/ok?token=1")
    await node.add("fail", ping_url=f"{outside.url}/fail")

    await node.scheduler.run_due()
    await sent(node)

    assert outside.heard == [("GET", "/ok?token=1", None)]


async def test_a_ping_that_does_not_get_through_is_tried_again_and_holds_up_nothing(
    start_node: Any, outside: Outside, caplog: Any
) -> None:
    node = await start_node(framework=outside.allowed)
    outside.status = 503
    await node.add(ping_url=outside.url)
    await node.scheduler.run_due()
    while not node.scheduler.lookout.pings._sending.done():
        node.clock.advance(10)
        await SystemClock().sleep(0.005)

    assert len(outside.heard) == 3
    assert "the ping of note did not get through: answered with 503" in caplog.text
    assert await node.states() == ["succeeded"]


async def test_an_occurrence_that_has_failed_for_good_pings_once(start_node: Any, outside: Outside) -> None:
    node = await start_node(framework=outside.allowed)
    node.register("fail", lambda: 1 / 0)
    urls = {"ping_url": f"{outside.url}/check", "ping_failure_url": f"{outside.url}/check/fail"}
    await node.add("fail", max_retries=1, **urls)
    await node.add(**urls)

    heard = []
    for _ in range(2):
        await node.scheduler.run_due()
        await sent(node)
        heard.append([path for _, path, _ in outside.heard])
        node.clock.advance(60)

    assert heard == [["/check"], ["/check", "/check/fail"]]


async def test_a_ping_goes_only_where_the_settings_allow(start_node: Any, outside: Outside) -> None:
    node = await start_node(framework={**outside.allowed, "outgoing_hosts": ["hc.example"]})

    named = {"name": "n", "module_id": "acme.test", "function_name": "note", "schedule_time": "now"}
    refused = await node.scheduler.schedule_task({**named, "ping_url": outside.url, "ping_failure_url": outside.url})

    told = f"{outside.host} is not among the hosts that FRAMEWORK_OUTGOING_HOSTS allows"
    fields = ("ping_url", "ping_failure_url")
    assert refused.error.details["problems"] == [{"field": field, "message": told} for field in fields]


async def test_the_scheduler_says_that_it_is_alive_as_long_as_its_loop_turns(start_node: Any, outside: Outside) -> None:
    node = await start_node(framework=outside.allowed, heartbeat_url=f"{outside.url}/alive", heartbeat_interval=60)
    looks = []
    for seconds, turns in ((0, False), (0, True), (30, True), (30, True), (60, False), (0, True)):
        node.clock.advance(seconds)
        if turns:
            await node.scheduler.turn()
        await node.scheduler.lookout.look()
        await sent(node)
        looks.append(len(outside.heard))

    assert looks == [0, 1, 1, 2, 2, 3]


async def test_the_lookout_runs_beside_the_loop_and_ends_with_it(start_node: Any, outside: Outside) -> None:
    alert = {"name": "on call", "webhook": f"{outside.url}/hook"}
    node = await start_node(enabled=True, framework=outside.allowed, alerts=[alert])
    node.register("fail", lambda: 1 / 0)
    await node.add("fail")
    while not outside.heard:
        await SystemClock().sleep(0.005)

    await node.scheduler.stop_background_processing()

    assert outside.bodies()[0]["alert"] == "on call"
    assert [task.get_name() for task in asyncio.all_tasks() if task.get_name() == "scheduler lookout"] == []
