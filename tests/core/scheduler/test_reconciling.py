"""Tasks of code follow the code: what it declares no more is disabled and exported; those of runtime stay."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from declaring import Declaring, Started, tasks_of

from framework import AppContext
from framework.testing import FakeClock
from modules.core.scheduler import SchedulerService, declare_cleanup, declare_function, declare_task

HOURLY = {"cron": "0 * * * *"}


async def work(*, secret: str = "", days: int = 1) -> None: ...


def declaring(*names: str, **config: Any) -> Callable[[AppContext], None]:
    def declare(app_context: AppContext) -> None:
        declare_function(app_context, "work", work, secret=["secret"])
        for name in names:
            declare_task(app_context, {"name": name, "function_name": "work", **HOURLY, **config})

    return declare


async def states(app_context: AppContext, module_id: str = "acme.declaring") -> dict[str, tuple[str, str | None]]:
    return {each["name"]: (each["status"], each["status_reason"]) for each in await tasks_of(app_context, module_id)}


async def test_a_task_that_code_declares_no_more_is_disabled_and_its_history_stays(started: Started) -> None:
    clock = FakeClock()
    async with started(Declaring(declaring("kept", "dropped")), clock=clock) as app_context:
        clock.advance(3_600)
        scheduler = app_context.get_service(SchedulerService)
        await scheduler.run_due()

    async with started(Declaring(declaring("kept")), clock=clock) as app_context:
        after = await states(app_context)
        clock.advance(7_200)
        scheduler = app_context.get_service(SchedulerService)
        await scheduler.run_due()
        (dropped,) = (await scheduler.list_tasks(search="dropped")).unwrap()["tasks"]
        history = (await scheduler.get_executions(dropped["id"])).unwrap()["executions"]

    assert after == {"kept": ("pending", None), "dropped": ("paused", "NOT_DECLARED")}
    assert [each["state"] for each in history] == ["succeeded"]


async def test_what_is_disabled_is_exported_as_a_config_without_its_secrets(started: Started, tmp_path: Path) -> None:
    parameters = {"secret": "hunter2", "days": 3}
    async with started(Declaring(declaring("dropped", parameters=parameters, priority=7))):
        pass
    async with started(Declaring(declaring())):
        pass

    (file,) = (tmp_path / "exports").iterdir()
    (config,) = json.loads(file.read_text())["tasks"]
    assert file.stat().st_mode & 0o777 == 0o600
    assert "hunter2" not in file.read_text()
    assert (config["name"], config["priority"], config["parameters"]["days"]) == ("dropped", 7, 3)
    assert config["trigger"]["expression"] == "0 * * * *"


async def test_an_exported_config_schedules_the_same_task_again(started: Started, tmp_path: Path) -> None:
    clock = FakeClock()
    async with started(Declaring(declaring("dropped", parameters={"days": 3})), clock=clock) as app_context:
        (before,) = await tasks_of(app_context, "acme.declaring")
    async with started(Declaring(declaring()), clock=clock) as app_context:
        (file,) = (tmp_path / "exports").iterdir()
        (config,) = json.loads(file.read_text())["tasks"]
        scheduler = app_context.get_service(SchedulerService)
        again = {name: config[name] for name in config.keys() - {"task_id", "key", "owner", "paused"}}
        created = (await scheduler.schedule_task(again)).unwrap()
        after = (await scheduler.get_task(created["task_id"])).unwrap()

    same = ("trigger", "policies", "parameters", "next_execution", "timezone", "overlap", "tags")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}


async def test_a_task_that_code_declares_again_goes_on_from_now(started: Started) -> None:
    clock = FakeClock()
    async with started(Declaring(declaring("task")), clock=clock) as app_context:
        (first,) = await tasks_of(app_context, "acme.declaring")
    async with started(Declaring(declaring()), clock=clock):
        clock.advance(86_400)
    async with started(Declaring(declaring("task")), clock=clock) as app_context:
        (again,) = await tasks_of(app_context, "acme.declaring")
        scheduler = app_context.get_service(SchedulerService)
        await scheduler.run_due()
        history = (await scheduler.get_executions(again["id"])).unwrap()["executions"]

    assert (again["id"], again["status"], again["owner"]) == (first["id"], "pending", "code")
    assert again["next_execution"] > clock.now()
    assert [(row["state"], row["reason"]) for row in history] == [("skipped", "TASK_PAUSED")]  # what passed meanwhile


async def test_an_edit_in_code_updates_the_task(started: Started) -> None:
    async with started(Declaring(declaring("task", priority=1))) as app_context:
        (before,) = await tasks_of(app_context, "acme.declaring")
    async with started(Declaring(declaring("task", priority=2))) as app_context:
        (after,) = await tasks_of(app_context, "acme.declaring")

    assert (after["id"], before["priority"], after["priority"]) == (before["id"], 1, 2)


async def test_tasks_of_runtime_are_never_touched(started: Started) -> None:
    made = {"name": "made", "module_id": "acme.declaring", "function_name": "work", "key": "made", **HOURLY}
    async with started(Declaring(declaring("declared"))) as app_context:
        (await app_context.get_service(SchedulerService).schedule_task(made)).unwrap()
        before = {task["name"]: task for task in await tasks_of(app_context, "acme.declaring")}

    async with started(Declaring(declaring())) as app_context:
        after = {task["name"]: task for task in await tasks_of(app_context, "acme.declaring")}

    assert after["made"] == before["made"]
    assert (after["made"]["owner"], after["declared"]["status"]) == ("runtime", "paused")


async def test_a_module_that_does_not_run_keeps_its_tasks(started: Started) -> None:
    async def fails(_: SchedulerService) -> None:
        raise RuntimeError("no")

    async with started(Declaring(declaring("task"))):
        pass
    async with started(Declaring(declaring(), fails)) as app_context:
        failed = await states(app_context)
    async with started() as app_context:
        absent = await states(app_context)

    assert failed == absent == {"task": ("pending", None)}


async def test_a_module_whose_declaration_is_refused_keeps_its_tasks(started: Started) -> None:
    async with started(Declaring(declaring("task"))):
        pass
    async with started(Declaring(declaring("task", parameters={"days": "many"}))) as app_context:
        after = await states(app_context)

    assert after == {"task": ("pending", None)}


async def test_a_task_that_an_operator_resumes_is_runtimes_from_then_on(started: Started) -> None:
    async with started(Declaring(declaring("task"))):
        pass
    async with started(Declaring(declaring())) as app_context:
        (task,) = await tasks_of(app_context, "acme.declaring")
        resumed = (await app_context.get_service(SchedulerService).resume_task(task["id"])).unwrap()
    async with started(Declaring(declaring())) as app_context:
        after = await states(app_context)

    assert (resumed["owner"], after) == ("runtime", {"task": ("pending", None)})


async def test_a_task_that_an_operator_paused_stays_as_he_left_it(started: Started) -> None:
    async with started(Declaring(declaring("task"))) as app_context:
        (task,) = await tasks_of(app_context, "acme.declaring")
        await app_context.get_service(SchedulerService).pause_task(task["id"], "for now")
    async with started(Declaring(declaring())) as app_context:
        gone = await states(app_context)
    async with started(Declaring(declaring("task"))) as app_context:
        back = await states(app_context)

    assert gone == back == {"task": ("paused", "for now")}


async def test_a_cleanup_that_code_registers_no_more_is_disabled_until_it_is_back(started: Started) -> None:
    def declare(app_context: AppContext) -> None:
        declare_function(app_context, "work", work)
        declare_cleanup(app_context, "old", {"function_name": "work"})

    enabled = []
    for declaration in (declare, declaring(), declare):
        async with started(Declaring(declaration)) as app_context:
            scheduler = app_context.get_service(SchedulerService)
            (cleanup,) = (await scheduler.list_cleanups(module_id="acme.declaring")).unwrap()
            enabled.append(cleanup["enabled"])

    assert enabled == [True, False, True]


async def test_an_export_that_cannot_be_written_says_so_and_disables_all_the_same(
    started: Started, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with started(Declaring(declaring("task"))):
        pass
    (tmp_path / "exports").write_text("a file where the folder should be")
    async with started(Declaring(declaring())) as app_context:
        after = await states(app_context)

    assert after == {"task": ("paused", "NOT_DECLARED")}
    assert "not exported" in caplog.text
