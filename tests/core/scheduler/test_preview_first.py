"""Where a person looks first, a new or changed policy deletes nothing until a plan of it was applied or confirmed."""

from __future__ import annotations

from typing import Any

import pytest
from cleanup_plans import add_old, planned
from expiring_sessions import count, register, reports

from modules.core.scheduler.cleanup_runs import AWAITS_PREVIEW, CleanupRuns

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

HOUR = 3600.0


async def test_a_new_policy_runs_dry_until_a_plan_of_it_was_confirmed(node: Any) -> None:
    plan = await planned(node, preview_first=True)
    dry = (await node.scheduler.run_cleanup("sessions")).unwrap()["reports"][0]
    (before, *_) = (await node.scheduler.list_cleanups(module_id="acme.test")).unwrap()

    shown = (await node.scheduler.confirm_cleanup(plan["plan_id"])).unwrap()
    await node.scheduler.update_cleanup(plan["cleanup_id"], {"cleanup_interval": "3 hours", "priority": 3})
    (after, *_) = (await node.scheduler.list_cleanups(module_id="acme.test")).unwrap()
    done = (await node.scheduler.run_cleanup("sessions")).unwrap()["reports"][0]

    assert (dry["dry_run"], dry["matched"], dry["note"]) == (True, 7, AWAITS_PREVIEW)
    assert (plan["awaits_preview"], shown["awaits_preview"], shown["applied_at"]) == (True, False, None)
    assert (before["awaits_preview"], after["awaits_preview"]) == (True, False)
    assert (done["dry_run"], done["deleted"]) == (False, 7)


async def test_a_changed_policy_runs_dry_again_until_a_plan_of_it_was_applied(start_node: Any) -> None:
    node = await start_node(housekeeper_preview_first=True)
    plan = await planned(node)
    await node.scheduler.apply_cleanup(plan["plan_id"])
    await node.scheduler.update_cleanup(plan["cleanup_id"], {"max_age": "1 hour"})
    await add_old(node, 5)

    await node.pass_time(HOUR)
    dry = (await reports(node, plan["cleanup_id"]))[0]
    again = (await node.scheduler.preview_cleanup(plan["cleanup_id"])).unwrap()
    await node.scheduler.apply_cleanup(again["plan_id"])
    await add_old(node, 5, first=5000)
    await node.pass_time(HOUR)

    assert (dry["dry_run"], dry["matched"]) == (True, 5)
    assert (await reports(node, plan["cleanup_id"]))[0]["deleted"] == 8


async def test_without_that_rail_a_policy_that_nobody_has_seen_deletes(
    node: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await planned(node, preview_first=True)
    monkeypatch.setattr(CleanupRuns, "awaits_preview", lambda *_: False)

    await node.scheduler.run_cleanup("sessions")

    assert await count(node.app_context.database) == 3


async def test_a_function_has_no_plan_and_waits_for_none(start_node: Any) -> None:
    node = await start_node(housekeeper_preview_first=True)
    registered = await register(node, "notes", {"function_name": "note"})

    answer = await node.scheduler.preview_cleanup(registered["cleanup_id"])
    await node.scheduler.run_cleanup("notes")

    assert answer.error.code == "NOT_PREVIEWABLE"
    assert len(node.runs) == 1
