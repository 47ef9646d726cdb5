"""Modules declare functions, tasks and cleanups in phase one, or register them in phase two; both appear."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from declaring import Declaring, Started, tasks_of

from framework import AppContext, Module
from framework.errors import WrongPhase
from framework.testing import FakeClock
from modules.core.scheduler import SchedulerService, declare_cleanup, declare_function, declare_task

EVERY_MINUTE = {"recurring": True, "interval_type": "minutes", "interval_value": 1}


class HelloModule(Module):
    id = "acme.hello"
    requires = ("core.scheduler",)

    def register(self, app_context: AppContext) -> None:
        declare_function(app_context, "hello", self.hello)
        task = {"name": "Hello", "function_name": "hello", "parameters": {"name": "you"}, "cron": "* * * * *"}
        declare_task(app_context, task)

    async def hello(self, *, name: str) -> str:
        return f"hello {name}"


async def work() -> None: ...


def declare_work(app_context: AppContext) -> None:
    declare_function(app_context, "work", work)
    declare_task(app_context, {"name": "declared", "function_name": "work", **EVERY_MINUTE})
    declare_cleanup(app_context, "declared", {"function_name": "work"})


async def schedule_work(scheduler: SchedulerService) -> None:
    names = {"name": "scheduled", "module_id": "acme.declaring", "function_name": "work"}
    (await scheduler.schedule_task({**names, **EVERY_MINUTE})).unwrap()
    (await scheduler.register_cleanup_task("acme.declaring", "registered", {"function_name": "work"})).unwrap()


async def test_a_hello_module_of_fifteen_lines_runs(started: Started) -> None:
    clock = FakeClock()
    lines = [line for line in inspect.getsource(HelloModule).splitlines() if line.strip()]

    async with started(HelloModule(), clock=clock) as app_context:
        clock.advance(60)
        scheduler = app_context.get_service(SchedulerService)
        await scheduler.run_due()
        (execution,) = (await scheduler.get_executions()).unwrap()["executions"]

    assert len(lines) <= 15
    assert (execution["state"], execution["result"]) == ("succeeded", "hello you")


async def test_what_is_declared_and_what_is_registered_later_both_appear(started: Started) -> None:
    async with started(Declaring(declare_work, schedule_work)) as app_context:
        tasks = await tasks_of(app_context, "acme.declaring")
        cleanups = (await app_context.get_service(SchedulerService).list_cleanups(module_id="acme.declaring")).unwrap()
        health = await app_context.health()

    assert [task["name"] for task in tasks] == ["declared", "scheduled"]
    assert [each["cleanup_type"] for each in cleanups] == ["declared", "registered"]
    assert health["status"] == "healthy"


async def test_both_are_the_codes_own_and_their_names_are_their_keys(started: Started) -> None:
    async with started(Declaring(declare_work, schedule_work)) as app_context:
        tasks = await tasks_of(app_context, "acme.declaring")

    assert [(task["owner"], task["key"]) for task in tasks] == [("code", "declared"), ("code", "scheduled")]


async def test_a_second_start_changes_nothing(started: Started) -> None:
    clock = FakeClock()
    async with started(Declaring(declare_work, schedule_work), clock=clock) as app_context:
        before = await tasks_of(app_context, "acme.declaring") + await tasks_of(app_context, "core.scheduler")
    clock.advance(30)

    async with started(Declaring(declare_work, schedule_work), clock=clock) as app_context:
        after = await tasks_of(app_context, "acme.declaring") + await tasks_of(app_context, "core.scheduler")

    assert after == before


async def test_a_declared_task_that_is_refused_turns_health_red_and_stops_no_other(started: Started) -> None:
    def declare(app_context: AppContext) -> None:
        declare_function(app_context, "work", work)
        declare_task(app_context, {"name": "broken", "function_name": "wrok", **EVERY_MINUTE})
        declare_task(app_context, {"name": "sound", "function_name": "work", **EVERY_MINUTE})

    async with started(Declaring(declare)) as app_context:
        tasks = await tasks_of(app_context, "acme.declaring")
        health = await app_context.health()

    check = health["checks"]["acme.declaring: task 'broken'"]
    assert [task["name"] for task in tasks] == ["sound"]
    assert (health["status"], check["code"]) == ("unhealthy", "INVALID_CONFIG")
    assert "did you mean 'acme.declaring:work'?" in check["error"]


async def test_a_declared_cleanup_that_is_refused_turns_health_red(started: Started) -> None:
    def declare(app_context: AppContext) -> None:
        declare_cleanup(app_context, "sessions", {"table_name": "nowhere", "date_column": "at"})

    async with started(Declaring(declare)) as app_context:
        health = await app_context.health()

    assert health["checks"]["acme.declaring: cleanup 'sessions'"]["status"] == "unhealthy"


async def test_a_declared_function_that_is_refused_takes_no_other_module_along(started: Started) -> None:
    def declare(app_context: AppContext) -> None:
        declare_function(app_context, "not a name", work)

    async with started(Declaring(declare), HelloModule()) as app_context:
        hello = await tasks_of(app_context, "acme.hello")
        health = await app_context.health()

    assert [task["name"] for task in hello] == ["Hello"]
    assert health["checks"]["acme.declaring: function 'not a name'"]["code"] == "INVALID_FUNCTION"


async def test_the_declarations_of_a_module_that_failed_are_dropped(started: Started) -> None:
    def declare(app_context: AppContext) -> None:
        declare_work(app_context)
        raise RuntimeError("it cannot register")

    async with started(Declaring(declare)) as app_context:
        tasks = await tasks_of(app_context, "acme.declaring")
        health = await app_context.health()

    assert tasks == []
    assert health["modules"]["acme.declaring"]["status"] == "unhealthy"


async def test_declaring_belongs_to_phase_one(started: Started) -> None:
    async with started() as app_context:
        with pytest.raises(WrongPhase):
            declare_task(app_context, {"name": "late", "function_name": "work", **EVERY_MINUTE})


async def test_nothing_of_a_module_that_failed_to_start_is_carried_out(started: Started) -> None:
    ran: list[str] = []

    def declare(app_context: AppContext) -> None:
        declare_function(app_context, "work", lambda: ran.append("work"))
        declare_task(app_context, {"name": "declared", "function_name": "work", **EVERY_MINUTE})

    def fail(_scheduler: Any) -> None:
        raise RuntimeError("disk is gone")

    async with started(Declaring(declare)):
        pass
    async with started(Declaring(declare, fail)) as app_context:
        app_context.get_service(FakeClock).advance(60)
        scheduler = app_context.get_service(SchedulerService)
        await scheduler.run_due()
        (listed,) = await tasks_of(app_context, "acme.declaring")
        task = (await scheduler.get_task(listed["id"])).unwrap()

    assert ran == []
    assert task["blocked_reason"] == "FUNCTION_NOT_REGISTERED"
