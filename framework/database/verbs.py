"""Statements that the two databases spell differently, as plain functions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Dialect,
    Enum,
    GenerativeSelect,
    Integer,
    String,
    Table,
    TableClause,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    false,
    func,
    inspect,
    literal_column,
    select,
    text,
    true,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.dml import Insert
from sqlalchemy.util import await_only

from framework.database.location import SQLITE

LOCK_SEED = 0x636861  # sets these names apart from the advisory locks of others

T = TypeVar("T")
Query = TypeVar("Query", bound=GenerativeSelect)


def insert_ignore(table: Table) -> Insert:
    """Insert the rows whose unique keys are free and leave the others out; `rowcount` says how many came in."""
    return _insert(table).on_conflict_do_nothing()


def upsert(table: Table, key_columns: Collection[str], update_columns: Collection[str]) -> Insert:
    """Insert, or where `key_columns` (a unique key) are taken, set `update_columns` from the row that came in."""
    statement = _insert(table)
    news = {name: statement.excluded[name] for name in update_columns}
    return statement.on_conflict_do_update(index_elements=list(key_columns), set_=news)


def for_update(query: Query, of: TableClause | None = None) -> Query:
    """Lock the rows read (`of` one table of a join) until the end; unchanged on SQLite: a writer there is alone."""
    return query.with_for_update(of=of)


def skip_locked(query: Query, of: Table | None = None) -> Query:
    """Read and lock only rows that nobody else holds locked; unchanged on SQLite: a writer there is alone."""
    return query.with_for_update(skip_locked=True, of=of)


def unweighed(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the conditions as one of which no planner guesses how many rows fit: half of them, PostgreSQL supposes.

    For a walk along an index that ends after so many rows. Where hardly any row seems to fit, PostgreSQL would rather
    read the whole table and sort what it finds; and it does not see an end among rows whose first columns are alike.
    """
    return case((and_(*conditions), true()), else_=false())


def try_locks(connection: Connection, names: Collection[str]) -> set[str]:
    """Lock names until the transaction ends, without waiting; return those that nobody else holds locked."""
    if connection.dialect.name == SQLITE:  # a writer there is alone
        return set(names)
    given = func.unnest(cast(list(names), postgresql.ARRAY(Text))).table_valued("name")
    is_free = func.pg_try_advisory_xact_lock(func.hashtextextended(given.c.name, LOCK_SEED))
    return set(connection.execute(select(given.c.name).where(is_free)).scalars())


def bound_waiting(connection: Connection, *, lock_seconds: float, statement_seconds: float) -> None:
    """Let the statements of this transaction wait and last no longer than this; unchanged on SQLite.

    There a writer has waited for its turn before it begins.
    """
    if connection.dialect.name != SQLITE:
        bounds = {"lock_timeout": lock_seconds, "statement_timeout": statement_seconds}
        set_locally = [func.set_config(name, f"{int(seconds * 1000)}ms", True) for name, seconds in bounds.items()]  # noqa: FBT003  # SQL's own
        connection.execute(select(*set_locally))


def commits_of_others(connection: Connection) -> int:
    """Return a number that other connections' commits to a SQLite file change, and those of this one do not."""
    return int(connection.exec_driver_sql("PRAGMA data_version").scalar_one())


def write_log_back(connection: Connection) -> None:
    """Write what a SQLite file's log holds back into the file, as far as no reader needs it, while others write.

    To be the first in `Database.read`: nobody's transaction waits for it, and no commit finds a long log to write back.
    """
    connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")


def lock_names(connection: Connection, names: Iterable[str]) -> None:
    """Lock names until the transaction ends, in one order, waiting for whoever holds them by `try_locks` or this."""
    if connection.dialect.name == SQLITE:
        return
    for name in sorted(names):
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, LOCK_SEED))))


def one_of(column: ColumnElement[Any], values: Sequence[Any], dialect: Dialect) -> ColumnElement[bool]:
    """Return the condition that a column has one of these values, which are of it and not null.

    Integers, texts and UUIDs come as one parameter, however many they are: of each other one a statement knows by name.
    """
    if dialect.name == SQLITE:
        if any(type(value) not in {int, str} or "\0" in str(value) for value in values):  # JSON has no other, or ends
            return column.in_(values)
        given = func.json_each(json.dumps(list(values))).table_valued("value")
        return column.in_(select(given.c.value))
    if isinstance(column.type, Enum) or not isinstance(column.type, (Integer, String, Uuid)):
        return column.in_(values)
    array = bindparam(None, list(values), type_=postgresql.ARRAY(column.type))
    return column.bool_op("=")(func.any(array))


def row_address(dialect: Dialect) -> ColumnElement[Any]:
    """Where a row lies, to tell rows without a key apart; it means something within one transaction only."""
    return literal_column("rowid" if dialect.name == SQLITE else "ctid")


def among_addresses(some: ColumnElement[Any], dialect: Dialect) -> ColumnElement[bool]:
    """Return the condition that a row lies at one of these; on SQLite they are an array of JSON, else a subquery."""
    address: ColumnElement[Any] = row_address(dialect)
    if dialect.name == SQLITE:
        given = func.json_each(some).table_valued("value")
        return address.in_(select(given.c.value))
    return address.bool_op("=")(func.any(func.array(some)))  # which goes there; a query in its place is joined


def has_addresses(connection: Connection, table_name: str) -> bool:
    """Return whether `row_address` tells any two rows of a table apart, which it does not over partitions."""
    if connection.dialect.name == SQLITE:
        inspector = inspect(connection)
        has_rowid = inspector.get_table_options(table_name).get("sqlite_with_rowid", True)
        return has_rowid and "rowid" not in {column["name"].lower() for column in inspector.get_columns(table_name)}
    query = text(
        "SELECT NOT EXISTS (SELECT 1 FROM pg_inherits WHERE inhparent = to_regclass(quote_ident(:name)))"
        " AND (SELECT relkind = 'r' FROM pg_class WHERE oid = to_regclass(quote_ident(:name)))"
    )
    return bool(connection.scalar(query, {"name": table_name}))


def delete_triggers(connection: Connection, table_name: str) -> list[str]:
    """Return the names of the triggers that fire where rows of a table are deleted, sorted."""
    if connection.dialect.name == SQLITE:
        query = text(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :name COLLATE NOCASE"
            " AND replace(replace(sql, char(10), ' '), char(9), ' ') LIKE '% DELETE ON %' ORDER BY name"
        )
    else:
        query = text(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass(quote_ident(:name))"
            " AND NOT tgisinternal AND tgtype & 8 > 0 ORDER BY tgname"
        )
    return list(connection.execute(query, {"name": table_name}).scalars())


def aside(connection: Connection, work: Callable[[], T]) -> T:
    """Do what blocks, such as writing a file, in the middle of a transaction without holding up an event loop."""
    return await_only(asyncio.to_thread(work)) if connection.dialect.is_async else work()


def _insert(table: Table) -> postgresql.Insert:
    # SQLite took ON CONFLICT from PostgreSQL, and its compiler reads this clause as well; tested on both.
    return postgresql.insert(table)
