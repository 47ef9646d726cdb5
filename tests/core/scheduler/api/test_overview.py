"""How it stands, over HTTP: the overview, failures, runs, attempts, counts."""

from __future__ import annotations

from typing import Any

from asking import HOURLY, Api


async def test_the_overview_says_in_a_sentence_what_is_wrong(api: Api, node: Any, task_id: str) -> None:
    await node.scheduler.turn()
    calm = await api.get("/overview")
    await api.post("/pause-all")
    held = await api.get("/overview")

    assert calm["verdict"] == {"kind": "good", "text": "All 2 tasks on time."}
    assert held["verdict"] == {"kind": "warn", "text": "Everything is paused."}
    assert (calm["tasks"], calm["attention"]) == ({"count": 2, "is_cut": False}, [])


async def test_a_failure_is_listed_once_ignored_and_shown_again(api: Api, node: Any) -> None:
    def breaks(limit: int = 1) -> None:
        raise RuntimeError(f"order {limit} cannot be read")

    node.scheduler.register_function("acme.test", "breaks", breaks, api=True)
    once = {"name": "Once", "module_id": "acme.test", "function_name": "breaks", "max_retries": 1, "retry_delay": 0}
    task_id = (await api.post("/tasks", 201, **once, schedule_time="now"))["task_id"]
    await node.scheduler.run_due()

    (failure,) = (await api.get("/failures"))["failures"]
    ignored = await api.post(f"/failures/{failure['id']}/ignore", until=failure["last"])
    (hidden,) = (await api.get("/failures"))["failures"]
    shown = await api.post(f"/failures/{failure['id']}/ignore", until=None)

    assert (failure["count"], failure["task_id"], failure["ignored"]) == (2, task_id, False)
    assert (ignored, hidden["ignored"]) == ({"id": failure["id"], "until": failure["last"]}, True)
    assert shown["until"] is None
    assert (await api.get("/failures", 422, window="1y"))["code"] == "INVALID_WINDOW"
    attempts = (await api.get(f"/executions/{failure['newest']}/attempts"))["attempts"]
    assert [(each["attempt"], each["state"]) for each in attempts] == [(1, "failed"), (2, "failed")]
    assert (await api.get("/executions/nothing/attempts", 404))["code"] == "EXECUTION_NOT_FOUND"
    assert await api.get("/counts/executions", state="failed") == {"count": 2, "is_cut": False}
    assert (await api.get("/counts/executions", state="failed", last_only=True))["count"] == 1
    assert (await api.get("/counts/executions", 404, task="nobody"))["code"] == "TASK_NOT_FOUND"


async def test_what_ran_is_asked_for_by_task(api: Api, node: Any) -> None:
    task_id = (await api.post("/tasks", 201, **HOURLY | {"task_id": "hourly"}))["task_id"]
    run = await api.post(f"/tasks/{task_id}/execute", 202)
    await node.scheduler.run_due()

    ran = await api.get("/runs/tasks", since="2026-01-05T00:00:00Z")
    runs = (await api.post("/runs", task_ids=[task_id], since="2026-01-05T00:00:00Z"))["runs"]

    assert [each["id"] for each in ran["tasks"]] == [task_id]
    assert [each["id"] for each in runs[task_id]] == [run["execution_id"]]
    assert (await api.get("/runs/tasks", 422, since="2026-01-05T00:00"))["code"] == "INVALID_REQUEST"
