"""Executions over HTTP: the history by state and time, and one execution cancelled, explained, retried."""

from __future__ import annotations

from typing import Any

import pytest
from asking import HOURLY, Api


async def test_the_history_of_all_tasks_is_chosen_by_state_and_by_when_it_ended(api: Api, node: Any) -> None:
    node.register("break", lambda: 1 / 0)
    for name in ("note", "break"):
        await api.post("/tasks", 201, **{**HOURLY, "function_name": name, "task_id": name})
    for _ in range(2):
        await node.pass_time(3600)

    everything = await api.get("/executions")
    failed = await api.get("/executions", state="failed")
    late = await api.get("/executions", since="2026-01-05T13:30:00Z")
    early = await api.get("/executions", until="2026-01-05T13:30:00Z", state="succeeded")

    assert len(everything["executions"]) == 4
    assert {each["task_id"] for each in failed["executions"]} == {"break"}
    assert [each["end_time"] for each in late["executions"]] == ["2026-01-05T14:00:00Z"] * 2
    assert [(each["task_id"], each["end_time"]) for each in early["executions"]] == [("note", "2026-01-05T13:00:00Z")]


async def test_a_list_by_time_goes_on_where_its_cursor_says(api: Api, node: Any, task_id: str) -> None:
    for _ in range(5):
        await node.pass_time(3600)
    whole = await api.get("/executions", since="2026-01-05")
    first = await api.get("/executions", since="2026-01-05", limit=3)
    second = await api.get("/executions", since="2026-01-05", limit=3, cursor=first["next_cursor"])
    refused = await api.get("/executions", 422, cursor=first["next_cursor"])

    assert first["executions"] + second["executions"] == whole["executions"]
    assert second["next_cursor"] is None
    assert refused["code"] == "INVALID_CURSOR"


@pytest.mark.parametrize("path", ["/executions", "/counts/executions"])
@pytest.mark.parametrize("bound", ["since", "until"])
async def test_an_empty_moment_is_refused_like_any_other_that_cannot_be_read(api: Api, path: str, bound: str) -> None:
    assert (await api.get(path, 422, **{bound: ""}))["code"] == "INVALID_CONFIG"


async def test_an_id_that_no_text_can_hold_is_refused_and_shown_escaped(api: Api) -> None:
    body = rb'{"execution_ids": ["\ud800"]}'
    told = await api.ask("POST", "/executions/retry", content=body, headers={"content-type": "application/json"})

    assert [(each["id"], each["code"]) for each in told.json()["refused"]] == [("\\ud800", "EXECUTION_NOT_FOUND")]


async def test_an_execution_is_shown_cancelled_explained_and_retried(api: Api, node: Any, task_id: str) -> None:
    begun = await api.post(f"/tasks/{task_id}/execute", 202)
    path = f"/executions/{begun['execution_id']}"
    cancelled = await api.post(f"{path}/cancel")
    refused = await api.post(f"{path}/cancel", 409)
    explained = await api.get(f"{path}/explain")
    again = await api.post(f"{path}/retry", 202)
    await node.scheduler.run_due()
    done = await api.get(f"/executions/{again['execution_id']}")

    assert (cancelled["state"], refused["code"]) == ("cancelled", "INVALID_STATE")
    assert explained["execution_id"] == begun["execution_id"]
    assert (done["state"], done["attempt"], done["result"]) == ("succeeded", 2, {"run": 1})
    assert (await api.post(f"/executions/{done['id']}/retry", 409))["code"] == "INVALID_STATE"
    for path in ("/executions/nobody", "/executions/nobody/explain"):
        assert (await api.get(path, 404))["code"] == "EXECUTION_NOT_FOUND"
    for path in ("/executions/nobody/cancel", "/executions/nobody/retry"):
        assert (await api.post(path, 404))["code"] == "EXECUTION_NOT_FOUND"


async def test_occurrences_are_left_out_moved_run_late_and_given_an_end(api: Api, task_id: str, node: Any) -> None:
    one = f"/tasks/{task_id}"
    skipped = await api.post(f"{one}/skip-next", reason="holidays")
    shifted = await api.post(f"{one}/shift-next", to="2026-01-05T14:10")
    bounded = await api.post(f"{one}/run-until", until="2026-01-05T16:00:00Z")
    rehearsed = await api.post(f"{one}/backfill", 202, start="2026-01-05T09:00", end="2026-01-05T11:00", dry_run=True)
    placed = await api.post(f"{one}/backfill", 202, start="2026-01-05T09:00", end="2026-01-05T11:00")

    assert (skipped["scheduled_for"], shifted["scheduled_for"]) == ("2026-01-05T13:00:00Z", "2026-01-05T14:00:00Z")
    assert (shifted["due_at"], bounded["until"]) == ("2026-01-05T14:10:00Z", "2026-01-05T16:00:00Z")
    assert (rehearsed["placed"], rehearsed["executions"], placed["placed"]) == (3, [], 3)
    assert (await api.post(f"{one}/shift-next", 422, to="tomorrow"))["code"] == "INVALID_CONFIG"
    assert (await api.post(f"{one}/backfill", 422, start="1990", end="x"))["code"] == "INVALID_CONFIG"
    assert (await api.post("/tasks/nobody/skip-next", 404))["code"] == "TASK_NOT_FOUND"
