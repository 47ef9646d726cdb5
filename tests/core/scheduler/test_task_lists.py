"""What stands beside a list of tasks costs the same however many there are, and however often each has run."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

from framework.database import SQLITE
from framework.testing.statements import seen_by
from modules.core.scheduler import task_lists


async def test_the_last_runs_of_every_task_are_read_in_one_statement_newest_first(node: Any) -> None:
    often, seldom = await node.add_every(60), await node.add_every(120)
    for _ in range(4):
        await node.pass_time(60)

    with seen_by(node.app_context.database) as seen:
        runs = (await node.scheduler.recent_runs([often, seldom, "none"], count=3)).unwrap()

    assert len(seen.statements) == 1
    assert [len(runs[each]) for each in (often, seldom, "none")] == [3, 2, 0]
    assert runs[often] == sorted(runs[often], key=lambda run: run["scheduled_for"], reverse=True)
    assert {run["state"] for run in runs[often]} == {"succeeded"}


async def test_the_last_runs_are_a_walk_along_an_index(node: Any) -> None:
    task_id = await node.add_every(60)
    with seen_by(node.app_context.database) as seen:
        (await node.scheduler.recent_runs([task_id] * 2)).unwrap()
    ((statement, parameters),) = seen.statements

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
