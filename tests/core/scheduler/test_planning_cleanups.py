"""Plans: a preview counts exactly what a run takes, and is carried out once, as it was seen, or not at all."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aged_files import later, names, write
from cleanup_plans import DAY, add_old, planned
from expiring_sessions import count, register, reports, sessions
from sqlalchemy import insert, select, update

from modules.core.scheduler import planning_cleanups
from modules.core.scheduler.cleanup_runs import CleanupRuns
from modules.core.scheduler.cleanup_tables import cleanup_plans
from modules.core.scheduler.store import cleanups

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def as_text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


async def test_a_plan_tells_exactly_what_goes_and_writes_nothing_else(node: Any) -> None:
    plan = await planned(node)
    still_there = await count(node.app_context.database)

    done = (await node.scheduler.apply_cleanup(plan["plan_id"])).unwrap()

    assert (plan["rows"], plan["files"], plan["population"], plan["guards"]) == ({"sessions": 7}, 0, 10, [])
    assert still_there == 10
    assert plan["oldest"] == plan["newest"] == as_text(node.clock.now() - 2 * DAY)
    assert plan["samples"] == [f"id={number}" for number in range(7)]
    assert (done["report"]["matched"], done["report"]["deleted"], done["report"]["dry_run"]) == (7, 7, False)
    assert await count(node.app_context.database) == 3
    assert (await node.scheduler.cleanup_plan(plan["plan_id"])).unwrap()["applied_at"] == node.clock.now()
    assert len(await reports(node, plan["cleanup_id"])) == 1


@SQLITE
async def test_a_plan_of_files_tells_their_number_and_their_bytes(node: Any, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "files"
    for number in range(5):
        write(folder / f"{number}.log", 100)
    node.clock.step(later(folder, timedelta(hours=1)) - node.clock.now())
    registered = await register(node, "files", {"directory": str(folder), "max_files": 2})

    plan = (await node.scheduler.preview_cleanup(registered["cleanup_id"])).unwrap()
    there = len(names(folder))
    await node.scheduler.apply_cleanup(plan["plan_id"])

    assert (plan["files"], plan["bytes"], plan["population"], plan["rows"]) == (3, 300, 5, {})
    assert (plan["action"], plan["freed_bytes_estimate"] > 0) == ("delete", True)
    assert (there, len(names(folder))) == (5, 2)


async def test_of_many_who_apply_a_plan_at_once_one_does(node: Any, start_node: Any) -> None:
    plan = await planned(node)
    nodes = [node, await start_node()]

    answers = await asyncio.gather(*(each.scheduler.apply_cleanup(plan["plan_id"]) for each in nodes * 3))

    done = [answer for answer in answers if answer.success]
    assert [answer.data["report"]["deleted"] for answer in done] == [7]
    assert {answer.error.code for answer in answers if not answer.success} <= {"PLAN_USED", "PLAN_OUTDATED"}
    assert (await node.scheduler.apply_cleanup(plan["plan_id"])).error.code == "PLAN_USED"


@SQLITE
async def test_a_plan_that_is_not_marked_as_used_would_delete_twice(node: Any) -> None:
    plan = await planned(node)
    await node.scheduler.apply_cleanup(plan["plan_id"])
    forget = update(cleanup_plans).values(applied_at=None)
    await node.app_context.database.write(lambda c: c.execute(forget))
    await add_old(node, 7, first=0)  # the very rows that the plan was of

    await node.scheduler.apply_cleanup(plan["plan_id"])

    assert await count(node.app_context.database) == 3


@SQLITE
async def test_a_world_that_has_moved_beyond_the_tolerance_refuses_the_plan(node: Any) -> None:
    plan = await planned(node, old=40)
    await add_old(node, 3)

    refused = await node.scheduler.apply_cleanup(plan["plan_id"])
    kept = await count(node.app_context.database)
    done = await node.scheduler.apply_cleanup(plan["plan_id"], tolerance=0.1)

    assert refused.error.code == "PLAN_OUTDATED"
    assert refused.error.details["changed"] == {"rows.sessions": {"planned": 40, "now": 43}}
    assert (kept, done.unwrap()["report"]["deleted"]) == (46, 43)


@SQLITE
async def test_without_the_second_count_a_plan_deletes_what_nobody_has_seen(
    node: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = await planned(node, old=40)
    await node.app_context.database.write(lambda c: c.execute(sessions.delete()))
    await add_old(node, 40)
    await add_old(node, 3, first=5000)
    monkeypatch.setattr(planning_cleanups, "changed", lambda *_: {})

    await node.scheduler.apply_cleanup(plan["plan_id"], tolerance=0.5)

    assert await count(node.app_context.database) == 0


@SQLITE
async def test_what_has_grown_old_since_the_plan_stays(node: Any) -> None:
    plan = await planned(node, old=40, new=0)
    rows = [{"id": 500 + number, "at": node.clock.now() - DAY + timedelta(minutes=5)} for number in range(30)]
    await node.app_context.database.write(lambda c: c.execute(insert(sessions), rows))
    node.clock.advance(30 * 60)

    done = (await node.scheduler.apply_cleanup(plan["plan_id"])).unwrap()

    assert done["report"]["deleted"] == 40
    assert done["report"]["started_at"] > plan["planned_at"].isoformat()
    assert await count(node.app_context.database) == 30


@SQLITE
async def test_no_more_than_planned_and_the_tolerance_goes_whatever_comes_meanwhile(
    node: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = await planned(node, old=40, new=0)
    guarded = CleanupRuns.guarded

    async def late(*arguments: Any, **options: Any) -> Any:
        await add_old(node, 60)
        return await guarded(*arguments, **options)

    monkeypatch.setattr(CleanupRuns, "guarded", late)

    done = (await node.scheduler.apply_cleanup(plan["plan_id"])).unwrap()

    assert done["report"]["deleted"] == 42


@SQLITE
@pytest.mark.parametrize("change", [{"max_age": "2 days"}, {"description": "other words"}])
async def test_a_plan_of_another_policy_is_refused(node: Any, change: dict[str, Any]) -> None:
    plan = await planned(node)
    await node.scheduler.update_cleanup(plan["cleanup_id"], change)

    answers = [
        await node.scheduler.apply_cleanup(plan["plan_id"]),
        await node.scheduler.confirm_cleanup(plan["plan_id"]),
    ]

    assert [answer.error.code for answer in answers] == ["PLAN_OUTDATED"] * 2
    assert (
        answers[0].error.details["changed"]["policy"]["now"] != answers[0].error.details["changed"]["policy"]["planned"]
    )
    assert await count(node.app_context.database) == 10


@SQLITE
async def test_without_that_rail_a_plan_carries_out_a_policy_that_nobody_has_seen(
    node: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = await planned(node, where={"id": [0]})
    await node.scheduler.update_cleanup(plan["cleanup_id"], {"where": {"id": [1]}})
    monkeypatch.setattr(planning_cleanups, "_current", lambda c, plan, _now: cleanups.find(c, plan.cleanup_id))

    await node.scheduler.apply_cleanup(plan["plan_id"], tolerance=1)

    left = await node.app_context.database.read(lambda c: c.execute(select(sessions.c.id)).scalars().all())
    assert (0 in left, 1 in left) == (True, False)


@SQLITE
async def test_plans_go_with_the_history(node: Any) -> None:
    plan = await planned(node)

    await node.pass_time(40 * 86_400)

    assert (await node.scheduler.cleanup_plan(plan["plan_id"])).error.code == "PLAN_NOT_FOUND"


@SQLITE
async def test_a_plan_older_than_an_hour_is_refused(node: Any) -> None:
    plan = await planned(node)
    node.clock.step(timedelta(hours=1, seconds=1))

    answer = await node.scheduler.apply_cleanup(plan["plan_id"])

    assert answer.error.code == "PLAN_OUTDATED"
    assert await count(node.app_context.database) == 10


@SQLITE
async def test_a_plan_that_a_guard_would_refuse_says_so_and_is_refused(node: Any) -> None:
    plan = await planned(node, max_deletions=6)

    answer = await node.scheduler.apply_cleanup(plan["plan_id"])

    assert plan["guards"] == ["it would take 7, more than max_deletions 6"]
    assert answer.error.code == "GUARD_EXCEEDED"
    assert (await node.scheduler.cleanup_plan(plan["plan_id"])).unwrap()["applied_at"] is None
    assert await count(node.app_context.database) == 10


@SQLITE
async def test_what_is_not_there_is_refused_by_name(node: Any) -> None:
    plan = await planned(node)
    await node.scheduler.remove_cleanup(plan["cleanup_id"])

    codes = [
        (await node.scheduler.preview_cleanup("nothing")).error.code,
        (await node.scheduler.cleanup_plan("nothing")).error.code,
        (await node.scheduler.apply_cleanup("nothing")).error.code,
        (await node.scheduler.apply_cleanup(plan["plan_id"])).error.code,
        (await node.scheduler.apply_cleanup(plan["plan_id"], tolerance=2.0)).error.code,
    ]

    assert codes == ["CLEANUP_NOT_FOUND", "PLAN_NOT_FOUND", "PLAN_NOT_FOUND", "CLEANUP_NOT_FOUND", "INVALID_CONFIG"]


@SQLITE
async def test_the_time_is_estimated_from_earlier_runs(node: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = await planned(node)
    clean = planning_cleanups.CleanupRuns.guarded

    async def slow(self: Any, *arguments: Any, **options: Any) -> Any:
        report = await clean(self, *arguments, **options)
        return report.ended(report.started_at + timedelta(seconds=14))

    monkeypatch.setattr(planning_cleanups.CleanupRuns, "guarded", slow)
    await node.scheduler.apply_cleanup(plan["plan_id"])
    await add_old(node, 5)

    again = (await node.scheduler.preview_cleanup(plan["cleanup_id"])).unwrap()

    assert (plan["seconds_estimate"], again["seconds_estimate"]) == (None, 10.0)
