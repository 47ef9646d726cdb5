"""Nodes, queues, calendars, events and the state of things, over HTTP."""

from __future__ import annotations

from typing import Any

from asking import HOURLY, Api

from framework.caller import Caller, Door, calling


async def test_nodes_are_listed_and_drained(api: Api, node: Any) -> None:
    await node.scheduler.turn()
    (listed,) = (await api.get("/nodes"))["nodes"]

    drained = await api.post(f"/nodes/{listed['id']}/drain")
    undone = await api.post(f"/nodes/{listed['id']}/drain", undo=True)

    assert (listed["alive"], drained["draining_since"]) == (True, "2026-01-05T12:00:00Z")
    assert undone["draining_since"] is None
    assert (await api.post("/nodes/nobody/drain", 404))["code"] == "NODE_NOT_FOUND"


async def test_queues_and_everything_are_held_back_and_let_go(api: Api) -> None:
    paused = await api.post("/queues/mail/pause", reason="full")
    named = [each["name"] for each in (await api.get("/queues"))["queues"]]
    resumed = await api.post("/queues/mail/resume")
    held = await api.post("/pause-all", reason="move")
    beside = await api.post("/pause-all", module_id="acme.test")
    await api.post("/resume-all")
    await api.post("/resume-all", module_id="acme.test")

    assert (paused["reason"], named, resumed["paused_since"]) == ("full", ["default", "mail"], None)
    assert [each["scope"] for each in held["paused"]] == ["*"]
    assert {each["scope"] for each in beside["paused"]} == {"*", "acme.test"}
    assert (await api.get("/status"))["paused"] == []
    assert (await api.post("/queues/no%20name/pause", 422))["code"] == "INVALID_QUEUE"


async def test_a_queue_is_given_a_limit_and_loses_it(api: Api) -> None:
    limited = await api.ask("PATCH", "/queues/mail", 200, json={"limit": 2})
    refused = await api.ask("PATCH", "/queues/mail", 422, json={"limit": 0})
    unlimited = await api.ask("PATCH", "/queues/mail", 200, json={"limit": None})

    assert [limited.json()["limit"], unlimited.json()["limit"]] == [2, None]
    assert refused.json()["code"] == "INVALID_REQUEST"


async def test_an_event_sets_off_the_tasks_that_wait_for_it(api: Api, node: Any) -> None:
    waits = {name: HOURLY[name] for name in ("name", "module_id", "function_name")}
    await api.post("/tasks", 201, **waits, trigger={"type": "event", "event": "paid"})

    emitted = await api.post("/events", 202, event="paid", payload={"order": 7})

    assert emitted == {"event": "paid", "tasks": 1}
    (waiting,) = (await api.get("/executions"))["executions"]
    assert waiting["payload"] == {"order": 7}
    assert (await api.post("/events", 422, event="task.succeeded"))["code"] == "INVALID_EVENT"


async def test_calendars_are_listed_and_shown(api: Api, node: Any) -> None:
    node.scheduler.register_calendar("acme.test", "office", {"weekdays": "sat-sun"})
    await node.scheduler.apply_calendars()

    (listed,) = (await api.get("/calendars"))["calendars"]
    shown = await api.get("/calendars/office", days=7)

    assert listed["name"] == "office"
    assert shown["closed"] == [{"from": "2026-01-10T00:00:00Z", "to": "2026-01-12T00:00:00Z"}]
    assert (await api.get("/calendars/nothing", 404))["code"] == "CALENDAR_NOT_FOUND"
    assert (await api.get("/calendars/office", 422, after="soon"))["code"] == "INVALID_CONFIG"


async def test_functions_are_listed_with_the_schema_of_their_parameters(api: Api, node: Any) -> None:
    def report(*, title: str, pages: int = 1, token: str = "x") -> None:
        """Write a report."""

    node.register("report", report, api=True, secret=["token"])

    functions = {each["function_name"]: each for each in (await api.get("/functions"))["functions"]}

    assert functions["note"]["api"] is False
    assert (functions["report"]["api"], functions["report"]["description"]) == (True, "Write a report.")
    schema = functions["report"]["parameters"]
    assert (schema["required"], schema["properties"]["token"]["writeOnly"]) == (["title"], True)


async def test_it_says_what_it_is_and_what_it_does(api: Api, task_id: str) -> None:
    info = await api.get("/info")
    status = await api.get("/status")

    assert (info["name"], info["api_version"], info["timezone"]) == ("chamberlain", "v1", "UTC")
    assert info["modules"] == ["core.scheduler"]
    assert task_id in [each["id"] for each in status["upcoming"]]


async def test_what_somebody_changed_over_http_is_in_the_audit(api: Api, task_id: str) -> None:
    with calling(Caller("eve", Door.API)):
        await api.post(f"/tasks/{task_id}/pause", reason="lunch")

    page = await api.get("/audit", target=task_id, action="pause")

    (entry,) = page["entries"]
    assert (entry["actor"], entry["door"], entry["after"]["status"]) == ("eve", "api", "paused")
    assert (await api.get("/audit", actor="adam"))["entries"] == []
    assert (await api.get("/audit", 422, since="soon"))["code"] == "INVALID_CONFIG"
