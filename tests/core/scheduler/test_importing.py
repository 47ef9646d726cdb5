"""Tasks out of one database and into another: all or none, known by key or id, and no secret on the way."""

from __future__ import annotations

import json
from typing import Any

import pytest
from declaring import Declaring, Started, tasks_of

from framework import AppContext
from modules.core.scheduler import SchedulerService, declare_function, declare_task
from modules.core.scheduler.transfer.own_files import FileError, as_text, from_text

MODULE = "acme.test"
SAME = ("key", "name", "trigger", "policies", "parameters", "next_execution", "timezone", "overlap", "tags", "owner")


async def work(*, secret: str = "", days: int = 1) -> None: ...


def config(name: str, **rest: Any) -> dict[str, Any]:
    return {"name": name, "module_id": MODULE, "function_name": "note", "key": name, "cron": "0 * * * *", **rest}


async def everything(node: Any) -> dict[str, dict[str, Any]]:
    tasks = (await node.scheduler.list_tasks(module_id=MODULE)).unwrap()["tasks"]
    return {task["id"]: {name: task[name] for name in SAME} | {"status": task["status"]} for task in tasks}


async def fill(node: Any) -> None:
    await node.add(cron="0 3 * * *", timezone="Europe/Berlin", parameters={"a": [1, {"b": True}], 'q"\n': "ü\x7f"})
    await node.add_every(90, name="often", key="often", tags=["x"], rate_limit="10/minute", paused=True)
    await node.add(name="monthly", interval_type="months", interval_value=1, end_date="2040-01-01T00:00:00Z")
    await node.add(name="once", schedule_time="2039-01-01T00:00:00Z", priority=7, timeout=3)
    await node.add(name="event", trigger={"type": "event", "event": "made", "where": {"kind": "x", "from": None}})
    done = await node.add(name="gone", cron="@daily")
    (await node.scheduler.cancel_task(done)).unwrap()


@pytest.mark.parametrize("form", ["json", "toml"])
async def test_an_export_imports_as_the_same_tasks(node: Any, form: str) -> None:
    await fill(node)
    before = {task_id: task for task_id, task in (await everything(node)).items() if task["status"] != "cancelled"}

    text = as_text((await node.scheduler.export_tasks()).unwrap(), form)
    await node.app_context.database.write(lambda c: c.exec_driver_sql("DELETE FROM scheduler_events"))
    imported = await node.scheduler.import_tasks(**configs(text, form))
    again = await node.scheduler.import_tasks(**configs(text, form))

    assert imported.unwrap()["counts"] == {"add": 5, "change": 0, "same": 0}
    assert again.unwrap()["counts"] == {"add": 0, "change": 0, "same": 5}
    assert await everything(node) == before


async def test_an_export_changes_nothing_where_it_came_from(node: Any) -> None:
    await fill(node)
    await node.add(name="nine", cron="0 9 * * *", timezone="Europe/Berlin", task_id="nine")
    skipped = (await node.scheduler.skip_next("nine")).unwrap()
    before = await everything(node)

    imported = await node.scheduler.import_tasks(
        **configs(as_text((await node.scheduler.export_tasks()).unwrap(), "json"), "json")
    )

    assert imported.unwrap()["counts"] == {"add": 0, "change": 0, "same": 6}
    assert await everything(node) == before
    assert (await node.task("nine"))["next_execution"] == skipped["next_execution"]


def configs(text: str, form: str) -> dict[str, Any]:
    read = from_text(text, form)
    return {"configs": read["tasks"], "cleanups": read["cleanups"]}


async def test_a_dry_run_shows_what_would_be_stored_and_stores_nothing(node: Any) -> None:
    await node.add(name="old", key="old", cron="0 * * * *")
    before = await everything(node)
    overseas = {"type": "cron", "expression": "0 9 * * *", "timezone": "America/New_York"}
    new = config("new", cron=None, trigger=overseas)

    shown = (await node.scheduler.import_tasks([config("old", priority=3), new], dry_run=True)).unwrap()

    old, new = shown["differences"]
    assert (old["action"], old["changes"]["priority"]) == ("change", {"before": 0, "after": 3})
    assert (new["action"], len(new["next_after"])) == ("add", 3)
    assert (old["timezone"], new["timezone"]) == ("UTC", "America/New_York")
    assert await everything(node) == before


async def test_one_that_is_wrong_keeps_all_out(node: Any) -> None:
    wrong = [
        config("sound"),
        config("wrong", cron="99 * * * *"),
        config("masked", parameters={"secret": "***"}),
        {name: value for name, value in config("nameless").items() if name != "key"},
        config("sound"),
    ]

    refused = await node.scheduler.import_tasks([wrong[0], wrong[1], wrong[4]])
    unfit = await node.scheduler.import_tasks(wrong[:1] + wrong[2:4])

    assert refused.error is not None
    assert unfit.error is not None
    assert refused.error.code == unfit.error.code == "INVALID_CONFIG"
    assert [(each["index"], each["field"]) for each in refused.error.details["problems"]] == [
        (1, "task 'wrong': cron"),
        (2, "task 'sound': key"),
    ]
    assert [each["field"] for each in unfit.error.details["problems"]] == [
        "task 'masked': parameters.secret",
        "task 'nameless': key",
    ]
    assert await everything(node) == {}


