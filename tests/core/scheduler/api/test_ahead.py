"""What lies ahead and why, over HTTP."""

from __future__ import annotations

from typing import Any

from asking import HOURLY, Api


async def test_a_trigger_a_cron_and_a_config_are_previewed_and_nothing_is_stored(api: Api) -> None:
    by_cron = await api.post("/preview", trigger="0 * * * *", count=2)
    by_trigger = await api.post("/preview", trigger={"type": "interval", "hours": 1}, count=1)
    config = {"cron": "30 2 29 3 *", "timezone": "Europe/Berlin"}
    by_config = await api.post("/preview", config=config, count=1)

    assert [each["at"] for each in by_cron["times"]] == ["2026-01-05T13:00:00Z", "2026-01-05T14:00:00Z"]
    assert by_trigger["times"][0]["at"] == "2026-01-05T13:00:00Z"
    assert by_config["times"][0]["local"] == "2026-03-29T03:00:00+02:00"
    assert by_config["times"][0]["notes"]
    assert (await api.get("/tasks", module_id="acme.test"))["tasks"] == []
    assert (await api.post("/preview", 422, trigger="nonsense"))["code"] == "INVALID_TRIGGER"
    assert (await api.post("/preview", 422, count=1))["code"] == "INVALID_CONFIG"
    assert (await api.post("/preview", 422, config={"kron": "* * * * *"}))["code"] == "INVALID_CONFIG"


async def test_a_task_is_previewed_and_explained(api: Api, task_id: str) -> None:
    times = await api.get(f"/tasks/{task_id}/preview", count=3)
    now = await api.get(f"/tasks/{task_id}/explain")
    later = await api.get(f"/tasks/{task_id}/explain", at="2026-01-05T15:00")

    assert [each["at"][11:16] for each in times["times"]] == ["13:00", "14:00", "15:00"]
    assert (now["task_id"], now["at"], later["at"]) == (task_id, None, "2026-01-05T15:00:00Z")
    assert (await api.get(f"/tasks/{task_id}/explain", 422, at="soon"))["code"] == "INVALID_MOMENT"
    assert (await api.get("/tasks/nobody/preview", 404))["code"] == "TASK_NOT_FOUND"
    assert (await api.get("/tasks/nobody/explain", 404))["code"] == "TASK_NOT_FOUND"


async def test_the_next_hours_are_foreseen_and_supposed(api: Api, task_id: str) -> None:
    seen = await api.get("/forecast", hours=3)
    supposed = await api.post("/forecast", hours=3, what_if=[{"task": task_id, "remove": True}])

    assert (seen["total"], seen["what_if"]) == (3, None)
    assert (supposed["total"], supposed["what_if"]["before"]["total"]) == (0, 3)
    assert (await api.get("/forecast", 422, hours=0))["code"] == "INVALID_CONFIG"
    assert (await api.post("/forecast", 404, what_if=[{"task": "nobody", "priority": 1}]))["code"] == "TASK_NOT_FOUND"
    assert (await api.post("/forecast", 422, what_if=[{"nonsense": 1}]))["code"] == "INVALID_CONFIG"


async def test_what_will_surprise_somebody_is_found(api: Api) -> None:
    await api.post("/tasks", 201, **{**HOURLY, "cron": "30 2 * * *", "timezone": "Europe/Berlin"})

    found = await api.get("/lint")

    assert found["looked_at"] == 2
    assert found["findings"]


async def test_what_is_declared_is_planned_and_applied_as_it_was_seen(api: Api) -> None:
    plan = await api.get("/plan")

    applied = await api.post("/apply", seen=plan["seen"])

    assert applied["seen"] == plan["seen"]
    assert (await api.post("/apply", 409, seen="another"))["code"] == "PLAN_CHANGED"


async def test_tasks_are_taken_out_and_brought_in(api: Api, task_id: str, node: Any) -> None:
    exported = await api.get("/export", module_id="acme.test")
    task = {**exported["tasks"][0], "priority": 5}

    rehearsed = await api.post("/import", tasks=[task], dry_run=True)
    assert (await api.get(f"/tasks/{task_id}"))["priority"] == 0
    brought = await api.post("/import", tasks=[task])

    assert rehearsed["counts"] == brought["counts"] == {"add": 0, "change": 1, "same": 0}
    assert (await api.get(f"/tasks/{task_id}"))["priority"] == 5
    assert (await api.post("/import", 422, tasks=[{"name": "x"}]))["code"] == "INVALID_CONFIG"
