"""Rows carried from one database to another: what a column means on both, and how each is told to hold still."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, localcontext
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection, Dialect, MetaData, Table, TableClause
from sqlalchemy.types import NullType, TypeDecorator, TypeEngine

from framework.database.location import POSTGRESQL, SQLITE
from framework.database.moments import UtcDateTime
from framework.errors import FrameworkError

_MODULUS = 2**256


class CopyRefused(FrameworkError):  # noqa: N818  # named after what is the case
    """Something cannot be carried over as it is; the message names it."""


class Digest:
    """The number of rows and a digest of them all, in whatever order they come."""

    def __init__(self, of_json: Collection[str]) -> None:
        """`of_json` are the columns of whose text only what it says counts, not how."""
        self.rows = 0
        self._sum = 0
        self._of_json = of_json

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Take rows in."""
        for row in rows:
            values = dict(row) | {name: _said(row[name]) for name in self._of_json}
            told = json.dumps(values, sort_keys=True, default=_as_text)
            self._sum = (self._sum + int.from_bytes(hashlib.sha256(told.encode()).digest(), "big")) % _MODULUS
            self.rows += 1

    @property
    def text(self) -> str:
        """The digest as 64 hexadecimal digits; the same for the same rows, on any database."""
        return f"{self._sum:064x}"


class Sides(NamedTuple):
    """One table on two databases, such that what is read from the one can be written into the other."""

    source: TableClause
    target: TableClause
    of_json: frozenset[str]


def table_names(connection: Connection) -> set[str]:
    """Return the names of all tables."""
    return set(sa.inspect(connection).get_table_names())


def reflected(connection: Connection, names: Collection[str]) -> list[Table]:
    """Return these tables as the database has them, each behind those that it points to."""
    metadata = MetaData()
    metadata.reflect(connection, only=lambda name, _: name in names)
    return metadata.sorted_tables


def sides(source: Table, target: Table, dialects: tuple[str, str]) -> Sides:
    """Return a table on both sides; raises `CopyRefused` where its columns differ, or one cannot be carried over."""
    if set(source.columns.keys()) != set(target.columns.keys()):
        raise CopyRefused(f"the table {source.name} has other columns there than here")
    columns: tuple[list[Any], list[Any]] = ([], [])
    for column in source.columns:
        if column.computed is None:
            pair = (column.type, target.columns[column.name].type)
            for side, dialect in zip(columns, dialects, strict=True):
                meaning = _meaning(pair, dialects, dialect, f"{source.name}.{column.name}")
                side.append(sa.column(column.name, meaning))
    of_json = {each.name for side in columns for each in side if isinstance(each.type, _Json)}
    return Sides(sa.table(source.name, *columns[0]), sa.table(source.name, *columns[1]), frozenset(of_json))


def hold_still(connection: Connection, tables: Iterable[Table]) -> None:
    """Let nobody else write into these tables until the transaction ends; on SQLite nobody can."""
    names = [connection.dialect.identifier_preparer.format_table(table) for table in tables]
    if connection.dialect.name == POSTGRESQL and names:
        connection.exec_driver_sql(f"LOCK TABLE {', '.join(names)} IN EXCLUSIVE MODE")


def go_on_counting(connection: Connection, table: Table) -> None:
    """Let columns that count by themselves go on behind what they hold; SQLite does so anyway."""
    if connection.dialect.name != POSTGRESQL:
        return
    for column in table.columns:
        if column.identity is not None or "nextval(" in str(getattr(column.server_default, "arg", "")):
            quoted = connection.dialect.identifier_preparer.format_table(table)
            sequence = sa.func.pg_get_serial_sequence(quoted, column.name)
            highest = connection.execute(sa.select(sa.func.max(column))).scalar()
            if highest is not None:
                connection.execute(sa.select(sa.func.setval(sequence, highest)))


def _meaning(
    pair: tuple[TypeEngine[Any], TypeEngine[Any]], dialects: tuple[str, str], here: str, name: str
) -> TypeEngine[Any]:
    """Return as what a column is read and written here; PostgreSQL's type says what is in it."""
    if dialects == (SQLITE, SQLITE):
        return NullType()
    told = pair[dialects.index(POSTGRESQL)]
    if isinstance(told, sa.JSON):
        return _Json(told) if here == POSTGRESQL else sa.Text()
    if isinstance(told, sa.DateTime):
        return _Moment() if told.timezone else sa.DateTime()
    if isinstance(told, sa.Numeric) and not isinstance(told, sa.Float):
        return sa.Numeric() if here == POSTGRESQL else _Exact()
    for kind in (sa.Float, sa.Boolean, sa.Uuid, sa.LargeBinary, sa.Date, sa.Time, sa.BigInteger, sa.Integer, sa.String):
        if isinstance(told, kind):
            return kind()
    raise CopyRefused(f"the column {name} has the type {told}, which cannot be carried over")


class _Moment(UtcDateTime):
    """Unlike its parent, it refuses what is no moment: that would be lost on the way."""

    cache_ok = True

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        moment = super().process_result_value(value, dialect)
        if moment is None and value is not None:
            raise CopyRefused(f"{str(value)[:100]!r} is no moment; correct or delete the row")
        return moment


class _Exact(TypeDecorator[Decimal]):
    """A decimal number in SQLite, which has none."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, _dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: Any, _dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(str(value))


class _Json(TypeDecorator[str]):
    """JSON in PostgreSQL as its text, so that a null in it stays one, and a number as exact as it is."""

    impl = sa.Text
    cache_ok = False

    def __init__(self, stored: TypeEngine[Any]) -> None:
        super().__init__()
        self.stored = stored

    def bind_expression(self, bindvalue: Any) -> Any:
        return sa.cast(bindvalue, self.stored)

    def column_expression(self, column: Any) -> Any:
        return sa.cast(column, sa.Text)


def _said(text: str | None) -> Any:
    """Return what JSON says; numbers are apart from texts, and alike where they are equal."""
    return None if text is None else [json.loads(text, parse_float=Decimal, parse_int=Decimal)]


def _as_text(value: Any) -> Any:
    if isinstance(value, (bytes, memoryview)):
        return bytes(value).hex()
    if isinstance(value, Decimal):
        with localcontext(Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)):
            return [str(value.normalize())]
    return str(value)
