"""On PostgreSQL a turn finds the rows that it changes by their ids, never among all that is and was open.

Of what was open, the dead entries stay in the indexes for as long as somebody holds an old snapshot.
"""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection

from framework.testing.statements import seen_by
from modules.core.scheduler.store import nodes

CHANGED = ("UPDATE scheduler_executions SET", "UPDATE scheduler_events SET")
pytestmark = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)


def plans_in_a_turn(c: Connection, statements: list[tuple[str, Any]]) -> dict[str, str]:
    """Return how PostgreSQL would carry out, in a turn, each statement that changes rows."""
    nodes.lease_of(c, "somebody")
    changes = {text: values for text, values in statements if any(each in text for each in CHANGED)}
    explained = {text: c.exec_driver_sql(f"EXPLAIN {text}", values) for text, values in changes.items()}
    return {text: "\n".join(row[0] for row in plan) for text, plan in explained.items()}


async def test_what_a_turn_changes_is_found_by_its_id(node: Any) -> None:
    await node.add_every(10, overlap="allow")
    await node.scheduler.run_due()

    with seen_by(node.app_context.database) as seen:
        await node.pass_time(10)
    plans = await node.app_context.database.write(lambda c: plans_in_a_turn(c, seen.statements))

    assert len(node.runs) == 1
    assert len(plans) >= 4  # moved on, started, ended, told
    assert [plan for plan in plans.values() if "_pkey" not in plan or " ix_" in plan or "Seq Scan" in plan] == []
