"""Tasks that are alike are planned once; whatever differs is checked each time as it was the first."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from framework.testing import FakeClock

GOOD = {"module_id": "acme.test", "function_name": "greet", "parameters": {"name": "you"}}


@pytest.fixture
async def greeter(node: Any) -> Any:
    """A node that has planned tasks like those of the tests before."""
    greeted: list[str] = []

    async def greet(*, name: str) -> None:
        greeted.append(name)

    node.register("greet", greet)
    node.greeted = greeted
    for number in range(2):
        (await node.scheduler.schedule_task(config(node, name=f"first {number}"))).unwrap()
    return node


def config(node: Any, **changed: Any) -> dict[str, Any]:
    return {"name": "n", **GOOD, "schedule_time": node.clock.now() + timedelta(hours=1), **changed}


def fields(answer: Any) -> list[str]:
    return [problem["field"] for problem in answer.error.details["problems"]]


@pytest.mark.parametrize("name", ["", "x" * 101, "two\nlines", "\x00", None, 7])
async def test_a_bad_name_is_refused(greeter: Any, name: Any) -> None:
    refused = await greeter.scheduler.schedule_task(config(greeter, name=name))

    assert fields(refused) == ["name"]


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"nobody": 1}, "parameters.name"),
        ({"name": "you", "more": 1}, "parameters.more"),
        ({"name": 7}, "parameters.name"),
        ([1], "parameters"),
        ({"name": {1, 2}}, "parameters"),
    ],
)
async def test_bad_parameters_are_refused(greeter: Any, parameters: Any, field: str) -> None:
    refused = await greeter.scheduler.schedule_task(config(greeter, parameters=parameters))

    assert field in fields(refused)


async def test_a_naive_time_is_still_read_in_the_zone_of_the_scheduler(greeter: Any) -> None:
    moment = greeter.clock.now() + timedelta(hours=2)

    told = await greeter.scheduler.schedule_task(config(greeter, schedule_time=moment.replace(tzinfo=None)))

    assert told.unwrap()["next_execution"] == moment


@pytest.mark.parametrize("moment", ["soon", 7, None, True])
async def test_what_is_no_time_is_refused(greeter: Any, moment: Any) -> None:
    refused = await greeter.scheduler.schedule_task(config(greeter, schedule_time=moment))

    assert refused.error.code == "INVALID_CONFIG"


@pytest.mark.parametrize(("first", "second", "field"), [(1, True, "priority"), (1, True, "max_retries")])
async def test_true_is_not_one(greeter: Any, first: Any, second: Any, field: str) -> None:
    (await greeter.scheduler.schedule_task(config(greeter, **{field: first}))).unwrap()

    refused = await greeter.scheduler.schedule_task(config(greeter, **{field: second}))

    assert fields(refused) == [field]


async def test_each_is_stored_with_what_is_its_own(greeter: Any) -> None:
    moments = [greeter.clock.now() + timedelta(hours=hours) for hours in (1, 2)]

    ids = [
        (
            await greeter.scheduler.schedule_task(
                config(greeter, name=f"task {number}", parameters={"name": f"you {number}"}, schedule_time=moment)
            )
        ).unwrap()["task_id"]
        for number, moment in enumerate(moments)
    ]

    shown = [await greeter.task(task_id) for task_id in ids]
    assert [task["name"] for task in shown] == ["task 0", "task 1"]
    assert [task["parameters"] for task in shown] == [{"name": "you 0"}, {"name": "you 1"}]
    assert [task["next_execution"] for task in shown] == moments


async def test_what_differs_in_a_policy_is_another_kind(greeter: Any) -> None:
    ids = [await greeter.add(**config(greeter, priority=priority)) for priority in (1, 2)]

    assert [(await greeter.task(task_id))["priority"] for task_id in ids] == [1, 2]


async def test_a_caller_that_changes_its_config_afterwards_changes_no_plan(greeter: Any) -> None:
    given = config(greeter, tags=["a"])
    (await greeter.scheduler.schedule_task(given)).unwrap()
    given["tags"].append("b")

    second = await greeter.scheduler.schedule_task(config(greeter, tags=["a"]))

    assert (await greeter.task(second.unwrap()["task_id"]))["tags"] == ["a"]


async def test_a_function_that_has_come_anew_checks_by_its_own_signature(greeter: Any) -> None:
    first = await greeter.scheduler.schedule_task(config(greeter, function_name="later"))
    greeter.register("later", lambda name: None)

    second = await greeter.scheduler.schedule_task(config(greeter, function_name="later"))

    assert (fields(first), second.success) == (["function_name"], True)


async def test_a_key_is_never_taken_for_another(greeter: Any) -> None:
    ids = [await greeter.add(**config(greeter, key=key)) for key in ("a", "b", "a")]

    assert ids[0] == ids[2] != ids[1]


async def test_a_time_with_another_zone_is_the_same_instant(greeter: Any, clock: FakeClock) -> None:
    moment = datetime.fromisoformat("2031-05-05T12:00:00+02:00")

    told = await greeter.scheduler.schedule_task(config(greeter, schedule_time=moment))

    assert told.unwrap()["next_execution"] == moment
