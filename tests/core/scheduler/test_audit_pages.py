"""A page of the audit costs the same however much was done: it is a walk along an index."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert, text

from framework.caller import Caller, Door, calling
from framework.database import SQLITE
from framework.testing.statements import seen_by
from modules.core.scheduler.audit_tables import audit

ROWS = 2_000
WAYS: dict[str, dict[str, Any]] = {
    "ix_scheduler_audit_at": {},
    "ix_scheduler_audit_actor": {"actor": "ada"},
    "ix_scheduler_audit_target": {"target": "task 7"},
}


@pytest.fixture
async def busy(node: Any) -> Any:
    """A node where much was done."""
    rows = [
        {
            "id": f"{number:06}",
            "at": node.clock.now() - timedelta(minutes=number),
            "actor": f"ada{number % 7 or ''}",
            "door": "api",
            "action": "pause",
            "kind": "task",
            "target": f"task {number % 100}",
        }
        for number in range(ROWS)
    ]

    def fill(c: Connection) -> None:
        c.execute(insert(audit), rows)
        c.execute(text("ANALYZE"))

    await node.app_context.database.write(fill)
    return node


def plan_of(c: Connection, statement: str, parameters: Any) -> str:
    if c.dialect.name != SQLITE:  # of a table so small it would read all of it although there is an index
        c.execute(text("SET LOCAL enable_seqscan = off"))
        c.execute(text("SET LOCAL enable_bitmapscan = off"))
    prefix = "EXPLAIN QUERY PLAN" if c.dialect.name == SQLITE else "EXPLAIN"
    return "\n".join(str(tuple(row)) for row in c.exec_driver_sql(f"{prefix} {statement}", parameters))


async def plan_for(node: Any, **wanted: Any) -> str:
    with seen_by(node.app_context.database) as seen:
        (await node.scheduler.list_audit(**wanted)).unwrap()
    ((statement, parameters),) = [each for each in seen.statements if "scheduler_audit" in each[0]]
    return str(await node.app_context.database.read(lambda c: plan_of(c, statement, parameters)))


async def test_a_page_of_the_audit_walks_along_an_index(busy: Any) -> None:
    for index, wanted in WAYS.items():
        first = (await busy.scheduler.list_audit(**wanted, limit=10)).unwrap()
        later = {**wanted, "cursor": first["next_cursor"]}
        for page in (wanted, later, {**wanted, "since": busy.clock.now() - timedelta(hours=1)}):
            plan = await plan_for(busy, **page, limit=10)
            assert index in plan, plan
            assert "TEMP B-TREE" not in plan, plan
            assert "Sort" not in plan, plan


async def test_whoever_schedules_from_outside_is_counted_by_an_index(node: Any) -> None:
    async def order() -> None: ...

    node.register("order", order, api=True)
    with calling(Caller("ada", Door.API)), seen_by(node.app_context.database) as seen:
        await node.add("order", delay=60)

    ((statement, parameters),) = [each for each in seen.statements if "count(" in each[0]]
    plan = await node.app_context.database.read(lambda c: plan_of(c, statement, parameters))
    assert "ix_scheduler_events_creator" in plan
