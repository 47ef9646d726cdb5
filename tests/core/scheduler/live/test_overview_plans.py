"""What is shown first is what an index leads to first, whatever SQLite knows of the tables."""

from __future__ import annotations

from typing import Any

import pytest
from query_plans import plans_of
from sqlalchemy import text

from framework.testing.statements import seen_by

STATISTICS = (
    "ANALYZE",
    "DELETE FROM sqlite_stat1",
    "INSERT INTO sqlite_stat1 VALUES ('scheduler_events', 'sqlite_autoindex_scheduler_events_1', '20004 1')",
    "ANALYZE sqlite_schema",
)
"""Those of a database of which only the tasks have been looked at."""


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("statistics", [(), STATISTICS])
async def test_what_is_wanted_first_is_never_sorted_out_of_all_that_there_is(
    node: Any, statistics: tuple[str, ...]
) -> None:
    await node.add_every(60)
    database = node.app_context.database
    await database.write(lambda c: [c.execute(text(each)) for each in statistics])

    with seen_by(database) as seen:
        await node.scheduler.overview()
        await node.scheduler.get_executions(limit=8)
    plans = await database.read(lambda c: plans_of(c, seen.statements))

    assert len(plans) > 8
    assert [plan for plan in plans if "TEMP B-TREE FOR ORDER BY" in plan] == []
