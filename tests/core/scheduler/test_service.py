"""The front door: keyword style, preview, the decorator, and pausing everything or one module."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from modules.core.scheduler import FunctionError

MODULE = "acme.test"
MINUTE = 60.0


async def tidy() -> None: ...


@pytest.fixture
async def tidying(node: Any) -> Any:
    """A scheduler with the function `tidy`."""
    node.register("tidy", tidy)
    return node


async def test_a_callable_is_scheduled_by_cron(tidying: Any) -> None:
    scheduled = (await tidying.scheduler.schedule_cron(tidy, "30 13 * * *", name="after lunch", priority=3)).unwrap()

    task = await tidying.task(scheduled["task_id"])
    assert (task["name"], task["function_name"], task["priority"], task["recurring"]) == (
        "after lunch",
        "tidy",
        3,
        True,
    )
    assert task["next_execution"].strftime("%H:%M") == "13:30"


@pytest.mark.parametrize("every", [300, "5 minutes", timedelta(minutes=5), "PT5M"])
async def test_a_function_is_scheduled_at_an_interval(tidying: Any, every: Any) -> None:
    scheduled = (await tidying.scheduler.schedule_interval((MODULE, "tidy"), every=every)).unwrap()

    task = await tidying.task(scheduled["task_id"])
    assert (task["name"], task["interval_type"], task["interval_value"]) == ("tidy", "seconds", 300)
    assert task["next_execution"] - tidying.clock.now() == timedelta(minutes=5)


async def test_a_function_is_scheduled_once_at_a_moment_or_after_a_delay(tidying: Any) -> None:
    moment = tidying.clock.now() + timedelta(hours=3)

    at = (await tidying.scheduler.schedule_once(tidy, at=moment)).unwrap()
    after = (await tidying.scheduler.schedule_once(tidy, delay="3 hours")).unwrap()

    assert at["next_execution"] == after["next_execution"] == moment
    assert at["task_id"] != after["task_id"]


async def test_keyword_style_refuses_what_a_config_would(tidying: Any) -> None:
    refusals = [
        await tidying.scheduler.schedule_cron(tidy, "70 * * * *"),
        await tidying.scheduler.schedule_interval(tidy, every="soon"),
        await tidying.scheduler.schedule_interval(tidy, every=60, prioritty=3),
        await tidying.scheduler.schedule_once(tidy),
        await tidying.scheduler.schedule_once(tidy, at=tidying.clock.now(), delay=5),
    ]

    assert {refusal.error.code for refusal in refusals} == {"INVALID_CONFIG"}
    assert (await tidying.scheduler.list_tasks(module_id=MODULE)).unwrap()["tasks"] == []


async def test_a_callable_that_is_not_registered_is_a_mistake(node: Any) -> None:
    with pytest.raises(FunctionError, match=r"register_function\(\) comes first"):
        await node.scheduler.schedule_cron(tidy, "* * * * *")


async def test_register_function_is_also_a_decorator(node: Any) -> None:
    @node.scheduler.register_function(MODULE, "double", description="Twice as much.")
    async def double(*, number: int) -> int:
        return 2 * number

    (await node.scheduler.schedule_once(double, at="now", parameters={"number": 21})).unwrap()
    await node.scheduler.run_due()

    assert [row["result"] for row in await node.history()] == [42]
    assert await double(number=1) == 2


@pytest.mark.parametrize(
    "when",
    [
        {"cron": "*/20 8-14 * * mon-fri"},
        {"recurring": True, "interval_type": "hours", "interval_value": 7},
        {"recurring": True, "interval_type": "months", "interval_value": 1, "schedule_time": "2026-01-31T12:00:00Z"},
        {"trigger": {"type": "any", "triggers": [{"type": "interval", "hours": 5}, "0 9 * * *"]}},
        {"delay": "90 minutes"},
    ],
)
async def test_a_preview_is_the_later_times(start_node: Any, when: dict[str, Any]) -> None:
    node = await start_node(keep_execution_history=365)
    foreseen = [each["at"] for each in (await node.scheduler.preview(when, 5)).unwrap()]
    task_id = await node.add(**when)

    for moment in foreseen:
        node.clock.move_to(moment)
        await node.scheduler.run_due()

    assert [row["scheduled_for"] for row in await node.history(task_id)] == foreseen
    assert len(foreseen) == (1 if "delay" in when else 5)


async def test_a_preview_stores_nothing_and_says_what_is_wrong(node: Any) -> None:
    answer = await node.scheduler.preview("0 0 30 2 *", 3)

    assert answer.error.code == "INVALID_TRIGGER"
    assert len((await node.scheduler.list_tasks()).unwrap()["tasks"]) == 1


async def test_pausing_everything_holds_what_is_due_and_what_is_pending(node: Any) -> None:
    task_id = await node.add_every(MINUTE)
    await node.scheduler.execute_task(task_id)

    paused = (await node.scheduler.pause_all("moving house")).unwrap()
    await node.pass_time(10 * MINUTE)
    held = await node.states(task_id)
    resumed = (await node.scheduler.resume_all()).unwrap()
    await node.scheduler.run_due()

    assert [(each["scope"], each["reason"]) for each in paused["paused"]] == [("*", "moving house")]
    assert paused["upcoming"] == []
    assert held == ["pending"]
    assert resumed["paused"] == []
    assert (await node.states(task_id))[0] == "succeeded"
    assert "pending" not in await node.states(task_id)


async def test_pausing_a_module_holds_that_module_alone(node: Any) -> None:
    node.scheduler.register_function("acme.other", "tidy", tidy)
    mine = await node.add_every(MINUTE)
    other = await node.add_every(MINUTE, "tidy", module_id="acme.other")

    await node.scheduler.pause_all(module_id=MODULE)
    await node.pass_time(MINUTE)
    held = [await node.states(task_id) for task_id in (mine, other)]
    await node.scheduler.resume_all(module_id=MODULE)
    await node.scheduler.run_due()

    assert held == [[], ["succeeded"]]
    assert await node.states(mine) == ["succeeded"]


async def test_a_pause_holds_on_every_node_and_outlives_a_restart(start_node: Any) -> None:
    first = await start_node()
    task_id = await first.add_every(MINUTE)
    await first.scheduler.pause_all()

    second = await start_node()
    await second.pass_time(MINUTE)

    assert await second.states(task_id) == []
    assert [each["scope"] for each in (await second.scheduler.status()).unwrap()["paused"]] == ["*"]


async def test_resuming_everything_leaves_a_tasks_own_pause(node: Any) -> None:
    task_id = await node.add_every(MINUTE)
    await node.scheduler.pause_task(task_id)
    await node.scheduler.pause_all()

    await node.scheduler.resume_all()
    await node.pass_time(MINUTE)

    assert (await node.task(task_id))["status"] == "paused"
    assert await node.states(task_id) == []


async def test_what_a_pause_of_everything_held_back_follows_its_catch_up_policy(node: Any) -> None:
    latest = await node.add_every(MINUTE)
    nothing = await node.add_every(MINUTE, catch_up="none", misfire_grace_time=1)
    await node.scheduler.pause_all()
    node.clock.advance(10.5 * MINUTE)

    await node.scheduler.resume_all()
    await node.scheduler.run_due()

    assert [row["missed_count"] for row in await node.history(latest)] == [9]
    assert await node.states(nothing) == ["missed"]
