"""Cleanups over HTTP: registered, previewed, applied, run, reported, restored."""

from __future__ import annotations

from typing import Any

import pytest
from asking import Api
from expiring_sessions import OVER, count, fill, sessions
from sqlalchemy import MetaData


@pytest.fixture
async def cleanup_id(api: Api, node: Any) -> str:
    """A cleanup of three old rows, beside one that stays."""
    await fill(node.app_context.database, node.clock.now(), old=3, new=1)
    given = {"module_id": "acme.test", "cleanup_type": "sessions", "config": OVER}
    return str((await api.post("/cleanups", 201, **given))["cleanup_id"])


async def test_a_cleanup_is_shown_changed_and_removed(api: Api, cleanup_id: str) -> None:
    one = f"/cleanups/{cleanup_id}"
    shown = await api.get(one)
    listed = await api.get("/cleanups", module_id="acme.test")
    changed = (await api.ask("PATCH", one, 200, json={"enabled": False, "batch_size": 7})).json()
    refused = (await api.ask("PATCH", one, 422, json={"batchsize": 7})).json()
    removed = (await api.ask("DELETE", one, 200)).json()

    assert listed == {"cleanups": [shown]}
    assert (changed["enabled"], changed["config"]["batch_size"], refused["code"]) == (False, 7, "INVALID_CONFIG")
    assert removed == {"cleanup_id": cleanup_id, "status": "removed", "warnings": []}
    for method, path in (("GET", one), ("PATCH", one), ("DELETE", one), ("POST", f"{one}/run")):
        given = {"json": {}} if method == "PATCH" else {}
        assert (await api.ask(method, path, 404, **given)).json()["code"] == "CLEANUP_NOT_FOUND"


async def test_a_cleanup_is_counted_looked_at_and_applied_once(api: Api, cleanup_id: str, node: Any) -> None:
    plan = await api.post(f"/cleanups/{cleanup_id}/preview")
    path = f"/cleanup-plans/{plan['plan_id']}"
    assert await api.get(path) == plan
    assert (plan["matched"], await count(node.app_context.database)) == (3, 4)

    await api.post(f"{path}/confirm")
    applied = await api.post(f"{path}/apply")

    assert (applied["report"]["deleted"], await count(node.app_context.database)) == (3, 1)
    assert (await api.post(f"{path}/apply", 409))["code"] == "PLAN_USED"
    assert (await api.get("/cleanup-plans/nobody", 404))["code"] == "PLAN_NOT_FOUND"


async def test_a_dry_run_deletes_nothing_and_a_run_leaves_a_report(api: Api, cleanup_id: str, node: Any) -> None:
    one = f"/cleanups/{cleanup_id}"
    dry = await api.post(f"{one}/run", dry_run=True)
    assert await count(node.app_context.database) == 4
    frozen = await api.post("/cleanups/freeze", reason="an audit")
    refused = await api.post("/cleanups/run", 409, cleanup_type="sessions")
    await api.post("/cleanups/unfreeze")
    done = await api.post(f"{one}/run")
    reports = await api.get(f"{one}/reports")
    trend = await api.get(f"{one}/trend", days=2)

    assert (dry["total"]["matched"], done["total"]["deleted"]) == (3, 3)
    assert (frozen["reason"], refused["code"]) == ("an audit", "CLEANUPS_FROZEN")
    assert [each["dry_run"] for each in reports["reports"]] == [False, True]
    assert (await api.get("/cleanups/reports"))["reports"] == reports["reports"]
    assert (trend["total"]["deleted"], len(trend["days"])) == (3, 2)
    assert (await api.get(f"{one}/trend", 422, days=0))["code"] == "INVALID_CONFIG"


async def test_what_is_too_old_is_looked_for_only_when_asked(api: Api, cleanup_id: str) -> None:
    assert (await api.get("/cleanups/compliance"))["cleanups"] == []

    looked = await api.post("/cleanups/compliance")

    assert [each["compliant"] for each in looked["cleanups"]] == [False]
    assert await api.get("/cleanups/compliance") == looked


async def test_what_was_archived_comes_back(api: Api, cleanup_id: str, node: Any) -> None:
    one = f"/cleanups/{cleanup_id}"
    old = sessions.to_metadata(MetaData(), name="old_sessions")
    await node.app_context.database.write(old.create)
    await api.ask("PATCH", one, 200, json={"action": "archive", "archive_to": {"table": "old_sessions"}})
    await api.post(f"{one}/run")
    assert await count(node.app_context.database) == 1

    (archive,) = (await api.get(f"{one}/archives"))["archives"]
    restored = await api.post(f"{one}/restore", archive=archive["archive"])

    assert (archive["rows"], restored["restored"], await count(node.app_context.database)) == (3, 3, 4)
    assert (await api.post(f"{one}/restore", 404, archive="none"))["code"] == "ARCHIVE_NOT_FOUND"
    assert (await api.get("/cleanups/nobody/archives", 404))["code"] == "CLEANUP_NOT_FOUND"
