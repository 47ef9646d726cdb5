"""What can be called by name, many at a time, alerts, and health, over HTTP."""

from __future__ import annotations

from typing import Any

from asking import HOURLY, Api, asked

from framework.caller import Caller, Door, Scope, calling


async def test_an_operation_is_called_by_name_behind_the_scope_that_it_needs(api: Api, task_id: str) -> None:
    names = [each["name"] for each in (await api.get("/operations"))["operations"]]
    listed = await api.post("/operations/scheduler.list_tasks", module_id="acme.test")
    with calling(Caller("eve", Door.API, frozenset({Scope.READ}))):
        read = await api.post("/operations/scheduler.list_tasks", limit=1, trigger="cron")
        refused = await api.post("/operations/scheduler.cancel_task", 403, task_id=task_id)
        scheduled = await api.post("/operations/scheduler.schedule_task", 403, **HOURLY)
    unknown = await api.post("/operations/scheduler.forget", 404, task_id=task_id)
    wrong = await api.post("/operations/scheduler.cancel_task", 422, id=task_id)

    assert len(names) == 7
    assert ([task["id"] for task in listed["data"]["tasks"]], len(read["data"]["tasks"])) == ([task_id], 1)
    assert {refused["code"], scheduled["code"]} == {"FORBIDDEN"}
    assert (unknown["code"], wrong["code"]) == ("UNKNOWN_OPERATION", "INVALID_CONFIG")


async def test_alerts_are_listed_with_what_each_has_gathered(start_node: Any) -> None:
    node = await start_node(alerts=[{"name": "on call"}, {"name": "quiet", "on": ["lost"]}])
    node.register("fail", lambda: 1 / 0)
    await node.add("fail")
    await node.scheduler.run_due()

    async with asked(node.app_context) as api:
        called, quiet = (await api.get("/alerts"))["alerts"]

    assert (called["rule"], called["waiting"]["count"], called["sending"]) == ("on call", 1, None)
    assert called["every"] == 3600
    assert (quiet["rule"], quiet["on"], quiet["waiting"]) == ("quiet", ["lost"], None)


async def test_health_answers_below_the_prefix_too(api: Api) -> None:
    answers = [await api.get(f"/health/{name}") for name in ("live", "ready", "started")]

    assert answers == [{"status": each} for each in ("alive", "ready", "started")]


async def test_executions_are_retried_many_at_a_time(api: Api, node: Any) -> None:
    node.register("fail", lambda: 1 / 0)
    failed = [await node.add("fail") for _ in range(2)]
    await node.scheduler.run_due()
    ids = [(await node.history(task_id))[0]["id"] for task_id in failed]

    answer = await api.post("/executions/retry", execution_ids=[*ids, "none"])

    assert ([each["id"] for each in answer["retried"]], answer["refused"][0]["code"]) == (ids, "EXECUTION_NOT_FOUND")
    assert [await node.states(task_id) for task_id in failed] == [["failed", "pending"]] * 2
