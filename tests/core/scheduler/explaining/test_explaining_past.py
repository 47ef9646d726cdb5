"""Explain a moment: why it ran or did not run then, what the rows prove, and what is not recorded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from explaining import answer, gate
from explaining import explained as told_of
from nodes import Stuck

HOUR = 3600.0
NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def node(start_node: Any) -> Any:
    """A scheduler that has been alive since noon."""
    node = await start_node()
    await node.scheduler.turn()
    return node


async def explained(node: Any, task_id: str, at: object) -> dict[str, Any]:
    told = await told_of(node, task_id, at=at)
    assert told["gates"]
    assert told["verdict"].startswith(("It ", "Nothing is recorded"))
    return told


async def test_what_ran_says_when_where_and_how_it_came_out(node: Any) -> None:
    task_id = await node.add_every(HOUR)
    await node.pass_time(HOUR + 5)
    (row,) = await node.history(task_id)

    told = await explained(node, task_id, NOON + timedelta(hours=1))
    by_id = (await node.scheduler.explain_execution(row["id"])).unwrap()

    began = f"execution {row['id']} started at Mon 2026-01-05 13:00:05 UTC (5s after its time)"
    text = f"It ran at Mon 2026-01-05 13:00:00 UTC: {began} on node {row['node_id']} and succeeded after 0s."
    text += " Before that, no node came to it until Mon 2026-01-05 13:00:05 UTC."
    assert (answer(told), told["verdict"], by_id["verdict"]) == (("ran", None), text, text)
    assert gate(told, "run")["details"]["lateness"] == 5


async def test_what_was_skipped_names_the_execution_that_was_open_then(node: Any) -> None:
    stuck = Stuck()
    node.register("stuck", stuck.run)
    task_id = await node.add_every(HOUR, "stuck", timeout="1 day")
    node.clock.advance(HOUR)
    await node.scheduler.turn()
    await stuck.started.wait()
    node.clock.advance(HOUR)
    await node.scheduler.turn()
    stuck.release.set()
    await node.scheduler.run_due()
    first, second = await node.history(task_id)

    told = await explained(node, task_id, "2026-01-05T14:00")
    by_id = (await node.scheduler.explain_execution(second["id"])).unwrap()

    holder = f"execution {first['id']} started at Mon 2026-01-05 13:00:00 UTC was still running on node"
    text = f"It did not run at Mon 2026-01-05 14:00:00 UTC: {holder} {first['node_id']} (overlap=skip)."
    assert (answer(told), told["verdict"]) == (("did_not_run", "overlap"), text)
    assert by_id["verdict"] == text
    assert gate(told, "overlap")["details"]["executions"] == [first["id"]]


async def test_occurrences_that_one_execution_stands_for_are_told_with_it(node: Any) -> None:
    task_id = await node.add_every(HOUR)
    await node.pass_time(5 * HOUR)
    (row,) = await node.history(task_id)

    told = await explained(node, task_id, "2026-01-05T14:00")

    assert answer(told) == ("did_not_run", "catch_up")
    of = f"execution {row['id']} of Mon 2026-01-05 17:00:00 UTC stands for them"
    assert f"4 occurrences since Mon 2026-01-05 13:00:00 UTC had been missed, and {of}" in told["verdict"]


@pytest.mark.parametrize(("policy", "reason"), [("none", "CATCH_UP_NONE"), ("all", "CATCH_UP_LIMIT")])
async def test_missed_occurrences_say_by_which_rule(node: Any, policy: str, reason: str) -> None:
    task_id = await node.add_every(HOUR, catch_up=policy, **({"catch_up_limit": 1} if policy == "all" else {}))
    await node.pass_time(5 * HOUR)

    inside = await explained(node, task_id, "2026-01-05T14:00")
    last = await explained(node, task_id, "2026-01-05T16:00")

    assert [answer(inside), answer(last)] == [("did_not_run", "catch_up")] * 2
    assert reason in inside["verdict"]
    assert f"({reason})" in last["verdict"]


async def test_a_time_that_the_trigger_does_not_have_names_the_nearest(node: Any) -> None:
    task_id = await node.add_every(HOUR)
    await node.pass_time(3 * HOUR)

    told = await explained(node, task_id, "2026-01-05T13:30")

    assert answer(told) == ("did_not_run", "schedule")
    assert "the nearest: Mon 2026-01-05 13:00:00 UTC and Mon 2026-01-05 14:00:00 UTC" in told["verdict"]


async def test_before_it_was_created_a_task_did_not_run(node: Any) -> None:
    task_id = await node.add_every(HOUR)
    node.clock.advance(HOUR)

    told = await explained(node, task_id, "2026-01-05T03:00")

    assert answer(told) == ("did_not_run", "task")
    assert "the task was created only at Mon 2026-01-05 12:00:00 UTC" in told["verdict"]


async def test_after_it_was_cancelled_a_task_did_not_run(node: Any) -> None:
    task_id = await node.add_every(HOUR)
    await node.scheduler.cancel_task(task_id)
    node.clock.advance(3 * HOUR)

    told = await explained(node, task_id, "2026-01-05T14:00")

    assert answer(told) == ("did_not_run", "task")
    assert "it was cancelled by then" in told["verdict"]


async def test_a_pause_that_is_over_is_told_of(node: Any) -> None:
    task_id = await node.add_every(HOUR)
    await node.scheduler.pause_task(task_id, "too loud")
    node.clock.advance(2.5 * HOUR)
    await node.scheduler.resume_task(task_id)
    await node.pass_time(HOUR)

    first = await explained(node, task_id, "2026-01-05T13:00")
    last = await explained(node, task_id, "2026-01-05T14:00")

    assert [answer(told) for told in (first, last)] == [("did_not_run", "paused")] * 2
    paused = "the task was paused from Mon 2026-01-05 12:00:00 UTC until Mon 2026-01-05 14:30:00 UTC: too loud"
    assert f"{paused}; 2 occurrences since Mon 2026-01-05 13:00:00 UTC passed while the task was" in first["verdict"]
    assert f"{paused} (TASK_PAUSED)" in last["verdict"]
    assert gate(last, "paused")["details"]["reason"] == "TASK_PAUSED"


async def test_what_nothing_is_recorded_of_is_not_guessed_at(node: Any) -> None:
    task_id = await node.add_every(HOUR)
    await node.pass_time(HOUR)
    await node.app_context.database.write(lambda c: c.exec_driver_sql("DELETE FROM scheduler_executions"))
    await node.pass_time(HOUR)

    told = await explained(node, task_id, "2026-01-05T13:00")

    assert answer(told) == ("not_recorded", None)
    assert told["verdict"].startswith("Nothing is recorded of Mon 2026-01-05 13:00:00 UTC")
    assert gate(told, "history")["passes"] is None


async def test_an_occurrence_that_nobody_has_fired_yet_says_what_holds_it(node: Any) -> None:
    task_id = await node.add_every(HOUR)
    await node.scheduler.run_due()
    await node.scheduler.pause_all("moving house")
    node.clock.advance(2 * HOUR)

    told = await explained(node, task_id, "2026-01-05T13:00")

    assert answer(told) == ("waits", "paused")
    assert told["verdict"].startswith("It has not been fired yet. It waits: everything is paused since Mon")
    assert "for 2h: moving house" in told["verdict"]


async def test_a_cancelled_occurrence_says_who_withdrew_it(node: Any) -> None:
    task_id = await node.add()
    (row,) = await node.history(task_id)
    await node.scheduler.cancel_execution(row["id"])

    told = (await node.scheduler.explain_execution(row["id"])).unwrap()

    assert answer(told) == ("did_not_run", "run")
    assert "it was cancelled by request at Mon 2026-01-05 12:00:00 UTC, before it started" in told["verdict"]


@only_sqlite
@pytest.mark.parametrize("at", ["yesterday", "", 3, "2026-13-01"])
async def test_what_is_no_moment_is_refused(node: Any, at: object) -> None:
    task_id = await node.add_every(HOUR)

    refused = await node.scheduler.explain(task_id, at=at)

    assert refused.error.code == "INVALID_MOMENT"


@only_sqlite
async def test_what_is_not_there_is_refused(node: Any) -> None:
    task, execution = await node.scheduler.explain("no\0ne"), await node.scheduler.explain_execution("none")

    assert (task.error.code, execution.error.code) == ("TASK_NOT_FOUND", "EXECUTION_NOT_FOUND")


@only_sqlite
async def test_a_damaged_task_is_explained_all_the_same(node: Any) -> None:
    task_id = await node.add_every(HOUR)
    await node.damage(task_id, trigger="{}", policies="?", timezone="Nowhere/At_All")
    node.clock.advance(HOUR)

    told = [await explained(node, task_id, "2026-01-05T13:00"), (await node.scheduler.explain(task_id)).unwrap()]
    await node.scheduler.turn()
    told.append((await node.scheduler.explain(task_id)).unwrap())

    assert [each["answer"] for each in told] == ["not_recorded", "will_not_run", "waits"]
    assert told[2]["verdict"].startswith("It waits: the task is paused: CORRUPT_DEFINITION")


@only_sqlite
async def test_an_hour_alone_is_the_latest_such_one_in_the_zone_of_the_task(node: Any) -> None:
    task_id = await node.add_every(HOUR, timezone="Asia/Tokyo")  # where it is 21:00
    await node.pass_time(HOUR + 5)

    today, yesterday = await explained(node, task_id, "22:00"), await explained(node, task_id, "22:01")

    assert today["at"] == NOON + timedelta(hours=1)
    assert yesterday["at"] == NOON + timedelta(hours=1, minutes=1) - timedelta(days=1)
    assert (await node.scheduler.explain(task_id, at="25:00")).error.code == "INVALID_MOMENT"
