"""Cleanups of rows through the service: a table given as an object, what is slow, and runs that go on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from expiring_sessions import count, fill, sessions

from modules.core.scheduler.housekeeper import Housekeeper
from modules.core.scheduler.store import cleanups

MODULE = "acme.test"
OVER = {"table": sessions, "date_column": "at", "max_age": "1 day"}


async def test_a_table_is_stored_by_its_name_and_what_is_slow_is_told(node: Any) -> None:
    await fill(node.app_context.database, node.clock.now(), old=4, new=2)

    answer = (await node.scheduler.register_cleanup_task(MODULE, "sessions", OVER)).unwrap()

    (shown,) = (await node.scheduler.list_cleanups(module_id=MODULE)).unwrap()
    (warning,) = answer["warnings"]
    assert shown["config"]["table_name"] == "sessions"
    assert (warning["field"], warning["severity"]) == ("date_column", "warning")


async def test_a_run_that_a_budget_ended_is_continued_by_the_next(node: Any) -> None:
    await fill(node.app_context.database, node.clock.now(), old=5, new=2)
    await node.scheduler.register_cleanup_task(MODULE, "sessions", {**OVER, "max_rows_per_run": 2, "batch_size": 1})

    ran = [(await node.scheduler.run_cleanup("sessions")).unwrap()["reports"][0] for _ in range(3)]

    assert [report["deleted"] for report in ran] == [2, 2, 1]
    assert [report["cursor"] is None for report in ran] == [False, False, True]
    assert await count(node.app_context.database) == 2


async def test_another_policy_begins_at_the_beginning(node: Any) -> None:
    await fill(node.app_context.database, node.clock.now(), old=5, new=2)
    some = {**OVER, "max_rows_per_run": 2, "where": {"id": [2, 3, 4]}}
    await node.scheduler.register_cleanup_task(MODULE, "sessions", some)
    stopped = (await node.scheduler.run_cleanup("sessions")).unwrap()["reports"][0]

    await node.scheduler.register_cleanup_task(MODULE, "sessions", OVER)
    foreseen = (await node.scheduler.run_cleanup("sessions", dry_run=True)).unwrap()["reports"][0]
    done = (await node.scheduler.run_cleanup("sessions")).unwrap()["reports"][0]

    assert stopped["cursor"] is not None
    assert foreseen["matched"] == done["deleted"] == 3


async def test_where_a_run_of_another_policy_stopped_is_not_where_the_next_begins(node: Any) -> None:
    await fill(node.app_context.database, node.clock.now(), old=5, new=2)
    some = {**OVER, "max_rows_per_run": 2, "where": {"id": [2, 3, 4]}}
    registered = (await node.scheduler.register_cleanup_task(MODULE, "sessions", some)).unwrap()
    database = node.app_context.database
    as_read = await database.read(lambda c: cleanups.find(c, registered["cleanup_id"]))
    housekeeper = node.app_context.get_service(Housekeeper)

    await node.scheduler.register_cleanup_task(MODULE, "sessions", OVER)  # while the other one goes on
    stopped = await housekeeper.runs.run(as_read, dry_run=False)
    after = await database.read(lambda c: cleanups.find(c, registered["cleanup_id"]))

    assert (stopped.cursor is None, after.cursor, after.last_run) == (False, None, node.clock.now())


async def test_of_several_of_one_type_those_that_are_off_do_not_run(node: Any) -> None:
    await fill(node.app_context.database, node.clock.now(), old=5, new=2)
    off = (await node.scheduler.register_cleanup_task("acme.other", "sessions", OVER)).unwrap()
    await node.scheduler.update_cleanup(off["cleanup_id"], {"enabled": False})
    alone = (await node.scheduler.run_cleanup("sessions", dry_run=True)).unwrap()["reports"]
    await node.scheduler.register_cleanup_task(MODULE, "sessions", OVER)

    both = (await node.scheduler.run_cleanup("sessions", dry_run=True)).unwrap()["reports"]

    assert [len(alone), [each["module_id"] for each in both]] == [1, [MODULE]]


async def test_a_dry_run_leaves_the_place_where_the_next_run_goes_on(node: Any) -> None:
    await fill(node.app_context.database, node.clock.now(), old=5, new=2)
    await node.scheduler.register_cleanup_task(MODULE, "sessions", {**OVER, "max_rows_per_run": 2})
    await node.scheduler.run_cleanup("sessions")

    foreseen = (await node.scheduler.run_cleanup("sessions", dry_run=True)).unwrap()["reports"][0]

    assert (foreseen["matched"], foreseen["note"].startswith("counted from the beginning")) == (2, True)
    (shown,) = (await node.scheduler.list_cleanups(module_id=MODULE)).unwrap()
    done = [(await node.scheduler.run_cleanup("sessions")).unwrap()["reports"][0] for _ in range(2)]
    assert shown["enabled"]
    assert [report["deleted"] for report in done] == [2, 1]


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ({"hold_column": "pined"}, "hold_column"),
        ({"keep_newest": {"count": 1, "per": ["owner"]}}, "keep_newest.per.0"),
    ],
)
async def test_a_misspelt_column_of_a_rule_is_refused(node: Any, rule: dict[str, Any], field: str) -> None:
    await fill(node.app_context.database, node.clock.now(), old=1, new=0)

    refused = await node.scheduler.register_cleanup_task(MODULE, "sessions", {**OVER, **rule})

    assert refused.error.code == "INVALID_CONFIG"
    assert [problem["field"] for problem in refused.error.details["problems"]] == [field]
    assert await count(node.app_context.database) == 1


async def test_tasks_run_them_by_the_same_rules(node: Any) -> None:
    await fill(node.app_context.database, node.clock.now(), old=6, new=3)
    rules = {"tiers": {"daily": 1}, "min_kept": 5, "cleanup_interval": "1 hour"}
    await node.scheduler.register_cleanup_task(MODULE, "sessions", {**OVER, **rules})

    await node.pass_time(timedelta(hours=1).total_seconds())

    assert await count(node.app_context.database) == 5
