"""The rows of a table as the database has it now: its columns, its key, and how its rows are told apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    DateTime,
    Dialect,
    Float,
    FromClause,
    Integer,
    Numeric,
    Select,
    String,
    TableClause,
    and_,
    column,
    false,
    func,
    or_,
    select,
    table,
    true,
    tuple_,
    type_coerce,
)
from sqlalchemy.sql import quoted_name
from sqlalchemy.types import NullType, TypeEngine

from framework.database import one_of
from modules.core.scheduler.cleanup.filters import Related
from modules.core.scheduler.cleanup.moments import is_moment, keeps_dates_as_text

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class TableRows:
    """A table, and the conditions on its rows that a policy is made of. `source` is the table or an alias of it."""

    table: TableClause
    key: tuple[str, ...]
    """Columns of the primary key; empty where there is none."""
    date_column: str
    where: Mapping[str, Any]
    nullable: frozenset[str]
    dialect: Dialect
    is_indexed: bool
    """Whether an index begins with the date column."""
    has_group_index: bool
    """Whether an index begins with the columns that make groups."""
    has_addresses: bool
    """Whether the place where a row lies tells it from all others."""
    related: tuple[tuple[str, TableClause, Related], ...] = ()
    """Columns whose values must be found in another table."""

    def raw(self, source: FromClause, name: str) -> ColumnElement[Any]:
        """Return a column whose values come and go as they are stored: what is compared again must be the same."""
        found = source.c[name]
        return type_coerce(found, NullType()) if self.is_loose else found

    def key_columns(self, source: FromClause) -> list[ColumnElement[Any]]:
        """Return the columns of the key, under names that no table of anybody's would collide with."""
        return [self.raw(source, name).label(f"key_{place}") for place, name in enumerate(self.key)]

    def key_of(self, source: FromClause) -> ColumnElement[Any]:
        """Return the key as one expression."""
        columns = [self.raw(source, name) for name in self.key]
        return columns[0] if len(columns) == 1 else tuple_(*columns)

    def among(self, source: FromClause, keys: Sequence[Key]) -> ColumnElement[bool]:
        """Return the condition that a row is one of these."""
        if len(self.key) != 1:
            return self.key_of(source).in_([tuple(key) for key in keys])
        return one_of(self.key_of(source), [key[0] for key in keys], self.dialect)

    def by_age(self, source: FromClause) -> list[ColumnElement[Any]]:
        """Return the date and the key: what tells an older row from a newer one."""
        return [self.raw(source, name) for name in (self.date_column, *self.key)]

    def by_age_of(self, source: FromClause) -> Any:
        """Return the date and the key as one expression, to be compared with another one or with a tuple."""
        return tuple_(*self.by_age(source))

    def dated(self, source: FromClause) -> ColumnElement[bool]:
        """Return the condition that the date can be read as a moment."""
        return is_moment(source.c[self.date_column], self.dialect)

    def fits(self, source: FromClause) -> ColumnElement[bool]:
        """Return the condition that a row fits the equality filters, those on other tables too."""
        found = (source.c[name].in_(_values(other, rule)) for name, other, rule in self.related)
        return and_(true(), *(_fits(source.c[name], value) for name, value in self.where.items()), *found)

    def is_tagged(self, filters: Mapping[str, Any]) -> ColumnElement[bool]:
        """Return the condition that a row fits these equality filters; never null, as a tag that is not set is none."""
        fitting = and_(true(), *(_fits(self.table.c[name], value) for name, value in filters.items()))
        return func.coalesce(fitting, false())

    def same_group(self, source: FromClause, names: Sequence[str]) -> ColumnElement[bool] | None:
        """Return the condition that a row of `source` is of a row's group, or None where no index would help."""
        can_be_null = any(name in self.nullable for name in names)
        if not self.has_group_index or (can_be_null and not self.is_loose):  # PostgreSQL finds nulls by no index
            return None
        return and_(*(source.c[name].is_not_distinct_from(self.table.c[name]) for name in names))

    def holds(self, name: str) -> ColumnElement[bool]:
        """Return the condition that a column is neither null nor false, 0 or empty."""
        found = self.table.c[name]
        is_set = found.is_not(None)
        if self.is_loose:  # a column may hold what its type does not say
            return and_(is_set, self.raw(self.table, name).not_in([0, ""]))
        if isinstance(found.type, Boolean):
            return and_(is_set, found.is_(True))
        if isinstance(found.type, Integer | Numeric | Float):
            return and_(is_set, found != 0)
        return and_(is_set, found != "") if isinstance(found.type, String) else is_set

    @property
    def is_loose(self) -> bool:
        """Whether the database keeps values as they come, whatever the column's type."""
        return keeps_dates_as_text(DateTime(), self.dialect)


def clause(name: str, kinds: Mapping[str, TypeEngine[Any]]) -> TableClause:
    """Return the table of this name with columns of these types, all quoted."""
    columns = [column(quoted_name(field, quote=True), kind) for field, kind in kinds.items()]
    return table(quoted_name(name, quote=True), *columns)


def _values(other: TableClause, rule: Related) -> Select[Any]:
    """Select what is in a column of another table, which may be the same one, in rows that fit."""
    looked_up = other.alias("looked_up")
    fitting = (_fits(looked_up.c[name], value) for name, value in (rule.where or {}).items())
    return select(looked_up.c[rule.column]).where(looked_up.c[rule.column].is_not(None), *fitting).correlate(None)


def _fits(target: ColumnElement[Any], value: object) -> ColumnElement[bool]:
    if value is None:
        return target.is_(None)
    if not isinstance(value, list):
        return target == value
    listed = target.in_([item for item in value if item is not None])
    return or_(listed, target.is_(None)) if None in value else listed
