"""Every endpoint of tasks answers with the shape and the code that it promises."""

from __future__ import annotations

from typing import Any

from asking import HOURLY, Api

PROMISED = """id name description module_id function_name parameters status recurring interval_type interval_value
    created_at next_execution last_execution execution_count max_executions last_error"""


async def test_a_task_is_scheduled_shown_and_listed(api: Api) -> None:
    scheduled = await api.post("/tasks", 201, **HOURLY, parameters={"a": [1, None, "ä"]})

    task = await api.get(f"/tasks/{scheduled['task_id']}")
    page = await api.get("/tasks", module_id="acme.test")

    assert scheduled["status"] == "scheduled"
    assert set(task) >= set(PROMISED.split())
    assert (task["parameters"], task["next_execution"]) == ({"a": [1, None, "ä"]}, "2026-01-05T13:00:00Z")
    assert page == {"tasks": [task], "next_cursor": None}


async def test_what_is_made_is_found_where_the_answer_says(api: Api, node: Any) -> None:
    task = await api.ask("POST", "/tasks", 201, json={**HOURLY, "task_id": "a:b@c"})
    config = {"function_name": "tidy", "cleanup_interval": "1 hour"}
    node.register("tidy", lambda: None, api=True)
    given = {"module_id": "acme.test", "cleanup_type": "tidy", "config": config}
    cleanup = await api.ask("POST", "/cleanups", 201, json=given)

    found = [await api.client.get(each.headers["location"]) for each in (task, cleanup)]

    assert [each.json()["id"] for each in found] == ["a:b@c", cleanup.json()["cleanup_id"]]


async def test_tasks_are_scheduled_all_or_none(api: Api) -> None:
    refused = await api.post("/tasks/batch", 422, tasks=[HOURLY, {**HOURLY, "cron": "nonsense"}])
    assert (refused["code"], refused["details"]["index"]) == ("INVALID_CONFIG", 1)
    assert await names(api) == []

    done = await api.post("/tasks/batch", 201, tasks=[HOURLY, {**HOURLY, "name": "another"}])

    assert [each["status"] for each in done["tasks"]] == ["scheduled", "scheduled"]
    assert await names(api) == ["another", "hourly"]


async def test_a_task_is_paused_resumed_run_and_cancelled(api: Api, task_id: str, node: Any) -> None:
    assert (await api.post(f"/tasks/{task_id}/pause", reason="holidays"))["status"] == "paused"
    assert (await api.get(f"/tasks/{task_id}"))["status_reason"] == "holidays"
    assert (await api.post(f"/tasks/{task_id}/resume"))["status"] == "resumed"
    begun = await api.post(f"/tasks/{task_id}/execute", 202)
    await node.scheduler.run_due()
    history = await api.get(f"/tasks/{task_id}/executions")
    gone = (await api.ask("DELETE", f"/tasks/{task_id}", 200)).json()

    assert begun["status"] == "running"
    assert [each["id"] for each in history["executions"]] == [begun["execution_id"]]
    assert gone["status"] == "cancelled"
    assert (await api.get(f"/tasks/{task_id}"))["status"] == "cancelled"


async def test_a_task_is_changed_field_by_field(api: Api, task_id: str) -> None:
    changed = await api.ask("PATCH", f"/tasks/{task_id}", 200, json={"priority": 7, "cron": "30 * * * *"})

    assert (changed.json()["priority"], changed.json()["name"]) == (7, "hourly")
    assert changed.json()["next_execution"] == "2026-01-05T12:30:00Z"


