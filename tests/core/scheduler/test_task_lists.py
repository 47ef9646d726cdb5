"""What stands beside a list of tasks costs the same however many there are, and however often each has run."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from query_plans import plans_of, walks_a_table
from sqlalchemy import Connection, text

from framework.database import SQLITE
from framework.testing.statements import seen_by
from modules.core.scheduler import task_lists
from modules.core.scheduler.store import task_pages
from modules.core.scheduler.store.tasks import COLUMNS
from modules.core.scheduler.tables import events


def of_runs(seen: Any) -> list[tuple[str, Any]]:
    """Return the statements but for those of what watches in the background."""
    return [each for each in seen.statements if each[0].startswith("SELECT anon_")]


async def test_the_last_runs_of_every_task_are_read_in_one_statement_newest_first(node: Any) -> None:
    often, seldom = await node.add_every(60), await node.add_every(120)
    for _ in range(4):
        await node.pass_time(60)

    with seen_by(node.app_context.database) as seen:
        runs = (await node.scheduler.recent_runs([often, seldom, "none"], count=3)).unwrap()

    assert len(of_runs(seen)) == 1
    assert [len(runs[each]) for each in (often, seldom, "none")] == [3, 2, 0]
    assert runs[often] == sorted(runs[often], key=lambda run: run["scheduled_for"], reverse=True)
    assert {run["state"] for run in runs[often]} == {"succeeded"}


async def test_the_last_runs_are_a_walk_along_an_index(node: Any) -> None:
    task_id = await node.add_every(60)
    with seen_by(node.app_context.database) as seen:
        (await node.scheduler.recent_runs([task_id] * 2)).unwrap()
    ((statement, parameters),) = of_runs(seen)

    def plan(c: Connection) -> str:
        if c.dialect.name != SQLITE:
            c.execute(text("SET LOCAL enable_seqscan = off"))
            c.execute(text("SET LOCAL enable_bitmapscan = off"))
        prefix = "EXPLAIN QUERY PLAN" if c.dialect.name == SQLITE else "EXPLAIN"
        return "\n".join(str(tuple(row)) for row in c.exec_driver_sql(f"{prefix} {statement}", parameters))

    told = await node.app_context.database.read(plan)

    assert "scheduler_executions" in told
    assert "TEMP B-TREE" not in told
    assert "Sort" not in told


async def test_a_page_of_runs_has_an_end(node: Any) -> None:
    for refused in (([str(number) for number in range(501)], 20), (["a"], 51), (["a"], 0)):
        assert (await node.scheduler.recent_runs(*refused)).error.code == "INVALID_LIMIT"


async def test_tasks_are_counted_as_they_would_be_listed_and_no_further_than_makes_sense(
    node: Any, monkeypatch: Any
) -> None:
    for number in range(5):
        await node.add_every(60 + number, tags=["night"] if number % 2 else [])
    monkeypatch.setattr(task_lists, "MOST_COUNTED", 3)

    counts = [(await node.scheduler.count_tasks(**asked)).unwrap() for asked in ({"search": "note"}, {"tag": "night"})]

    assert counts == [{"count": 3, "is_cut": True}, {"count": 2, "is_cut": False}]


async def test_tasks_are_listed_by_the_type_of_their_trigger_also_of_one_within(node: Any) -> None:
    cron = {"type": "cron", "expression": "0 2 * * *"}
    ids = {
        "cron": await node.add(cron="0 1 * * *"),
        "interval": await node.add_every(60),
        "after_end": await node.add_every(60, after_end=True),
        "date": await node.add(delay=60),
        "any": await node.add(trigger={"type": "any", "triggers": [cron, {"type": "interval", "hours": 5}]}),
    }

    async def listed(kind: str) -> set[str]:
        page = (await node.scheduler.list_tasks(trigger=kind, module_id="acme.test")).unwrap()
        return {task["id"] for task in page["tasks"]}

    assert await listed("cron") == {ids["cron"], ids["any"]}
    assert await listed("interval") == {ids["interval"], ids["after_end"], ids["any"]}
    assert await listed("date") == {ids["date"]}
    assert await listed("any") == {ids["any"]}
    assert await listed("%") == set()


async def copy_far_ones(node: Any, number: int) -> None:
    """Store so many copies of one task, which have never run."""
    task_id = await node.add(name="far", cron="0 3 1 1 *")
    names = [column.name for column in events.columns if column.name != "id"]
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :number)"
    copies = f"SELECT 'copy-' || i, {', '.join(names)} FROM n CROSS JOIN scheduler_events WHERE id = :id"
    insert = f"INSERT INTO scheduler_events (id, {', '.join(names)}) {numbers} {copies}"
    await node.app_context.database.write(lambda c: c.execute(text(insert), {"number": number, "id": task_id}))
    await node.app_context.database.write(lambda c: c.execute(text("ANALYZE scheduler_events")))


async def test_a_list_of_few_among_many_tasks_begins_where_they_are(node: Any) -> None:
    await copy_far_ones(node, 20_000)
    failed, other = await node.add(name="failed", delay=3600), await node.add(name="other", delay=3600)
    await node.damage(failed, status="failed")
    await node.damage(other, module_id="acme.other")
    running = await node.add()
    await node.scheduler.turn()
    rare = {
        "ix_scheduler_events_rare": ({"status": "failed"}, failed),
        "ix_scheduler_events_module": ({"module_id": "acme.other"}, other),
        "ix_scheduler_executions_open": ({"status": "running"}, running),
    }

    for index, (filters, only) in rare.items():
        with seen_by(node.app_context.database) as seen:
            page = (await node.scheduler.list_tasks(**filters)).unwrap()
            count = (await node.scheduler.count_tasks(**filters)).unwrap()
        plans = await node.app_context.database.read(partial(plans_of, statements=list(seen.statements)))

        assert ([task["id"] for task in page["tasks"]], page["next_cursor"]) == ([only], None)
        assert count == {"count": 1, "is_cut": False}
        assert any(index in plan for plan in plans)
        assert [plan for plan in plans if walks_a_table(plan) or "ix_scheduler_events_created" in plan] == []


async def test_a_filter_without_an_index_looks_at_so_many_tasks_and_goes_on_from_there(
    node: Any, monkeypatch: Any
) -> None:
    tagged = [await node.add_every(60, tags=["night"]) for _ in range(2)]
    for _ in range(25):
        await node.add_every(60)
    monkeypatch.setattr(task_pages, "MOST_LOOKED_AT", 10)

    pages, cursor = [], None
    while not pages or cursor is not None:
        page = (await node.scheduler.list_tasks(tag="night", module_id="acme.test", cursor=cursor)).unwrap()
        pages.append([task["id"] for task in page["tasks"]])
        cursor = page["next_cursor"]

    assert pages == [[], [], tagged[::-1]]
    assert (await node.scheduler.count_tasks(tag="night")).unwrap() == {"count": 0, "is_cut": True}
    assert (await node.scheduler.count_tasks(module_id="acme.test")).unwrap() == {"count": 27, "is_cut": False}


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
@pytest.mark.parametrize("filters", [{"search": "nowhere"}, {"function_name": "none"}, {"status": "completed"}])
async def test_tasks_of_one_moment_are_walked_to_the_same_end_where_nothing_fits(
    node: Any, monkeypatch: Any, filters: dict[str, Any]
) -> None:
    await node.add_every(60)
    columns = ", ".join("'x' || nth" if name == "id" else name for name in COLUMNS)
    copied = f"SELECT {columns} FROM scheduler_events, generate_series(1, 2000) nth WHERE key IS NULL"
    for statement in (f"INSERT INTO scheduler_events {copied}", "ANALYZE scheduler_events"):
        await node.app_context.database.write(partial(Connection.exec_driver_sql, statement=statement))
    monkeypatch.setattr(task_pages, "MOST_LOOKED_AT", 10)

    with seen_by(node.app_context.database) as seen:
        page = (await node.scheduler.list_tasks(**filters)).unwrap()
    plans = await node.app_context.database.read(partial(plans_of, statements=list(seen.statements)))

    assert (page["tasks"], page["next_cursor"] is None) == ([], False)
    assert [plan for plan in plans if walks_a_table(plan)] == []