async def test_what_the_database_refuses_undoes_the_whole_import(node: Any) -> None:
    await node.add(name="taken", key="taken", cron="0 * * * *")

    refused = await node.scheduler.import_tasks([config("new"), config("taken", on_conflict="error")])

    assert refused.error is not None
    assert (refused.error.code, refused.error.message[:14]) == ("ALREADY_EXISTS", "task 'taken': ")
    assert [task["name"] for task in (await everything(node)).values()] == ["taken"]


async def test_an_imported_task_of_code_is_its_modules_once_that_declares_it(started: Started) -> None:
    def declare(app_context: AppContext) -> None:
        declare_function(app_context, "work", work)
        declare_task(app_context, {"name": "task", "function_name": "work", "cron": "0 * * * *"})

    async with started(Declaring(declare)) as app_context:
        scheduler = app_context.get_service(SchedulerService)
        (config,) = (await scheduler.export_tasks()).unwrap()["tasks"]
        await app_context.database.write(lambda c: c.exec_driver_sql("DELETE FROM scheduler_events"))
        (await scheduler.import_tasks([config])).unwrap()
    async with started(Declaring(declare)):
        pass
    async with started(Declaring(lambda _: None)) as app_context:
        (task,) = await tasks_of(app_context, "acme.declaring")

    assert (task["owner"], task["status_reason"]) == ("code", "NOT_DECLARED")


async def test_secrets_are_masked_in_an_export(node: Any) -> None:
    node.register("work", work, secret=["secret"])
    await node.add("work", cron="0 * * * *", parameters={"secret": "hunter2", "days": 3})

    exported = (await node.scheduler.export_tasks()).unwrap()

    assert exported["tasks"][0]["parameters"] == {"secret": "***", "days": 3}


async def test_an_export_may_be_of_one_module_or_one_owner(node: Any) -> None:
    await node.add(cron="0 * * * *")

    whole = (await node.scheduler.export_tasks(module_id=MODULE, owner="runtime")).unwrap()
    none = (await node.scheduler.export_tasks(owner="code")).unwrap()
    other = (await node.scheduler.export_tasks(module_id="acme.other")).unwrap()

    assert [len(each["tasks"]) for each in (whole, none, other)] == [1, 0, 0]


async def test_cleanups_travel_along(start_node: Any) -> None:
    node = await start_node()
    (await node.scheduler.register_cleanup_task(MODULE, "old", {"function_name": "note", "parameters": {}})).unwrap()

    exported = (await node.scheduler.export_tasks()).unwrap()
    (before,) = (await node.scheduler.list_cleanups(module_id=MODULE)).unwrap()
    (await node.scheduler.remove_cleanup(before["id"])).unwrap()
    (await node.scheduler.import_tasks(**configs(as_text(exported, "toml"), "toml"))).unwrap()
    (after,) = (await node.scheduler.list_cleanups(module_id=MODULE)).unwrap()

    assert exported["tasks"] == []
    assert after["config"] == before["config"]


def test_the_toml_of_the_settings_can_be_imported() -> None:
    read = from_text('[["core.scheduler".tasks]]\nname = "a"\n', "toml")

    assert read == {"tasks": [{"name": "a"}], "cleanups": []}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[1]", "this is no file of tasks"),
        ("{", "this is no JSON"),
        ('{"tasks": {}}', "tasks must be a list of objects"),
        ('{"version": 2, "tasks": []}', "version 2"),
        ('{"jobs": []}', "the keys jobs"),
        (json.dumps({"tasks": [1]}), "tasks must be a list of objects"),
    ],
)
def test_what_is_no_file_of_tasks_is_refused(text: str, told: str) -> None:
    with pytest.raises(FileError, match=told):
        from_text(text, "json")


def test_toml_has_no_null_and_says_so() -> None:
    document = {"version": 1, "tasks": [{"trigger": {"v": 1}, "parameters": {"a": None}}], "cleanups": []}

    with pytest.raises(FileError, match=r"tasks\.0\.parameters\.a is null"):
        as_text(document, "toml")


def test_a_filter_for_what_is_called_none_is_read_as_it_is() -> None:
    trigger = {"v": 1, "type": "event", "event": "e", "where": {"none": ["x"]}}
    document = {"version": 1, "tasks": [{"trigger": trigger}], "cleanups": []}

    assert from_text(as_text(document, "json"), "json")["tasks"] == document["tasks"]
    with pytest.raises(FileError, match="take JSON"):
        as_text(document, "toml")
