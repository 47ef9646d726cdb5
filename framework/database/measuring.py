"""How much a database holds: rows, counted up to a bound, and bytes."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from framework.database.location import POSTGRESQL

MOST = 100_000  # rows of a table that are counted one by one


class Held(NamedTuple):
    """One table: its rows, and whether there are more; its bytes with its indexes, None where that is not known."""

    name: str
    rows: int
    more: bool
    size: int | None


def tables_held(connection: Connection) -> list[Held]:
    """Return what each table holds, by name; no more than `MOST` rows of any are looked at."""
    return [_held(connection, name) for name in sorted(sa.inspect(connection).get_table_names())]


def bytes_held(connection: Connection) -> int:
    """Return the bytes of the database, without what a log beside it holds."""
    if connection.dialect.name == POSTGRESQL:
        return int(connection.execute(sa.select(sa.func.pg_database_size(sa.func.current_database()))).scalar_one())
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    return int(pages) * int(connection.exec_driver_sql("PRAGMA page_size").scalar_one())


def bytes_free(connection: Connection) -> int:
    """Return how many of them are free for new rows; 0 on PostgreSQL, which does not tell."""
    if connection.dialect.name == POSTGRESQL:
        return 0
    pages = connection.exec_driver_sql("PRAGMA freelist_count").scalar_one()
    return int(pages) * int(connection.exec_driver_sql("PRAGMA page_size").scalar_one())


def _held(connection: Connection, name: str) -> Held:
    rows = sa.select(sa.literal(1)).select_from(sa.table(name)).limit(MOST + 1).subquery()
    count = connection.execute(sa.select(sa.func.count()).select_from(rows)).scalar_one()
    size = None
    if connection.dialect.name == POSTGRESQL:
        quoted = connection.dialect.identifier_preparer.quote(name)
        size = connection.execute(sa.select(sa.func.pg_total_relation_size(quoted))).scalar_one()
    return Held(name, min(count, MOST), count > MOST, size)
