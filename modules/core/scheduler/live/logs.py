"""Log lines of an execution, by pages."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row

from modules.core.scheduler.commands import must_find_execution
from modules.core.scheduler.pages import check_limit
from modules.core.scheduler.refusing import refuse
from modules.core.scheduler.store import log_lines

FIELDS = ("number", "at", "level", "logger", "message")


def log_page(c: Connection, execution_id: str, after: object, limit: int) -> dict[str, Any]:
    """Return a page of lines, or refuse with `EXECUTION_NOT_FOUND`, `INVALID_LIMIT` or `INVALID_CURSOR`."""
    check_limit(limit)
    if isinstance(after, bool) or not isinstance(after, int) or not 0 <= after < 2**31:
        refuse("INVALID_CURSOR", f"lines are numbered from 1; `after` is such a number, or 0, not {after!r:.30}")
    execution = must_find_execution(c, execution_id)
    rows = log_lines.page(c, execution.id, after, limit + 1)
    lines = [line_view(row) for row in rows[:limit]]
    following = lines[-1]["number"] if len(rows) > limit else None
    return {"execution_id": execution.id, "state": execution.state, "lines": lines, "next_after": following}


def line_view(row: Row[Any]) -> dict[str, Any]:
    """Return a line as it is shown."""
    return {name: getattr(row, name) for name in FIELDS}
