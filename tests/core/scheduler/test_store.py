"""The store: constraints that make the guarantees true, and plans that stay small however much is stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from query_plans import plans_of, walks_a_table
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from framework import Application
from framework.database import is_unique_violation
from framework.testing import FakeClock
from framework.testing.statements import seen_by
from modules.core.scheduler import SchedulerService
from modules.core.scheduler.store import candidates, chains, line, occurrences, outlook, tasks
from modules.core.scheduler.tables import executions as table

FUTURE_ROWS = 20_000


@pytest.fixture
async def crowded(node: Any) -> Any:
    """A node whose tables hold many tasks far in the future and many ended executions."""
    task_id = await node.add_every(60)
    await node.pass_time(60)

    def copy(c: Connection) -> None:
        series = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {FUTURE_ROWS})"
        _copy_rows(c, series, "scheduler_events", {"id": "'far' || i", "key": "NULL", "next_execution": "'2099-01-01'"})
        _copy_rows(
            c, series, "scheduler_executions", {"id": "'old' || i", "attempt": "i + 1", "event_id": f"'{task_id}'"}
        )

    await node.app_context.database.write(copy)
    analyze = "ANALYZE"
    await node.app_context.database.write(lambda c: c.execute(text(analyze)))
    return node


@pytest.fixture
async def lined_up(crowded: Any) -> Any:
    """The same, with many in line, many that wait for their time and many that are held."""

    def copy(c: Connection) -> None:
        reasons = {"ready": "NULL", "later": "NULL", "held": "'LIMIT'"}
        for attempt, (line_name, reason) in enumerate(reasons.items(), start=1):
            series = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
            waits = {"state": "'pending'", "line": f"'{line_name}'", "reason": reason, "rank": "i", "end_time": "NULL"}
            named = {"id": f"'{line_name}' || i", "event_id": "'far' || i", "due_at": "'2099-01-01'"}
            _copy_rows(c, series, "scheduler_executions", waits | named | {"attempt": f"{attempt}"})

    await crowded.app_context.database.write(copy)
    await crowded.app_context.database.write(lambda c: c.execute(text("ANALYZE")))
    return crowded


def _copy_rows(c: Connection, series: str, name: str, changed: dict[str, str]) -> None:
    columns = [row[0] for row in c.execute(text(f"SELECT * FROM {name} LIMIT 0")).cursor.description]  # type: ignore[union-attr]
    cast = "" if c.dialect.name == "sqlite" else "::timestamptz"
    values = [changed.get(column, f"t.{column}") for column in columns]
    values = [value + cast if value.startswith("'2099") else value for value in values]
    one = f"(SELECT * FROM {name} WHERE id NOT LIKE 'far%' ORDER BY id DESC LIMIT 1)"
    insert = f"INSERT INTO {name} ({', '.join(columns)}) {series} SELECT {', '.join(values)} FROM n, {one} AS t"
    c.execute(text(insert))


async def test_a_turn_reads_only_what_is_due_however_much_is_stored(crowded: Any) -> None:
    await crowded.add(delay=1)
    crowded.clock.advance(1)
    database = crowded.app_context.database

    with seen_by(database) as seen:
        await crowded.scheduler.run_due()
    plans = await database.write(lambda c: plans_of(c, seen.statements))

    assert len(plans) > 5
    assert [plan for plan in plans if walks_a_table(plan)] == []


async def test_a_page_of_a_long_history_reads_only_that_page(crowded: Any) -> None:
    database = crowded.app_context.database

    with seen_by(database) as seen:
        await crowded.scheduler.get_executions(limit=50)
        await crowded.scheduler.list_tasks(limit=50)
    plans = await database.read(lambda c: plans_of(c, seen.statements))

    assert len(plans) == 2
    assert [plan for plan in plans if "TEMP B-TREE" in plan or "Sort" in plan] == []


async def test_an_explanation_reads_a_bounded_number_of_rows_by_an_index(lined_up: Any) -> None:
    limits = {"concurrency_key": "printer", "rate_limit": "9/minute"}
    ids = [await lined_up.add(name=f"n{number}", delay=number + 1, **limits) for number in range(2)]
    lined_up.clock.advance(2)
    scheduler, database = lined_up.scheduler, lined_up.app_context.database
    (latest, *_) = (await scheduler.get_executions(limit=1)).unwrap()["executions"]

    with seen_by(database) as seen:
        for task_id in (*ids, latest["task_id"]):
            (await scheduler.explain(task_id)).unwrap()
            (await scheduler.explain(task_id, at=lined_up.clock.now())).unwrap()
        (await scheduler.explain_execution(latest["id"])).unwrap()
    plans = await database.read(lambda c: plans_of(c, seen.statements))

    assert len(plans) > 20
    assert [plan for plan in plans if walks_a_table(plan)] == []


async def test_no_occurrence_has_two_rows_of_one_attempt(node: Any) -> None:
    await node.add(delay=1)
    await node.pass_time(1)

    def again(c: Connection) -> None:
        row = dict(c.execute(table.select().limit(1)).one()._mapping)
        c.execute(table.insert().values(row | {"id": "another"}))

    with pytest.raises(IntegrityError) as refused:
        await node.app_context.database.write(again)

    assert is_unique_violation(refused.value)


async def test_no_two_open_executions_hold_the_same_key(node: Any) -> None:
    for number in range(2):
        await node.add(name=f"n{number}", delay=1)
    await node.pass_time(1)

    def take_both(c: Connection) -> None:
        c.execute(table.update().values(open_key="the same"))

    with pytest.raises(IntegrityError):
        await node.app_context.database.write(take_both)


async def test_a_run_without_a_schedule_takes_a_moment_that_is_free(node: Any) -> None:
    task_id = await node.add_every(60, overlap="allow")
    now = node.clock.now()
    await node.scheduler.execute_task(task_id)
    row = await node.app_context.database.read(lambda c: tasks.find(c, task_id))

    free = await node.app_context.database.read(lambda c: occurrences.free_moment(c, row, now))

    assert free > now


def files_in(folder: Path) -> list[Path]:
    """Return every file below the folder."""
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_in_memory_mode_is_one_node_without_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    clock, ran = FakeClock(), []
    settings = {
        "framework": {"database_url": "sqlite+aiosqlite:///:memory:"},
        "core.scheduler": {"enabled": False, "timezone": "UTC"},
    }
    async with Application(modules=["core.scheduler"], settings=settings, clock=clock) as app_context:
        scheduler = app_context.get_service(SchedulerService)
        scheduler.register_function("acme.test", "note", lambda: ran.append(1))
        await scheduler.schedule_interval(("acme.test", "note"), every="1 minute")

        clock.advance(60)
        await scheduler.run_due()
        nodes = await app_context.database.read(lambda c: c.execute(text("SELECT id FROM scheduler_nodes")).all())

    assert ran == [1]
    assert len(nodes) == 1
    assert files_in(tmp_path) == []


INDEXED = {
    "the next in line of a queue": "ix_scheduler_executions_ready",
    "the first of a function that others stand before": "ix_scheduler_executions_ready_of",
    "which functions are in line": "ix_scheduler_executions_ready_of",
    "what becomes ready": "ix_scheduler_executions_later",
    "when the next becomes ready": "ix_scheduler_executions_later",
    "what is due": "ix_scheduler_events_due",
    "whether anybody waits for an ending": "ix_scheduler_events_event",
    "when the next is due": "ix_scheduler_events_due",
}


def looks(c: Connection, now: Any) -> dict[str, Any]:
    """Return what each of the looks of a turn asks for, to be carried out while the statements are watched."""
    return {
        "the next in line of a queue": lambda: candidates.candidates(c, "default", ["acme.test:note"], None, 10),
        "the first of a function that others stand before": lambda: candidates.first_of(
            c, "default", ["a:b", "a:c"], None, 10
        ),
        "which functions are in line": lambda: candidates.in_line(c),
        "what becomes ready": lambda: line.promote(c, now),
        "when the next becomes ready": lambda: outlook.next_in_line(c),
        "what lies ahead": lambda: outlook.look(c, "node"),
        "what is due": lambda: tasks.due(c, now, 10),
        "whether anybody waits for an ending": lambda: chains.somebody_waits(c),
        "when the next is due": lambda: tasks.next_due(c, now),
    }


@pytest.mark.parametrize("what", INDEXED)
async def test_each_look_of_a_turn_goes_by_its_own_small_index(lined_up: Any, what: str) -> None:
    database, now = lined_up.app_context.database, lined_up.clock.now()

    with seen_by(database) as seen:
        await database.write(lambda c: looks(c, now)[what]())
    plans = await database.write(lambda c: plans_of(c, seen.statements))

    assert plans
    assert [plan for plan in plans if INDEXED[what] not in plan] == []


async def test_a_forecast_reads_no_whole_table(crowded: Any) -> None:
    database = crowded.app_context.database

    with seen_by(database) as seen:
        told = (await crowded.scheduler.forecast(1)).unwrap()
    plans = await database.write(lambda c: plans_of(c, seen.statements))

    assert told["total"] == 60
    assert len(plans) > 3
    assert [plan for plan in plans if walks_a_table(plan)] == []


async def test_who_watches_reads_no_whole_table(lined_up: Any) -> None:
    database, scheduler = lined_up.app_context.database, lined_up.scheduler
    lined_up.clock.advance(60)
    viewers = [scheduler.watch(execution_id="old1"), scheduler.watch()]

    with seen_by(database) as seen:
        await scheduler.live.look()
        task_id = await lined_up.add()
        await scheduler.live.look()
        for of in (None, task_id):
            (await scheduler.stats(of)).unwrap()
        await scheduler.live.roll_up()
    plans = await database.read(lambda c: plans_of(c, seen.statements))

    assert len(plans) >= 10
    assert [plan for plan in plans if walks_a_table(plan)] == []
    for viewer in viewers:
        viewer.close()
