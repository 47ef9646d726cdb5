"""From a SQLAlchemy selectable to what a policy stores of it: a table's name and equality filters, no SQL text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, Select, Table, select
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import (
    BinaryExpression,
    BindParameter,
    BooleanClauseList,
    False_,
    Grouping,
    Null,
    True_,
)

POSSIBLE = (
    "a Table, a mapped class, or select() of one of them whose where() joins by 'and' nothing but "
    "column == value, column.in_(values) and column.is_(None)"
)


class SelectableError(ValueError):
    """What was given cannot be stored as a table and equality filters; the message says what can."""


def table_and_filters(given: object) -> tuple[Table, dict[str, Any]]:
    """Return the table of a selectable, and its conditions as `where` has them; raises `SelectableError`."""
    if not isinstance(given, Select):
        return _table(getattr(given, "__table__", given)), {}
    froms = given.get_final_froms()
    if len(froms) != 1:
        raise SelectableError(f"rows of one table are cleaned; {POSSIBLE} is possible")
    table = _table(froms[0])
    if not _is_plain(given):
        raise SelectableError(f"a select that orders, groups, limits or computes means no rows of a table; {POSSIBLE}")
    filters: dict[str, Any] = {}
    for name, value in _conditions(given.whereclause):
        if name in filters:
            raise SelectableError(f"{name!r} is compared twice; give one value, or a list of them")
        filters[name] = value
    return table, filters


def _table(given: object) -> Table:
    if not isinstance(given, Table):
        raise SelectableError(f"a SQLAlchemy Table or a mapped class is needed; {POSSIBLE} is possible")
    if given.schema is not None:
        raise SelectableError(f"{given.name!r} lies in a schema of its own")
    return given


def _is_plain(given: Select[Any]) -> bool:
    """Whether it says which rows, and nothing else: written anew from its columns and conditions it is the same."""
    columns = list(given.selected_columns)
    bare = select(*columns)
    if given.whereclause is not None:
        bare = bare.where(given.whereclause)
    return all(isinstance(column, Column) for column in columns) and str(bare) == str(given)


def _conditions(clause: object) -> Iterator[tuple[str, Any]]:
    if clause is None:
        return
    if isinstance(clause, Grouping):
        yield from _conditions(clause.element)
    elif isinstance(clause, BooleanClauseList) and clause.operator is operators.and_:
        for part in clause.clauses:
            yield from _conditions(part)
    else:
        yield _condition(clause)


def _condition(clause: object) -> tuple[str, Any]:
    if isinstance(clause, BinaryExpression) and clause.operator in (operators.eq, operators.in_op, operators.is_):
        column, other = clause.left, clause.right
        if isinstance(column, Column) and isinstance(other, BindParameter | Null | True_ | False_):
            return str(column.name), _value(other)
    raise SelectableError(f"{str(clause)!r:.80} cannot be stored as a filter; {POSSIBLE} is possible")


def _value(other: BindParameter[Any] | Null | True_ | False_) -> Any:
    if isinstance(other, BindParameter):
        return list(other.value) if isinstance(other.value, list | tuple | set | frozenset) else other.value
    return None if isinstance(other, Null) else isinstance(other, True_)
