"""The history is kept by how executions came out, and pruned by statements that no amount of it makes long."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert, text

from framework.clock import new_id
from framework.database import SQLITE
from framework.testing.statements import seen_by
from modules.core.scheduler import history
from modules.core.scheduler.tables import executions

DAY = 86_400.0
KIND = {"succeeded": "succeeded", "failed": "failed", "timed_out": "failed", "lost": "failed"}
KIND |= {"skipped": "skipped", "missed": "skipped", "cancelled": "skipped"}


async def add(node: Any, task_id: str, days_ago: float, state: str = "succeeded") -> str:
    """Insert an execution that ended so many days ago, or that is open and as old."""
    moment = node.clock.now() - timedelta(days=days_ago)
    ended = None if state in ("pending", "running") else moment
    row = {"id": new_id(), "event_id": task_id, "state": state, "origin": "schedule", "function_key": "acme.test:note"}
    row |= {"queue": "default", "line": "held", "rank": 0.0, "attempt": 1, "priority": 0, "missed_count": 0}
    row |= {"retries_used": 0, "crashes": 0, "scheduled_for": moment, "due_at": moment, "created_at": moment}
    await node.app_context.database.write(lambda c: c.execute(insert(executions).values(**row, end_time=ended)))
    return str(row["id"])


async def prune(node: Any, *, dry_run: bool = False) -> dict[str, int]:
    answer = await node.scheduler.run_cleanup("history", dry_run=dry_run)
    (report,) = answer.unwrap()["reports"]
    return dict(report)


async def test_failures_are_kept_longer_than_the_many_runs_that_succeeded(start_node: Any) -> None:
    node = await start_node(keep_succeeded=7, keep_failed=90, keep_skipped=1)
    task_id = await node.add_every(400 * DAY)
    kept = [await add(node, task_id, days, state) for days, state in [(80, "failed"), (70, "lost"), (60, "timed_out")]]
    kept.append(await add(node, task_id, 6, "succeeded"))
    for days, state in [(8, "succeeded"), (95, "failed"), (2, "skipped"), (3, "missed"), (4, "cancelled")]:
        await add(node, task_id, days, state)

    report = await prune(node)

    assert (report["matched"], report["deleted"]) == (5, 5)
    assert [row["id"] for row in await node.history(task_id)] == kept


async def test_each_kind_has_a_number_of_its_own(start_node: Any) -> None:
    node = await start_node(keep_executions_per_task=2, keep_failed_per_task=3)
    task_id = await node.add_every(400 * DAY)
    for minute in range(20):
        await add(node, task_id, minute / 1440 + 0.1, ["succeeded", "failed", "lost", "missed"][minute % 4])

    await prune(node)

    states = Counter(KIND[row["state"]] for row in await node.history(task_id))
    assert states == {"succeeded": 2, "failed": 3, "skipped": 2}


async def test_what_is_open_stays_however_old_it_is(start_node: Any) -> None:
    node = await start_node(keep_execution_history=1, keep_executions_per_task=1)
    task_id = await node.add_every(400 * DAY)
    opened = [await add(node, task_id, 300 - number, state) for number, state in enumerate(["pending", "running"])]

    await prune(node)

    assert [row["id"] for row in await node.history(task_id)] == opened


@pytest.mark.parametrize("seed", range(2))
async def test_what_goes_is_what_a_plain_list_says_and_a_dry_run_says_so_before(start_node: Any, seed: int) -> None:
    chance = random.Random(seed)
    keep = {f"keep_{kind}": chance.randint(1, 20) for kind in ("succeeded", "failed", "skipped")}
    most = {f"{name}_per_task": chance.choice([None, 1, 2, 5]) for name in keep}
    node = await start_node(**keep, **{name: number for name, number in most.items() if number})
    tasks = [await node.add_every(400 * DAY, name=f"task {number}") for number in range(3)]
    rows = []
    for number in range(60):
        age, state, task_id = chance.uniform(0, 25), chance.choice(list(KIND)), chance.choice(tasks)
        rows.append((await add(node, task_id, age + number / 1e6, state), task_id, age + number / 1e6, KIND[state]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history, "PAGE", 7)
        patch.setattr(history, "BATCH", 3)
        dry = await prune(node, dry_run=True)
        done = await prune(node)

    kept = _kept(rows, keep, most)
    assert {row["id"] for row in await node.history()} == kept
    assert (dry["matched"], dry["deleted"]) == (done["deleted"], 0)
    assert done["deleted"] == len(rows) - len(kept)


def _kept(rows: list[Any], keep: Mapping[str, int], most: Mapping[str, int | None]) -> set[str]:
    kept: set[str] = set()
    seen: Counter[tuple[str, str]] = Counter()
    for row_id, task_id, age, kind in sorted(rows, key=lambda row: row[2]):
        if age > keep[f"keep_{kind}"]:
            continue
        seen[task_id, kind] += 1
        number = most[f"keep_{kind}_per_task"]
        if number is None or seen[task_id, kind] <= number:
            kept.add(row_id)
    return kept


async def test_no_statement_walks_a_table_however_much_history_there_is(start_node: Any) -> None:
    node = await start_node(keep_succeeded=1, keep_executions_per_task=10)
    database = node.app_context.database
    task_id = await node.add_every(400 * DAY)
    await add(node, task_id, 5)
    await database.write(_multiply)
    with seen_by(database) as seen, pytest.MonkeyPatch.context() as patch:
        patch.setattr(history, "PAGE", 500)
        await prune(node)

    asked = {
        statement: parameters
        for statement, parameters in seen.statements
        if statement.startswith(("SELECT", "DELETE")) and "scheduler_executions" in statement
    }
    plans = await database.read(lambda c: {statement: _plan(c, statement, asked[statement]) for statement in asked})
    assert len(plans) >= 3
    assert [plan for plan in plans.values() if "Seq Scan" in plan or "SCAN scheduler_executions')" in plan] == []
    assert [plan for plan in plans.values() if "Sort" in plan or "TEMP B-TREE" in plan] == []


async def test_a_purge_of_much_is_many_short_transactions(start_node: Any) -> None:
    node = await start_node(keep_executions_per_task=10)
    await add(node, await node.add_every(400 * DAY), 1)
    await node.app_context.database.write(_multiply)

    with seen_by(node.app_context.database) as seen:
        pruned = await prune(node)

    writes = _transactions(seen.all)
    deletes = [params for each in writes for text, params in each if text.startswith("DELETE FROM scheduler_exec")]
    assert pruned["deleted"] == sum(map(len, deletes)) == 4991
    assert max(map(len, deletes)) <= history.BATCH
    assert max(map(len, writes)) <= 4


def _transactions(seen: list[tuple[str, Any]]) -> list[list[tuple[str, Any]]]:
    """Return the statements of each transaction that was committed."""
    done: list[list[tuple[str, Any]]] = []
    current: list[tuple[str, Any]] = []
    for statement, parameters in seen:
        if statement == "COMMIT":
            done.append(current)
        if statement.startswith(("BEGIN", "COMMIT", "ROLLBACK")):
            current = []
        else:
            current.append((statement, parameters))
    return done


def _multiply(c: Connection) -> None:
    names = [column.name for column in executions.columns]
    values = {"id": "id || i", "scheduled_for": "scheduled_for", "attempt": "i + 1"}
    columns = ", ".join(values.get(name, name) for name in names)
    series = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)"
    into, source = f"INSERT INTO scheduler_executions ({', '.join(names)})", "FROM n, scheduler_executions"
    c.execute(text(f"{series} {into} SELECT {columns} {source}"))
    c.execute(text("ANALYZE"))


def _plan(c: Connection, statement: str, parameters: Any) -> str:
    if c.dialect.name != SQLITE:  # of a table so small it would read all of it although there is an index
        c.execute(text("SET LOCAL enable_seqscan = off"))
    prefix = "EXPLAIN QUERY PLAN" if c.dialect.name == SQLITE else "EXPLAIN"
    return "\n".join(str(tuple(row)) for row in c.exec_driver_sql(f"{prefix} {statement}", parameters))


async def test_a_rate_limit_holds_across_a_cleanup(start_node: Any) -> None:
    node = await start_node(keep_executions_per_task=1)
    await node.add_every(60, overlap="allow", rate_limit="3/day")
    for _ in range(5):
        await node.pass_time(60)

    dry = await prune(node, dry_run=True)
    pruned = await prune(node)
    for _ in range(3):
        await node.pass_time(60)
    within = len(node.runs)
    node.clock.advance(2 * 24 * 3600)
    later = await prune(node)

    assert within == 3
    assert (dry["matched"], pruned["deleted"]) == (0, 0)
    assert later["deleted"] == 2
