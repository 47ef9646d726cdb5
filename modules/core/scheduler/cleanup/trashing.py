"""Rows put into the trash: a date column is set, and those that have lain there long enough are deleted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, update

from modules.core.scheduler.cleanup.actions import Action
from modules.core.scheduler.cleanup.moments import as_value
from modules.core.scheduler.cleanup.rows_policy import RowsPolicy
from modules.core.scheduler.cleanup.table_rows import Key
from modules.core.scheduler.cleanup.target import Target


class Trash(Action):
    """Sets the trash column to the moment of the run, by which the rows of one run are told from those of another."""

    done = "trashed"
    deletes = False

    def __init__(self, column: str, now: datetime) -> None:
        self._column = column
        self._now = now

    def __call__(self, connection: Connection, target: Target, keys: Sequence[Key]) -> int:
        table = target.table
        moment = as_value(table.c[self._column].type, self._now)
        statement = update(table).where(target.rows.among(table, keys)).values({self._column: moment})
        return connection.execute(statement).rowcount


def filling(policy: RowsPolicy) -> RowsPolicy:
    """Return the policy of the first half of a run: of the rows outside of the trash."""
    live = {**(policy.where or {}), str(policy.trash_column): None}
    return policy.model_copy(update={"where": live})


def emptying(policy: RowsPolicy) -> RowsPolicy:
    """Return the policy of the second half: what has lain in the trash for long enough is deleted.

    `where`, `where_in`, `hold_column`, `keep_where` and `children` hold for it too; the other rules have
    been asked before.
    """
    rules = ("max_rows", "max_size_mb", "min_age", "keep_newest", "tiers", "min_kept")
    asked = dict.fromkeys((*rules, "trash_column", "trash_for"))
    changes = {"action": "delete", "date_column": policy.trash_column, "max_age": policy.trash_for}
    return policy.model_copy(update={**asked, **changes, "count_kept": False})
