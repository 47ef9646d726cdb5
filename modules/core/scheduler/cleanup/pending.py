"""Which rows an action that leaves them where they are has not been done with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Boolean, ColumnElement, FromClause, or_

if TYPE_CHECKING:
    from modules.core.scheduler.cleanup.rows_policy import RowsPolicy


def not_done(policy: RowsPolicy, table: FromClause) -> ColumnElement[bool]:
    """Return the condition that a row is not anonymised: its `done_column`, or without one a value, says so."""
    if policy.done_column is None:
        wanted = (policy.anonymise or {}).items()
        return or_(*(table.c[name].is_distinct_from(value) for name, value in wanted))
    done = table.c[policy.done_column]
    return or_(done.is_(None), done.is_(False)) if isinstance(done.type, Boolean) else done.is_(None)
