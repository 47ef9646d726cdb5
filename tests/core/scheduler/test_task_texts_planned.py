"""Pages of all tasks keep one plan on PostgreSQL, which holds also when a table has grown since it was made."""

from __future__ import annotations

from typing import Any

import pytest
from page_texts import HOURLY, schedule, texts
from sqlalchemy import Connection, text

pytestmark = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)

ITS_OWN = "SELECT name, generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE :like"
BEHIND = "%is_open%<%"  # the page behind a cursor
AS_GIVEN = "'shift', 'later', 1, '2031-01-01T00:00:00Z', 'x', 21"  # in the order of the statement


def planned(c: Connection) -> tuple[int, int, str]:
    """Return how often this session has used one plan for all values, how often another, and the first."""
    name, generic, custom = c.execute(text(ITS_OWN), {"like": BEHIND}).one()
    plan = c.exec_driver_sql(f'EXPLAIN EXECUTE "{name}"({AS_GIVEN})')
    return generic, custom, "\n".join(row[0] for row in plan)


async def test_a_page_of_few_tasks_is_planned_once_as_one_of_very_many(node: Any) -> None:
    for _ in range(3):
        await schedule(node, HOURLY)
    await node.app_context.database.write(lambda c: c.exec_driver_sql("ANALYZE scheduler_events"))
    cursor = (await texts(node).page({}, 1, None)).unwrap().decode().rpartition('"next_cursor":"')[2][:-2]

    for _ in range(2):
        await texts(node).page({}, 20, cursor)
    generic, custom, plan = await node.app_context.database.glance(planned, planned_once=True)

    assert (generic, custom) == (2, 0)
    assert "ix_scheduler_events_created" in plan
    assert not any(word in plan for word in ("Seq Scan", "Sort", "hashed"))
