"""Rows of an archive file put back into their table, as each database reads its own values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Dialect

from framework.database import SQLITE
from modules.core.scheduler.cleanup.archive_lines import ArchiveError
from modules.core.scheduler.cleanup.live_table import LiveTable, live_table


def put_back(name: str, rows: Sequence[dict[str, Any]], connection: Connection, *, dry_run: bool) -> int:
    """Insert the rows whose keys are free, in a dry run count them; return how many those are."""
    target = live_table(connection, name)
    statement = _seek(connection, target) if dry_run else _insert(connection, target, rows[0])
    restored = 0
    for row in rows:
        _check(target, row, rows[0])
        names = target.key if dry_run else _names(target, row)
        values = tuple(_value(row.get(each), connection.dialect) for each in names)
        answer = connection.exec_driver_sql(statement, values)
        restored += answer.first() is None if dry_run else answer.rowcount
    return restored


def _check(target: LiveTable, row: dict[str, Any], first: dict[str, Any]) -> None:
    if missing := [name for name in row if name not in target.clause.c]:
        raise ArchiveError(f"{target.clause.name!r} has no column {missing[0]!r}")
    if list(row) != list(first) or not set(target.key) <= set(row):
        raise ArchiveError("its rows have not all the same columns, or lack the primary key")


def _names(target: LiveTable, row: dict[str, Any]) -> list[str]:
    return [name for name in row if name in target.given]


def _insert(connection: Connection, target: LiveTable, row: dict[str, Any]) -> str:
    quote = connection.dialect.identifier_preparer.quote_identifier
    names = _names(target, row)
    columns = ", ".join(map(quote, names))
    # A column that is always generated as identity takes its old value, and no other column minds.
    overriding = "" if connection.dialect.name == SQLITE else " OVERRIDING SYSTEM VALUE"
    key = ", ".join(map(quote, target.key))
    return (
        f"INSERT INTO {quote(target.clause.name)} ({columns}){overriding}"
        f" VALUES ({', '.join(_places(connection, target, names))}) ON CONFLICT ({key}) DO NOTHING"
    )


def _seek(connection: Connection, target: LiveTable) -> str:
    quote = connection.dialect.identifier_preparer.quote_identifier
    pairs = zip(target.key, _places(connection, target, target.key), strict=True)
    same = " AND ".join(f"{quote(name)} = {place}" for name, place in pairs)
    return f"SELECT 1 FROM {quote(target.clause.name)} WHERE {same}"


def _places(connection: Connection, target: LiveTable, names: Sequence[str]) -> list[str]:
    if connection.dialect.name == SQLITE:
        return ["?"] * len(names)
    kinds = _kinds(connection, target.clause.name)
    return [f"CAST(CAST(${place} AS text) AS {kinds[name]})" for place, name in enumerate(names, 1)]


def _kinds(connection: Connection, name: str) -> dict[str, str]:
    """The types of PostgreSQL's columns, without their lengths: a cast to a length cuts, an insert refuses."""
    query = (
        "SELECT attname, format_type(atttypid, -1) FROM pg_attribute"
        " WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped"
    )
    quoted = connection.dialect.identifier_preparer.quote_identifier(name)
    return {str(row[0]): str(row[1]) for row in connection.exec_driver_sql(query, (quoted,))}


def _value(value: Any, dialect: Dialect) -> Any:
    if dialect.name == SQLITE or value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)
