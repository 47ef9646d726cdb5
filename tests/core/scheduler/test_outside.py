"""What comes in over HTTP may schedule what its module allows, not too often, and not too much."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from declaring import Declaring
from expiring_sessions import OVER

from framework.caller import Caller, Door, Scope, calling
from modules.core.scheduler import SchedulerService, declare_function, declare_task

MODULE = "acme.test"
ADA = Caller("ada", Door.API)
HOURLY = {"recurring": True, "interval_type": "hours", "interval_value": 1}


@pytest.fixture
def shop(node: Any) -> Any:
    """A node with `order`, which may be scheduled from outside, beside `note`, which may not."""

    async def order(parameters: dict[str, Any]) -> None:
        node.runs.append(parameters)

    node.register("order", order, api=True)
    return node


@pytest.fixture
def outside() -> Iterator[None]:
    """All that a test does comes from outside."""
    with calling(ADA):
        yield


def task(function: str, **config: Any) -> dict[str, Any]:
    return {"name": function, "module_id": MODULE, "function_name": function, **HOURLY, **config}


async def code_of(answer: Any) -> str | None:
    result = await answer
    return None if result.error is None else result.error.code


async def test_registry_only_what_opts_in_is_scheduled_from_outside(shop: Any) -> None:
    told = {}
    for door in Door:
        with calling(Caller("ada", door)):
            told[door] = [await code_of(shop.scheduler.schedule_task(task(name))) for name in ("order", "note")]

    refused = [None, "FUNCTION_NOT_ALLOWED"]
    assert told == {Door.CODE: [None] * 2, Door.CLI: [None] * 2, Door.API: refused, Door.DASHBOARD: refused}


async def test_registry_only_no_way_leads_around_it(shop: Any, outside: None) -> None:
    scheduler: SchedulerService = shop.scheduler
    nested = task("note", key="nested")
    twice = task("scheduler.schedule_task", module_id="core.scheduler", parameters=nested, key="twice")
    by_operation = {"module_id": "core.scheduler", **HOURLY}
    cleaning = {"module_id": MODULE, "cleanup_type": "x", "config": {"function_name": "note"}}

    answers = {
        "many": scheduler.schedule_tasks([task("order"), task("note")]),
        "cron": scheduler.schedule_cron((MODULE, "note"), "0 2 * * *"),
        "once": scheduler.schedule_once((MODULE, "note"), at="2027-01-01T00:00:00Z"),
        "import": scheduler.import_tasks([task("note", key="n")]),
        "a named operation": scheduler.perform("scheduler.schedule_task", task("note")),
        "a task of an operation": scheduler.schedule_task(
            {**by_operation, "name": "n", "function_name": "scheduler.schedule_task", "parameters": nested}
        ),
        "a task of a task": scheduler.schedule_task(
            {**by_operation, "name": "n", "function_name": "scheduler.schedule_task", "parameters": twice}
        ),
        "a cleanup": scheduler.register_cleanup_task(MODULE, "x", {"function_name": "note"}),
        "a task of a cleanup": scheduler.schedule_task(
            {**by_operation, "name": "n", "function_name": "scheduler.register_cleanup", "parameters": cleaning}
        ),
        "the cleaner": scheduler.schedule_task(
            {**by_operation, "name": "n", "function_name": "carry_out_cleanup", "parameters": {"cleanup_id": "x"}}
        ),
    }

    told = {way: await code_of(answer) for way, answer in answers.items()}
    assert told == dict.fromkeys(told, "FUNCTION_NOT_ALLOWED")
    assert [each["name"] for each in (await scheduler.list_tasks()).unwrap()["tasks"]] == ["cleanup history"]


async def test_registry_only_a_task_of_the_application_stays_as_it_is(shop: Any) -> None:
    scheduler = shop.scheduler
    task_id = await shop.add_every(3600, key="own")
    with calling(ADA):
        answers = [
            await code_of(scheduler.update_task(task_id, {"priority": 9})),
            await code_of(scheduler.update_task(task_id, {"function_name": "order"})),
            await code_of(scheduler.schedule_task(task("order", key="own"))),
            await code_of(scheduler.import_tasks([task("order", key="own")])),
        ]
        operated = [
            await code_of(scheduler.pause_task(task_id)),
            await code_of(scheduler.resume_task(task_id)),
            await code_of(scheduler.execute_task(task_id)),
        ]

    assert answers == ["FUNCTION_NOT_ALLOWED"] * 4
    assert operated == [None] * 3
    assert (await shop.task(task_id))["function_name"] == "note"


async def test_registry_only_a_like_task_of_code_opens_no_door(shop: Any) -> None:
    moment = shop.clock.now()
    config = {"name": "n", "module_id": MODULE, "function_name": "note", "schedule_time": moment}
    assert await code_of(shop.scheduler.schedule_task(config)) is None

    with calling(ADA):
        assert await code_of(shop.scheduler.schedule_task(config)) == "FUNCTION_NOT_ALLOWED"


async def test_registry_only_shell_commands_never_come_from_outside(start_node: Any) -> None:
    node = await start_node(allow_commands=True)
    command = {"name": "c", "module_id": "core.scheduler", "function_name": "run_command", **HOURLY}
    with calling(ADA):
        answer = await code_of(node.scheduler.schedule_task({**command, "parameters": {"command": "id"}}))

    assert answer == "FUNCTION_NOT_ALLOWED"


OPERATIONS: list[tuple[str, Scope, dict[str, Any]]] = [
    ("list_tasks", Scope.READ, {}),
    ("cancel_task", Scope.OPERATE, {"task_id": "x"}),
    ("pause_resume_task", Scope.OPERATE, {"task_id": "x", "action": "pause"}),
    ("execute_task_now", Scope.OPERATE, {"task_id": "x"}),
    ("schedule_task", Scope.SCHEDULE, task("order", key="x")),
    ("register_cleanup", Scope.ADMIN, {"module_id": MODULE, "cleanup_type": "x", "config": OVER}),
    ("run_cleanup", Scope.ADMIN, {}),
]


async def test_credentials_an_operation_needs_its_scope_at_once_and_as_a_task(shop: Any) -> None:
    names = {"name": "n", "module_id": "core.scheduler", **HOURLY}
    for operation, scope, parameters in OPERATIONS:
        name, allowed = f"scheduler.{operation}", {}
        for held in Scope:
            with calling(Caller("ada", Door.API, frozenset({held}))):
                at_once = await code_of(shop.scheduler.perform(name, parameters))
                config = {**names, "function_name": name, "parameters": parameters}
                as_task = await code_of(shop.scheduler.schedule_task(config))
            assert (at_once == "FORBIDDEN") == (as_task == "FORBIDDEN") == (as_task is not None)
            allowed[held] = as_task is None
        assert allowed == {held: held in (scope, Scope.ADMIN) or scope is Scope.READ for held in Scope}, operation


async def test_limits_a_task_that_makes_tasks_makes_the_same_one_again(shop: Any, outside: None) -> None:
    operation = {"name": "n", "module_id": "core.scheduler", "function_name": "scheduler.schedule_task", **HOURLY}

    refused = await shop.scheduler.schedule_task({**operation, "parameters": task("order")})

    assert refused.error is not None
    assert [each["field"] for each in refused.error.details["problems"]] == ["parameters.key"]


OFTEN: list[dict[str, Any]] = [
    {"recurring": True, "interval_type": "seconds", "interval_value": 59},
    {"cron": "*/30 * * * * *"},
    {
        "trigger": {
            "type": "any",
            "triggers": [
                {"type": "interval", "minutes": 5, "start_date": "2026-01-05T12:00:00Z"},
                {"type": "interval", "minutes": 7, "start_date": "2026-01-05T12:00:30Z"},
            ],
        }
    },
]


async def test_limits_what_comes_from_outside_runs_no_oftener_than_allowed(start_node: Any) -> None:
    node = await start_node(api_min_interval="1 minute")

    async def order() -> None: ...

    node.register("order", order, api=True)
    for when in OFTEN:
        config = {"name": "o", "module_id": MODULE, "function_name": "order", **when}
        with calling(ADA):
            refused = await node.scheduler.schedule_task(config)

        assert refused.error is not None
        assert "from outside 1m is the least" in refused.error.message
        assert await code_of(node.scheduler.schedule_task(config)) is None


async def test_limits_one_caller_has_so_many_tasks_at_most(start_node: Any) -> None:
    node = await start_node(api_max_tasks=3)

    async def order() -> None: ...

    node.register("order", order, api=True)
    with calling(ADA):
        made = [await node.scheduler.schedule_task(task("order", key=f"k{number}")) for number in range(4)]
        again = await code_of(node.scheduler.schedule_task(task("order", key="k1", priority=2)))
        at_once = await code_of(node.scheduler.schedule_tasks([task("order"), task("order")]))
        imported = await code_of(node.scheduler.import_tasks([task("order", key="k9")]))
        await node.scheduler.cancel_task(made[0].data["task_id"])
        after_one_is_gone = await code_of(node.scheduler.schedule_task(task("order")))
    with calling(Caller("bob", Door.API)):
        of_another = await code_of(node.scheduler.schedule_task(task("order")))

    assert [each.error and each.error.code for each in made] == [None, None, None, "TOO_MANY_TASKS"]
    assert (again, at_once, imported) == (None, "TOO_MANY_TASKS", "TOO_MANY_TASKS")
    assert (after_one_is_gone, of_another) == (None, None)


async def test_what_code_declares_is_applied_whoever_asks_for_it(started: Any) -> None:
    async def own() -> None: ...

    def declare(app_context: Any) -> None:
        declare_function(app_context, "own", own)
        declare_task(app_context, {"name": "own", "function_name": "own", **HOURLY})

    async with started(Declaring(declare)) as app_context:
        scheduler = app_context.get_service(SchedulerService)
        with calling(ADA):
            applied = (await scheduler.apply_declared()).unwrap()

    assert applied["counts"]["refused"] == 0


async def test_secrets_are_not_given_to_another_function(shop: Any) -> None:
    async def call(*, token: str) -> None: ...

    shop.register("call", call, api=True, secret=["token"])
    with calling(ADA):
        scheduled = await shop.scheduler.schedule_task(task("call", parameters={"token": "hunter2"}))
        task_id = scheduled.unwrap()["task_id"]
        moved = await code_of(shop.scheduler.update_task(task_id, {"function_name": "order"}))
        masked = await code_of(shop.scheduler.update_task(task_id, {"parameters": {"token": "***"}}))
        anew = await code_of(shop.scheduler.update_task(task_id, {"function_name": "order", "parameters": {}}))

    assert (moved, masked, anew) == ("INVALID_CONFIG", "INVALID_CONFIG", None)
