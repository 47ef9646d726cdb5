"""Plan and apply: what is declared as data, in modules and in settings, beside what the database has."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from declaring import Declaring, tasks_of

from framework import AppContext, Application, Module
from framework.testing import FakeClock
from modules.core.scheduler import SchedulerService, declare_cleanup, declare_function, declare_task
from modules.core.scheduler.declarations import hand_over_functions

MODULE = "acme.declaring"
Make = Callable[..., Application]


async def work(*, secret: str = "", days: int = 1) -> None: ...


def config(name: str, **rest: Any) -> dict[str, Any]:
    return {"name": name, "function_name": "work", "cron": "0 * * * *", **rest}


def declaring(*configs: dict[str, Any], start: Any = None) -> Declaring:
    def declare(app_context: AppContext) -> None:
        declare_function(app_context, "work", work, secret=["secret"])
        for each in configs:
            declare_task(app_context, each)

    return Declaring(declare, start)


@pytest.fixture
def make(database_url: str, tmp_path: Path) -> Make:
    """Make applications on one database and clock; settings of the scheduler as keywords."""
    clock = FakeClock()

    def make(*modules: Module, **settings: Any) -> Application:
        framework = {"database_url": database_url, "data_dir": str(tmp_path)}
        tables = {"framework": framework, "core.scheduler": {"enabled": False, "timezone": "UTC", **settings}}
        return Application(modules=["core.scheduler", *modules], settings=tables, clock=clock)

    return make


@asynccontextmanager
async def opened(application: Application) -> AsyncIterator[SchedulerService]:
    async with application.open() as app_context:
        scheduler = app_context.get_service(SchedulerService)
        hand_over_functions(app_context, scheduler)
        yield scheduler


async def planned(application: Application) -> dict[str, Any]:
    async with opened(application) as scheduler:
        return (await scheduler.plan_declared()).unwrap()


def actions(plan: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["action"] for each in plan["differences"] if each["name"] != "history"}


async def test_a_plan_names_what_is_new_changed_gone_and_the_same_and_writes_nothing(make: Make) -> None:
    async with make(declaring(config("same"), config("edited"), config("gone"))) as app_context:
        before = await tasks_of(app_context, MODULE)
    application = make(declaring(config("same"), config("edited", cron="30 * * * *", priority=3), config("new")))

    plan = await planned(application)
    again = await planned(application)

    async with make() as app_context:
        after = await tasks_of(app_context, MODULE)
    assert actions(plan) == {"same": "same", "edited": "change", "new": "add", "gone": "remove"}
    assert (again["seen"], after) == (plan["seen"], before)


async def test_a_plan_shows_fields_and_next_times_before_and_after(make: Make) -> None:
    async with make(declaring(config("task"))):
        pass

    plan = await planned(
        make(declaring(config("task", cron="30 * * * *", priority=3, parameters={"secret": "s3cr3t"})))
    )

    (each,) = [each for each in plan["differences"] if each["name"] == "task"]
    assert each["changes"]["priority"] == {"before": 0, "after": 3}
    assert each["changes"]["parameters"] == {"before": {}, "after": {"secret": "***"}}
    assert set(each["changes"]) == {"priority", "parameters", "schedule"}
    assert ([time.minute for time in each["next_before"]], [time.minute for time in each["next_after"]]) == (
        [0, 0, 0],
        [30, 30, 30],
    )
    assert "s3cr3t" not in repr(plan)


async def test_applying_makes_the_plan_true_and_leaves_nothing_to_do(make: Make) -> None:
    async with make(declaring(config("edited"), config("gone"))):
        pass
    application = make(declaring(config("edited", priority=3), config("new")))

    async with opened(application) as scheduler:
        plan = (await scheduler.plan_declared()).unwrap()
        applied = (await scheduler.apply_declared(plan["seen"])).unwrap()
        left = (await scheduler.plan_declared()).unwrap()
        listed = (await scheduler.list_tasks(module_id=MODULE)).unwrap()["tasks"]

    tasks = {task["name"]: (task["status"], task["priority"], task["owner"]) for task in listed}
    assert applied["counts"] == plan["counts"]
    assert set(actions(left).values()) == {"same"}
    assert tasks == {"edited": ("pending", 3, "code"), "new": ("pending", 0, "code"), "gone": ("paused", 0, "code")}


async def test_a_plan_that_is_no_longer_true_is_not_applied(make: Make) -> None:
    async with make(declaring(config("task"))):
        pass
    application = make(declaring(config("task", priority=3)))

    async with opened(application) as scheduler:
        seen = (await scheduler.plan_declared()).unwrap()["seen"]
        async with opened(make(declaring(config("task", priority=2)))) as somebody:
            (await somebody.apply_declared()).unwrap()
        refused = await scheduler.apply_declared(seen)
        (task,) = (await scheduler.list_tasks(module_id=MODULE)).unwrap()["tasks"]

    assert refused.error is not None
    assert (refused.error.code, task["priority"]) == ("PLAN_CHANGED", 2)


async def test_what_a_module_schedules_while_it_starts_is_left_alone(make: Make) -> None:
    async def schedule(scheduler: SchedulerService) -> None:
        (await scheduler.schedule_task(config("late", module_id=MODULE))).unwrap()

    async with make(declaring(config("task"), start=schedule)):
        pass
    application = make(declaring(start=schedule))

    plan = await planned(application)
    async with opened(application) as scheduler:
        (await scheduler.apply_declared()).unwrap()
        listed = (await scheduler.list_tasks(module_id=MODULE)).unwrap()["tasks"]

    assert actions(plan) == {"task": "remove", "late": "starting"}
    assert {task["name"]: task["status"] for task in listed} == {"task": "paused", "late": "pending"}


async def test_a_task_whose_function_is_registered_while_starting_waits_for_that_if_it_is_sound(make: Make) -> None:
    async def register(scheduler: SchedulerService) -> None:
        scheduler.register_function(MODULE, "later", work)

    later = {"function_name": "later"}
    module = declaring(config("task", **later), config("wrong", **later, cron="99 * * * *"), start=register)

    plan = await planned_after_start(make, module)
    async with make(module) as app_context:
        (task,) = await tasks_of(app_context, MODULE)

    assert (actions(plan), task["status"]) == ({"task": "later", "wrong": "refused"}, "pending")


async def planned_after_start(make: Make, module: Module) -> dict[str, Any]:
    async with make():
        pass
    return await planned(make(module))


async def test_a_refused_declaration_is_left_out_and_the_others_are_applied(make: Make) -> None:
    taken = config("taken", on_conflict="error")
    modules = declaring(config("sound"), config("broken", cron="99 * * * *"), taken)
    async with make(declaring(config("taken"))):
        pass

    async with make(modules) as app_context:
        health = await app_context.health()
        names = [task["name"] for task in await tasks_of(app_context, MODULE)]

    red = {name: check["code"] for name, check in health["checks"].items() if check["status"] != "healthy"}
    assert names == ["sound", "taken"]
    assert red == {f"{MODULE}: task 'broken'": "INVALID_CONFIG", f"{MODULE}: task 'taken'": "ALREADY_EXISTS"}


async def test_a_start_says_in_one_line_what_it_changed_and_in_one_each_which(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "modules.core.scheduler.applying")
    async with make(declaring(config("kept"))):
        first = caplog.messages
        caplog.clear()
    async with make(declaring(config("kept"))):
        second = list(caplog.messages)
    async with make(declaring(config("kept", priority=1))):
        third = caplog.messages

    assert f"added task kept of {MODULE}" in first
    assert second == []
    assert third == [
        "declared tasks: 0 added, 1 changed, 0 disabled, 1 the same, 0 refused",
        f"changed task kept of {MODULE}: priority",
    ]


async def test_cleanups_are_planned_as_tasks_are(make: Make) -> None:
    def module(interval: str) -> Declaring:
        def declare(app_context: AppContext) -> None:
            declare_function(app_context, "work", work)
            declare_cleanup(app_context, "old", {"function_name": "work", "cleanup_interval": interval})

        return Declaring(declare)

    async with make(module("1 hour")):
        pass

    same, changed = await planned(make(module("1 hour"))), await planned(make(module("2 hours")))
    gone = await planned(make(declaring()))

    (each,) = [each for each in changed["differences"] if each["name"] == "old"]
    assert (actions(same), each["action"]) == ({"old": "same"}, "change")
    assert each["changes"]["cleanup_interval"] == {"before": "1h", "after": "2h"}
    assert actions(gone) == {"cleanup old": "remove"}


async def test_settings_declare_tasks_and_cleanups_which_follow_them(make: Make) -> None:
    task = config("from settings", module_id=MODULE)
    cleanup = {"module_id": MODULE, "cleanup_type": "old", "function_name": "work"}

    async with make(declaring(), tasks=[task], cleanups=[cleanup]) as app_context:
        (added,) = await tasks_of(app_context, MODULE)
        cleanups = (await app_context.get_service(SchedulerService).list_cleanups(module_id=MODULE)).unwrap()
    async with make(declaring()) as app_context:
        (dropped,) = await tasks_of(app_context, MODULE)
        after = (await app_context.get_service(SchedulerService).list_cleanups(module_id=MODULE)).unwrap()

    assert (added["key"], added["owner"], added["status"]) == ("from settings", "code", "pending")
    assert (dropped["status"], dropped["status_reason"]) == ("paused", "NOT_DECLARED")
    assert [each["enabled"] for each in (*cleanups, *after)] == [True, False]


async def test_two_that_declare_the_same_task_are_named(make: Make) -> None:
    async with make(declaring(config("task")), tasks=[config("task", module_id=MODULE)]) as app_context:
        health = await app_context.health()

    check = health["checks"]["settings: task 'task'"]
    assert check["error"] == (
        f"declared task 'task' was refused: {MODULE} declares a task of this name as well; give one of them a key"
    )
