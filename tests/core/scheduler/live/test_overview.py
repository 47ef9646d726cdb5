"""The overview names what needs attention and nothing else, and reads little."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from query_plans import plans_of, walks_a_table
from sqlalchemy import Connection, insert, select, text

from framework.clock import new_id
from framework.testing.statements import seen_by
from modules.core.scheduler.tables import events, executions

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
HOUR, DAY = 3_600.0, 86_400.0


def fail() -> None:
    raise ValueError("no luck")


async def overview(node: Any) -> dict[str, Any]:
    return dict((await node.scheduler.overview()).unwrap())


async def needs(node: Any) -> list[tuple[str, str | None]]:
    return [(str(each["need"]), each["task"]) for each in (await overview(node))["attention"]]


async def test_nothing_needs_attention_where_all_is_well(node: Any) -> None:
    await node.add_every(60)
    await node.add(delay=3 * HOUR)
    await node.pass_time(60)

    found = await overview(node)

    assert found["attention"] == []
    assert [found[name]["count"] for name in ("due", "late", "failing", "failed_once")] == [0, 0, 0, 0]
    assert found["tasks"]["count"] - found["next_hour"]["count"] >= 1
    assert (found["bytes"] > 0, found["kept_since"]) == (True, node.clock.now())


async def test_a_recurring_task_fails_until_it_has_succeeded(node: Any) -> None:
    node.register("fail", fail)
    task_id = await node.add_every(60, "fail", name="Export")
    for _ in range(3):
        await node.pass_time(60)

    found = await overview(node)
    (told,) = found["attention"]
    await node.scheduler.update_task(task_id, {"function_name": "note"})
    await node.pass_time(60)

    assert (told["need"], told["task_id"], found["failing"]) == ("failing", task_id, {"count": 1, "is_cut": False})
    assert told["text"] == "its last 3 runs failed: ValueError: no luck"
    assert told["execution_id"] == (await node.history(task_id))[2]["id"]
    assert told["since"] == (await node.history(task_id))[0]["end_time"]
    assert await needs(node) == []


@only_sqlite
@pytest.mark.parametrize("deed", ["pause_task", "cancel_task"])
async def test_a_failing_task_that_somebody_has_stopped_is_not_told(node: Any, deed: str) -> None:
    node.register("fail", fail)
    task_id = await node.add_every(60, "fail")
    await node.pass_time(60)

    (await getattr(node.scheduler, deed)(task_id)).unwrap()

    assert await needs(node) == []


async def test_one_time_tasks_that_failed_are_told_together_for_a_day(node: Any) -> None:
    node.register("fail", fail)
    for number in range(3):
        await node.add("fail", name=f"n{number}")
    await node.scheduler.run_due()

    found = await overview(node)
    node.clock.advance(DAY + 1)

    assert [each["text"] for each in found["attention"]] == ["3 one-time tasks failed in the last 24 hours"]
    assert found["failed_once"]["count"] == 3
    assert (await overview(node))["failed_once"]["count"] == 0


async def test_what_is_due_for_more_than_a_minute_is_late_whether_fired_or_not(node: Any) -> None:
    await node.add(delay=60, name="not fired")
    await node.add(name="in line")
    node.clock.advance(121)

    found = await overview(node)

    assert [(each["task"], each["need"]) for each in found["attention"]] == [("in line", "late"), ("not fired", "late")]
    assert found["late"] == {"count": 2, "is_cut": False, "longest": 121}
    assert found["due"]["count"] == 2


async def test_what_an_operator_holds_back_is_not_late(node: Any) -> None:
    await node.add(delay=60)
    await node.scheduler.pause_all("holidays")
    node.clock.advance(200)

    assert await needs(node) == []


async def test_a_task_is_told_that_is_paused_for_more_than_a_week_or_set_aside(node: Any) -> None:
    long, short, aside = [await node.add_every(60, name=name) for name in ("long", "short", "aside")]
    await node.scheduler.pause_task(long, "broken printer")
    await node.pass_time(7 * DAY + 1)
    await node.scheduler.pause_task(short)
    await node.damage(aside, status="paused", status_reason="CRASH_LIMIT", updated_at=node.clock.now())

    told = (await overview(node))["attention"]

    assert [(each["need"], each["task"]) for each in told] == [("set_aside", "aside"), ("long_paused", "long")]
    assert told[1]["text"] == "paused for more than 7 days: broken printer"


async def test_an_execution_whose_function_no_node_has_is_told(node: Any) -> None:
    task_id = await node.add(name="Export")
    rows = await node.history(task_id)
    await node.damage_execution(
        rows[0]["id"], line="held", reason="FUNCTION_NOT_REGISTERED", function_key="acme.gone:export"
    )

    (told,) = (await overview(node))["attention"]

    assert told["need"] == "function_missing"
    assert told["text"] == "its execution waits for acme.gone:export, which no node has"


@pytest.mark.parametrize("looked", [True, False])
async def test_a_missed_deadline_is_told_until_something_succeeds(node: Any, looked: bool) -> None:
    node.register("fail", fail)
    task_id = await node.add_every(DAY, "fail", name="Backup", expected_by="1 hour")
    await node.scheduler.run_due()
    await node.pass_time(DAY + 60)
    before = await needs(node)
    node.clock.advance(HOUR)
    if looked:
        await node.scheduler.lookout.look()
    after = await needs(node)
    await node.scheduler.update_task(task_id, {"function_name": "note"})
    await node.pass_time(DAY)

    assert (before, after) == ([("failing", "Backup")], [("deadline_missed", "Backup")])
    assert await needs(node) == []


async def test_many_tasks_of_one_need_do_not_hide_the_others(node: Any) -> None:
    paused = await node.add(delay=99 * DAY, name="paused")
    await node.scheduler.pause_task(paused)
    await node.pass_time(8 * DAY)
    for number in range(25):
        await node.add(delay=60, name=f"n{number:02}")
    node.clock.advance(200)

    found = await overview(node)

    assert [each["need"] for each in found["attention"]] == ["late"] * 5 + ["long_paused"]
    assert (found["others"], found["late"]["count"]) == ({"late": 20}, 25)


async def test_a_failing_task_is_told_also_where_everything_since_was_skipped(node: Any) -> None:
    node.register("fail", fail)
    task_id = await node.add_every(60, "fail", name="Export")
    await node.pass_time(60)
    (row,) = await node.history(task_id)
    skipped = {"state": "skipped", "success": None, "error": None, "start_time": None, "open_key": None}

    def skip(c: Connection) -> None:
        failed = dict(c.execute(select(executions).where(executions.c.id == row["id"])).one()._mapping)
        for number in range(1, 12):
            at = row["scheduled_for"] + timedelta(minutes=number)
            c.execute(insert(executions).values(failed | skipped | {"id": new_id(), "scheduled_for": at}))

    await node.app_context.database.write(skip)
    (told,) = (await overview(node))["attention"]

    assert (told["need"], told["execution_id"]) == ("failing", None)
    assert (told["text"], told["since"]) == ("its last run failed: ValueError: no luck", row["end_time"])


async def test_what_ran_since_is_listed_by_task(node: Any) -> None:
    old = await node.add(name="old")
    await node.scheduler.run_due()
    node.clock.advance(HOUR)
    since = node.clock.now()
    task_id = await node.add_every(60, name="new")
    for _ in range(3):
        await node.pass_time(60)

    ran = (await node.scheduler.ran_since(since)).unwrap()
    runs = (await node.scheduler.runs_since([task_id, old], since)).unwrap()

    assert (ran["tasks"], ran["is_cut"]) == ([{"id": task_id, "name": "new"}], False)
    assert [run["id"] for run in runs[task_id]] == [row["id"] for row in (await node.history(task_id))[::-1]]
    assert runs[old] == []


def _many(c: Connection, node: Any, task_id: str) -> None:
    """Insert tasks that are done, and ended executions of which hardly any failed."""
    now = node.clock.now()
    done = dict(c.execute(select(events).where(events.c.id == task_id)).one()._mapping)
    done |= {"status": "completed", "key": None, "next_execution": None, "expected_for": None, "expected_at": None}
    c.execute(insert(events), [done | {"id": f"done{number}"} for number in range(10_000)])
    plain = {"origin": "schedule", "function_key": "acme.test:note", "queue": "default", "line": "ready", "rank": 0.0}
    plain |= {"attempt": 1, "priority": 0, "missed_count": 0, "retries_used": 0, "crashes": 0}
    rows = []
    for number in range(20_000):
        at = now - timedelta(seconds=30 * number + 1)
        state = "failed" if number % 500 == 0 else "succeeded"
        moments = {"scheduled_for": at, "due_at": at, "start_time": at, "end_time": at, "created_at": at}
        whose = task_id if number < 5_000 else f"other{number}"
        rows.append({**plain, **moments, "id": new_id(), "state": state, "event_id": whose})
    c.execute(insert(executions), rows)


async def test_an_overview_walks_no_table_however_much_is_stored(node: Any) -> None:
    task_id = await node.add_every(60, expected_by="1 hour")
    paused = await node.add_every(60, name="paused")
    await node.scheduler.pause_task(paused)
    database, clock = node.app_context.database, node.clock
    await database.write(lambda c: _many(c, node, task_id))
    await database.write(lambda c: c.execute(text("ANALYZE")))

    with seen_by(database) as seen:
        await overview(node)
        since = clock.now() - timedelta(hours=6)
        await node.scheduler.ran_since(since)
        await node.scheduler.runs_since([task_id], since)
    plans = await database.read(lambda c: plans_of(c, seen.statements))

    assert len(plans) > 10
    assert [plan for plan in plans if walks_a_table(plan)] == []
