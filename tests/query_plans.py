"""How a database would carry out what was asked of it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection


def plans_of(c: Connection, statements: list[tuple[str, Any]]) -> list[str]:
    """Return how the database would carry out each statement that names a table of the scheduler."""
    prefix = "EXPLAIN QUERY PLAN" if c.dialect.name == "sqlite" else "EXPLAIN"
    plans = []
    for statement, parameters in statements:
        looks = statement.split()[0] in ("SELECT", "UPDATE") or statement.split()[:2] == ["WITH", "RECURSIVE"]
        if " scheduler_e" in statement and looks:
            rows = c.exec_driver_sql(f"{prefix} {statement}", parameters)
            plans.append("\n".join([statement, *(str(tuple(row)) for row in rows)]))
    return plans


def walks_a_table(plan: str) -> bool:
    """Tell whether a plan reads a whole table of tasks or executions."""
    lines = plan.splitlines()
    sqlite = [line for line in lines if "'SCAN scheduler_e" in line and "INDEX ix_" not in line]
    return bool(sqlite) or any("Seq Scan on scheduler_e" in line for line in lines)
