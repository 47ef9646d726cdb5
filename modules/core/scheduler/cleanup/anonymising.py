"""Rows kept without what tells whose they are: columns become a constant, null, or a keyed pseudonym."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Connection, TableClause, select, update

from modules.core.scheduler.cleanup.actions import Action, ActionError
from modules.core.scheduler.cleanup.moments import as_value
from modules.core.scheduler.cleanup.rows_action import PSEUDONYM
from modules.core.scheduler.cleanup.rows_policy import RowsPolicy
from modules.core.scheduler.cleanup.table_rows import Key
from modules.core.scheduler.cleanup.target import Target

PSEUDONYM_LENGTH = 32


def pseudonym(secret: bytes, value: str) -> str:
    """Return 32 hexadecimal digits that stand for the value wherever it occurs (HMAC-SHA256, RFC 2104, cut in half)."""
    return hmac.new(secret, value.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:PSEUDONYM_LENGTH]


class Anonymise(Action):
    """Sets columns, and the `done_column` where there is one."""

    done = "anonymised"
    deletes = False

    def __init__(self, policy: RowsPolicy, now: datetime, secret: bytes | None) -> None:
        columns = (policy.anonymise or {}).items()
        self._constants = {name: value for name, value in columns if value != PSEUDONYM}
        self._hashed = [name for name, value in columns if value == PSEUDONYM]
        self._done_column = policy.done_column
        self._now = now
        self._secret = secret

    def __call__(self, connection: Connection, target: Target, keys: Sequence[Key]) -> int:
        table, mine = target.table, target.rows.among(target.table, keys)
        constants = self._constants | self._mark(table)
        if not self._hashed:
            return connection.execute(update(table).where(mine).values(constants)).rowcount
        for name in self._hashed:
            self._hash(connection, table, name, mine)
        if constants:
            connection.execute(update(table).where(mine).values(constants))
        return len(keys)

    def _hash(self, connection: Connection, table: TableClause, name: str, mine: ColumnElement[bool]) -> None:
        """Rows are told by what they hold: one statement for each value, as many rows as have it."""
        if self._secret is None:
            raise ActionError("pseudonyms need the setting housekeeper_pseudonym_key")
        column = table.c[name]
        for value in connection.scalars(select(column).where(mine, column.is_not(None)).distinct()).all():
            stands_for = {name: pseudonym(self._secret, str(value))}
            connection.execute(update(table).where(mine, column == value).values(stands_for))

    def _mark(self, table: TableClause) -> dict[str, Any]:
        if self._done_column is None:
            return {}
        kind = table.c[self._done_column].type
        return {self._done_column: True if isinstance(kind, Boolean) else as_value(kind, self._now)}
