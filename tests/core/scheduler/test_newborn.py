"""A one-time task that is due when it is stored is fired as it is stored: its first row travels in the same commit."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Row, select

from framework.testing.statements import seen_by
from modules.core.scheduler.tables import events, executions

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
OWN = ("id", "id_1", "event_id", "open_key", "limit_key", "rank", "due_at")  # the last two are moved by jitter
NOW = {"schedule_time": "now"}


async def test_what_is_due_at_once_is_stored_and_fired_in_one_commit(node: Any) -> None:
    await node.add(**NOW)

    with seen_by(node.app_context.database) as seen:
        task_id = await node.add(**NOW)

    assert seen.commits == 1
    assert await node.states(task_id) == ["pending"]


async def test_it_looks_like_any_task_that_has_fired(node: Any) -> None:
    moment = node.clock.now() - timedelta(hours=1)
    early = await node.add(name="early", schedule_time=moment)
    later = await node.add(name="later", delay=1)
    await node.pass_time(1)

    shown = [await node.task(task_id) for task_id in (early, later)]
    (row,) = await node.history(early)

    told = ("status", "execution_count", "next_execution", "last_error")
    assert [shown[0][name] for name in told] == [shown[1][name] for name in told] == ["completed", 1, None, None]
    assert (row["scheduled_for"], row["attempt"], row["origin"], row["state"]) == (moment, 1, "schedule", "succeeded")


async def test_the_caller_is_told_the_time_that_was_asked_for(node: Any) -> None:
    moment = node.clock.now() - timedelta(minutes=1)
    config = {"name": "n", "module_id": "acme.test", "function_name": "note", "schedule_time": moment}

    told = (await node.scheduler.schedule_task(config)).unwrap()

    assert (told["created"], told["next_execution"]) == (True, moment)


@pytest.mark.parametrize("overlap", ["skip", "queue", "allow", "replace"])
async def test_a_second_run_meets_the_overlap_policy_of_the_first(node: Any, overlap: str) -> None:
    task_id = await node.add(overlap=overlap, **NOW)

    again = await node.scheduler.execute_task(task_id)
    await node.scheduler.run_due()

    expected = {"skip": ["succeeded"], "replace": ["cancelled", "succeeded"]}.get(overlap, ["succeeded"] * 2)
    assert await node.states(task_id) == expected
    assert again.success is (overlap != "skip")


async def test_jitter_moves_its_start_too(node: Any) -> None:
    task_id = await node.add(jitter=60, **NOW)
    await node.scheduler.run_due()
    (row,) = await node.history(task_id)

    await node.pass_time(60)

    assert (row["state"], row["scheduled_for"]) == ("pending", node.clock.now() - timedelta(minutes=1))
    assert await node.states(task_id) == ["succeeded"]


@pytest.mark.parametrize(
    ("config", "reason"),
    [({"catch_up": "none"}, "CATCH_UP_NONE"), ({"misfire_grace_time": 60}, "MISFIRE_GRACE")],
)
async def test_what_is_too_late_for_its_policies_is_left_to_a_turn_that_says_so(
    node: Any, config: dict[str, Any], reason: str
) -> None:
    task_id = await node.add(schedule_time=node.clock.now() - timedelta(hours=1), **config)

    await node.scheduler.run_due()

    assert (await node.states(task_id), await node.reasons(task_id)) == (["missed"], [reason])
    assert (await node.task(task_id))["status"] == "completed"


async def test_a_task_that_is_stored_paused_does_not_fire(node: Any) -> None:
    task_id = await node.add(paused=True, **NOW)

    await node.scheduler.run_due()
    while_paused = await node.states(task_id)
    await node.scheduler.resume_task(task_id)
    await node.scheduler.run_due()

    assert (while_paused, await node.states(task_id)) == ([], ["succeeded"])


async def test_a_recurring_task_waits_for_its_turn(node: Any) -> None:
    start = node.clock.now()

    task_id = await node.add_every(60, schedule_time=start)
    before = await node.states(task_id)
    await node.scheduler.run_due()

    assert (before, await node.states(task_id)) == ([], ["succeeded"])
    assert (await node.task(task_id))["next_execution"] == start + timedelta(minutes=1)


async def test_the_same_key_again_does_not_fire_again(node: Any) -> None:
    first = await node.add(key="once", **NOW)
    second = await node.add(key="once", **NOW)

    await node.scheduler.run_due()

    assert first == second
    assert await node.states(first) == ["succeeded"]


async def test_all_or_none_are_stored_with_their_first_rows(node: Any) -> None:
    good = {"name": "good", "module_id": "acme.test", "function_name": "note", **NOW}

    refused = await node.scheduler.schedule_tasks(
        [good, good | {"task_id": "mine"}, good | {"function_name": "nobody"}]
    )

    assert refused.error.details["index"] == 2
    assert await node.history() == []


def rows_of_tasks(c: Connection) -> list[Row[Any]]:
    """Return each task beside its execution, if it has one, in the order in which they were stored."""
    both = select(events, executions).outerjoin(executions, executions.c.event_id == events.c.id)
    return list(c.execute(both.where(events.c.function_name == "note").order_by(events.c.id)).all())


@only_sqlite
@pytest.mark.parametrize(
    "config",
    [
        {},
        {"overlap": "queue"},
        {"overlap": "allow", "rate_limit": "5/minute"},
        {"jitter": 60},
        {"expected_by": 60},
        {"paused": True},
        {"misfire_grace_time": 5},
    ],
)
async def test_tasks_that_are_stored_together_have_the_rows_that_each_would_have_alone(
    node: Any, config: dict[str, Any]
) -> None:
    early, late = node.clock.now() - timedelta(hours=1), node.clock.now() + timedelta(hours=1)
    named = {"module_id": "acme.test", "function_name": "note", **config}
    times = [early, late, early, late]
    tasks = [named | {"name": f"n{number}", "schedule_time": time} for number, time in enumerate(times)]

    (await node.scheduler.schedule_tasks(tasks)).unwrap()
    for task in tasks:
        (await node.scheduler.schedule_task(task)).unwrap()
    rows = [dict(zip(row._fields, row, strict=True)) for row in await node.app_context.database.read(rows_of_tasks)]

    together, alone = rows[: len(tasks)], rows[len(tasks) :]
    for mine, others in zip(together, alone, strict=True):
        assert {**mine, **dict.fromkeys(OWN)} == {**others, **dict.fromkeys(OWN)}
        for key in ("open_key", "limit_key"):
            assert (mine[key] or "").replace(mine["id"], "its own") == (others[key] or "").replace(
                others["id"], "its own"
            )