REFUSALS: tuple[tuple[str, str, Any, int, str], ...] = (
    ("GET", "/tasks/nobody", None, 404, "TASK_NOT_FOUND"),
    ("GET", "/tasks/%2e%2e%2f%2e%2e%2fetc", None, 404, "NOT_FOUND"),
    ("PATCH", "/tasks/nobody", {"priority": 1}, 404, "TASK_NOT_FOUND"),
    ("DELETE", "/tasks/nobody", None, 404, "TASK_NOT_FOUND"),
    ("GET", "/tasks/nobody/executions", None, 404, "TASK_NOT_FOUND"),
    ("POST", "/tasks/nobody/execute", None, 404, "TASK_NOT_FOUND"),
    ("POST", "/tasks", {"name": "x"}, 422, "INVALID_CONFIG"),
    ("POST", "/tasks", {**HOURLY, "function_name": "nothing"}, 422, "INVALID_CONFIG"),
    ("POST", "/tasks", {**HOURLY, "task_id": "taken", "on_conflict": "error"}, 409, "ALREADY_EXISTS"),
    ("POST", "/tasks", ["no", "object"], 422, "INVALID_REQUEST"),
    ("POST", "/tasks", None, 422, "INVALID_REQUEST"),
    ("POST", "/tasks/taken/pause", {"raeson": "misspelt"}, 422, "INVALID_REQUEST"),
    ("POST", "/tasks/gone/pause", None, 409, "INVALID_STATE"),
    ("POST", "/tasks/gone/resume", None, 409, "INVALID_STATE"),
    ("POST", "/tasks/gone/execute", None, 409, "INVALID_STATE"),
    ("POST", "/tasks/busy/execute", None, 409, "OVERLAP"),
    ("PATCH", "/tasks/gone", {"cron": "1 * * * *"}, 409, "INVALID_STATE"),
    ("PATCH", "/tasks/taken", {"prioritaet": 1}, 422, "INVALID_CONFIG"),
    ("GET", "/tasks?limit=501", None, 422, "INVALID_LIMIT"),
    ("GET", "/tasks?limit=many", None, 422, "INVALID_REQUEST"),
    ("GET", "/tasks?cursor=nonsense", None, 422, "INVALID_CURSOR"),
    ("GET", "/tasks?stauts=failed", None, 422, "INVALID_REQUEST"),
    ("PUT", "/tasks", None, 405, "METHOD_NOT_ALLOWED"),
    ("GET", "/nowhere", None, 404, "NOT_FOUND"),
)


async def test_a_refusal_has_its_status_and_code(api: Api) -> None:
    for task_id in ("taken", "gone", "busy"):
        await api.post("/tasks", 201, **HOURLY, task_id=task_id)
    await api.ask("DELETE", "/tasks/gone", 200)
    await api.post("/tasks/busy/execute", 202)

    for method, path, body, status, code in REFUSALS:
        problem = (await api.ask(method, path, status, **({} if body is None else {"json": body}))).json()

        assert (problem["code"], problem["status"]) == (code, status), (method, path)
        assert set(problem) == {"type", "title", "status", "detail", "code", "details"}


async def test_parameters_larger_than_a_million_bytes_are_refused_and_nothing_is_stored(api: Api) -> None:
    told = await api.post("/tasks", 422, **HOURLY, parameters={"text": "x" * 1_000_000})

    assert "at most 1,000,000 are allowed" in told["detail"]
    assert (await api.get("/tasks", module_id="acme.test"))["tasks"] == []


async def test_every_combination_of_filters_is_handed_on(api: Api, node: Any) -> None:
    await api.post("/tasks", 201, **HOURLY, tags=["night"])
    await api.post("/tasks", 201, **{**HOURLY, "name": "held"}, paused=True)
    await api.post("/tasks", 201, name="once", module_id="acme.test", function_name="note", delay=60)

    assert await names(api, recurring=True) == ["held", "hourly"]
    assert await names(api, recurring=True, status="paused") == ["held"]
    assert await names(api, recurring=False, module_id="acme.test", function_name="note") == ["once"]
    assert await names(api, tag="night", search="HOUR") == ["hourly"]
    assert await names(api, tag="night", status="paused") == []


async def test_a_list_goes_on_where_its_cursor_says(api: Api) -> None:
    for number in range(5):
        await api.post("/tasks", 201, **{**HOURLY, "name": f"task {number}"})
    seen, cursor = [], {}
    while True:
        page = await api.get("/tasks", module_id="acme.test", limit=2, **cursor)
        seen += [task["name"] for task in page["tasks"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}

    assert seen == [f"task {number}" for number in reversed(range(5))]


async def names(api: Api, **filters: Any) -> list[str]:
    page = await api.get("/tasks", **{"module_id": "acme.test", **filters})
    return sorted(task["name"] for task in page["tasks"])
