"""The condemned rows of the next stretch of a table, read outside of any write transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, select, true, tuple_

from modules.core.scheduler.cleanup.table_rows import Key
from modules.core.scheduler.cleanup.target import Target, limits

EXAMINED_PER_READ = 20_000
EXAMINED_WITH_GROUPS = 100_000  # each read numbers the rows of all groups


def candidates(
    target: Target, names: Sequence[str], place: Key | None, room: int, connection: Connection
) -> tuple[list[Key], Key | None]:
    """Return condemned rows of the next stretch, in order, and where it ends; None at the end of the table.

    A row is given by what it is walked by, `names`, and its date behind that where it is not walked by that.

    A stretch bounds what is looked at: rows that stay would else be read over and over.
    """
    policy, rows, table = target.policy, target.rows, target.table
    columns = [rows.raw(table, name) for name in names]
    order: Any = columns[0] if len(columns) == 1 else tuple_(*columns)
    after = true() if place is None else order > _comparable(place)
    by_date = names[0] == rows.date_column and rows.is_indexed
    within = limits(policy, rows, target.now, target.too_much) if by_date else true()
    groups = policy.keep_newest is not None and policy.keep_newest.per
    examined = EXAMINED_WITH_GROUPS if groups else EXAMINED_PER_READ
    stretch = select(*columns).where(within, after).order_by(*columns).offset(examined - 1).limit(1)
    end = connection.execute(stretch).first()
    upto = true() if end is None else order <= _comparable(tuple(end))
    dated = columns if names[0] == rows.date_column else [*columns, rows.raw(table, rows.date_column)]
    found = select(*dated).where(target.condemned, after, upto).order_by(*columns).limit(room)
    return _fetch(found, connection), None if end is None else tuple(end)


def _fetch(statement: Select[Any], connection: Connection) -> list[Key]:
    return [tuple(row) for row in connection.execute(statement)]


def _comparable(place: Key) -> Any:
    return place[0] if len(place) == 1 else place
