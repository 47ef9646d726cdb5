"""From a SQLAlchemy selectable to what a policy stores of it: a table's name and equality filters, no SQL text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import Column, FromClause, Join, ScalarSelect, Select, Table, select
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
    "column == value, column.in_(values), column.is_(None), and by column == other.c.column, a join or "
    "column.in_(select(other.c.column)) rows of other tables of which such conditions hold"
)


class SelectableError(ValueError):
    """What was given cannot be stored as a table and equality filters; the message says what can."""


class Chosen(NamedTuple):
    """What a selectable comes to."""

    table: Table
    where: dict[str, Any]
    """Its own equality filters, as a policy's `where` has them."""
    where_in: dict[str, dict[str, Any]]
    """Those on other tables, by the column whose value must be found there, as a policy's `where_in` has them."""


def chosen(given: object) -> Chosen:
    """Return the table of a selectable, and its conditions; raises `SelectableError`."""
    if not isinstance(given, Select):
        return Chosen(_table(getattr(given, "__table__", given)), {}, {})
    if not _is_plain(given):
        raise SelectableError(f"a select that orders, groups, limits or computes means no rows of a table; {POSSIBLE}")
    read = _Reading(given)
    return Chosen(read.table, read.filters.pop(read.table.name, {}), dict(read.related()))


def _table(given: object) -> Table:
    if not isinstance(given, Table):
        raise SelectableError(f"a SQLAlchemy Table or a mapped class is needed; {POSSIBLE} is possible")
    if given.schema is not None:
        raise SelectableError(f"{given.name!r} lies in a schema of its own")
    return given


def _is_plain(given: Select[Any]) -> bool:
    """Whether it says which rows, and nothing else: written anew from its tables and conditions it is the same."""
    columns = list(given.selected_columns)
    bare = select(*columns).select_from(*given.get_final_froms())
    if given.whereclause is not None:
        bare = bare.where(given.whereclause)
    return all(isinstance(column, Column) for column in columns) and str(bare) == str(given)


class _Reading:
    """A select taken apart: the table whose rows it selects, filters by table, and which columns are alike."""

    def __init__(self, given: Select[Any]) -> None:
        clauses: list[object] = [given.whereclause]
        tables = [table for each in given.get_final_froms() for table in _joined(each, clauses)]
        selected = {column.table.name for column in given.selected_columns}
        if len(selected) != 1 or len({table.name for table in tables}) < len(tables):
            raise SelectableError(f"rows of one table are cleaned; {POSSIBLE} is possible")
        self.table = next(table for table in tables if table.name in selected)
        self.filters: dict[str, dict[str, Any]] = {table.name: {} for table in tables}
        self._found: dict[str, list[dict[str, Any]]] = {}
        self._links: dict[str, list[tuple[str, str]]] = {table.name: [] for table in tables if table is not self.table}
        for clause in clauses:
            for part in _parts(clause):
                self._take(part)

    def related(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield each column whose value must be found elsewhere, and where."""
        for other, links in self._links.items():
            if len(links) != 1:
                raise SelectableError(f"{other!r} must be joined by one column, to {self.table.name!r}; {POSSIBLE}")
            own, column = links[0]
            self._find(own, other, column, self.filters[other])
        for own, found in self._found.items():
            if len(found) > 1:
                raise SelectableError(f"{own!r} is looked up twice")
            yield own, found[0]

    def _find(self, own: str, other: str, column: str, where: dict[str, Any]) -> None:
        rule = {"table_name": other, "column": column, **({"where": where} if where else {})}
        self._found.setdefault(own, []).append(rule)

    def _take(self, part: object) -> None:
        if not isinstance(part, BinaryExpression) or not isinstance(part.left, Column):
            raise _not_stored(part)
        column, other = part.left, part.right
        if part.operator is operators.eq and isinstance(other, Column):
            self._link(column, other, part)
        elif part.operator is operators.in_op and isinstance(other, ScalarSelect) and self._is_own(column):
            self._look_up(column, other.element)
        else:
            self._filter(column, part)

    def _link(self, one: Column[Any], other: Column[Any], part: object) -> None:
        own, far = (one, other) if self._is_own(one) else (other, one)
        if not self._is_own(own) or far.table.name not in self._links:
            raise _not_stored(part)
        self._links[far.table.name].append((own.name, far.name))

    def _look_up(self, column: Column[Any], inner: Any) -> None:
        found = chosen(inner)
        columns = list(inner.selected_columns)
        if len(columns) != 1 or found.where_in:
            raise _not_stored(inner)
        self._find(column.name, found.table.name, columns[0].name, found.where)

    def _filter(self, column: Column[Any], part: BinaryExpression[Any]) -> None:
        filters = self.filters.get(column.table.name)
        is_equality = part.operator in (operators.eq, operators.in_op, operators.is_)
        if filters is None or not is_equality or not isinstance(part.right, BindParameter | Null | True_ | False_):
            raise _not_stored(part)
        if column.name in filters:
            raise SelectableError(f"{column.name!r} is compared twice; give one value, or a list of them")
        filters[column.name] = _value(part.right)

    def _is_own(self, column: Column[Any]) -> bool:
        return bool(column.table.name == self.table.name)


def _joined(given: FromClause, clauses: list[object]) -> Iterator[Table]:
    if isinstance(given, Join) and not given.isouter and not given.full:
        clauses.append(given.onclause)
        yield from _joined(given.left, clauses)
        yield from _joined(given.right, clauses)
    else:
        yield _table(given)


def _parts(clause: object) -> Iterator[object]:
    if isinstance(clause, Grouping):
        yield from _parts(clause.element)
    elif isinstance(clause, BooleanClauseList) and clause.operator is operators.and_:
        for part in clause.clauses:
            yield from _parts(part)
    elif clause is not None:
        yield clause


def _not_stored(part: object) -> SelectableError:
    return SelectableError(f"{str(part)!r:.80} cannot be stored as a filter; {POSSIBLE} is possible")


def _value(other: BindParameter[Any] | Null | True_ | False_) -> Any:
    if isinstance(other, BindParameter):
        return list(other.value) if isinstance(other.value, list | tuple | set | frozenset) else other.value
    return None if isinstance(other, Null) else isinstance(other, True_)
