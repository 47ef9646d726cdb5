"""Rows of other tables that refer to rows that go: what stands in the way, what goes along, and in which order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Inspector,
    Select,
    TableClause,
    delete,
    func,
    not_,
    or_,
    select,
    tuple_,
)

from modules.core.scheduler.cleanup.foreign_keys import ForeignKey, foreign_keys
from modules.core.scheduler.cleanup.table_rows import clause

MAX_DEPTH = 5
CASCADE = "CASCADE"
_LEAVES_THE_ROW = {"SET NULL", "SET DEFAULT"}
_LATER = (*_LEAVES_THE_ROW, CASCADE)


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key: columns of a child table that refer to columns of a parent table."""

    child: TableClause
    columns: tuple[str, ...]
    parent: str
    referred: tuple[str, ...]
    action: str
    """What the database does when the parent's row goes, such as `CASCADE`."""
    is_indexed: bool

    @property
    def leaves(self) -> bool:
        """Whether the child's row stays when its parent goes."""
        return self.action in _LEAVES_THE_ROW

    def rows(self, source: FromClause, parents: Select[tuple[object, ...]]) -> ColumnElement[bool]:
        """Return the condition that a child's row refers to one of these; `parents` selects the referred columns."""
        return _together(source, self.columns).in_(parents)


Path = tuple[Reference, ...]
"""References one upon the other, the first to the table that is cleaned."""


@dataclass(frozen=True, slots=True)
class Dependents:
    """Everything that refers to a table, directly or through others."""

    root: TableClause
    key: tuple[str, ...]
    """Columns of the root's primary key."""
    going: tuple[Path, ...]
    """The last table's rows go with the root's, the deepest first."""
    blocking: tuple[Path, ...]
    """The last table's rows would not let the root's go."""
    problems: tuple[str, ...]
    """Why rows that refer cannot be deleted first."""
    unindexed: tuple[str, ...]
    """A sentence for each foreign key that costs a look at a whole table whenever a row goes."""

    def blockers(self, connection: Connection, condemned: ColumnElement[bool]) -> list[str]:
        """Return a sentence for each foreign key through which rows stand in the way."""
        return [_blocked(path) for path in self.blocking if connection.scalar(self._blocks(path, condemned))]

    def _blocks(self, path: Path, condemned: ColumnElement[bool]) -> Select[tuple[bool]]:
        last, source = path[-1], path[-1].child.alias("referring")
        is_referring = last.rows(source, self._parents(path, condemned))
        if last.child.name == self.root.name and last.action == CASCADE and self.key:
            going = select(*(self.root.c[name] for name in self.key)).where(condemned)
            is_referring &= not_(_together(source, self.key).in_(going))
        return select(select(source).where(is_referring).exists())

    def count(
        self, connection: Connection, condemned: ColumnElement[bool], order: Sequence[ColumnElement[object]], most: int
    ) -> dict[str, int]:
        """Return how many rows of each table go along with the first so many of the condemned ones."""
        by_table: dict[str, list[Path]] = {}
        for path in self.going:
            by_table.setdefault(path[-1].child.name, []).append(path)
        counts = {}
        for name, paths in by_table.items():
            child = paths[0][-1].child
            any_of = [path[-1].rows(child, self._parents(path, condemned, order, most)) for path in paths]
            counts[name] = connection.scalar(select(func.count()).select_from(child).where(or_(*any_of))) or 0
        return counts

    def delete(self, connection: Connection, chosen: ColumnElement[bool]) -> dict[str, int]:
        """Delete what refers to the chosen rows, children before parents; return how many rows of each table."""
        counts: dict[str, int] = {}
        for path in self.going:
            child = path[-1].child
            gone = connection.execute(delete(child).where(path[-1].rows(child, self._parents(path, chosen)))).rowcount
            counts[child.name] = counts.get(child.name, 0) + gone
        return counts

    def _parents(
        self,
        path: Path,
        condemned: ColumnElement[bool],
        order: Sequence[ColumnElement[object]] = (),
        most: int | None = None,
    ) -> Select[tuple[object, ...]]:
        """The referred columns of the rows that the path's last reference refers to."""
        first, *rest = path
        parents = select(*(self.root.c[name] for name in first.referred)).where(condemned)
        if most is not None:
            parents = parents.order_by(*order).limit(most)
        parents = parents.correlate(None)
        above = first
        for reference in rest:
            columns = (above.child.c[name] for name in reference.referred)
            parents = select(*columns).where(above.rows(above.child, parents)).correlate(None)
            above = reference
        return parents


def find_references(inspector: Inspector) -> list[Reference]:
    """Return the foreign keys of all tables, as the database has them now."""
    return [_reference(inspector, key) for key in foreign_keys(inspector)]


def find_dependents(
    root: TableClause, key: Sequence[str], references: Sequence[Reference], *, delete_children: bool
) -> Dependents:
    """Return what refers to a table; with `delete_children`, what would stand in the way goes first."""
    by_parent: dict[str, list[Reference]] = {}
    for reference in references:
        if not reference.leaves:
            by_parent.setdefault(reference.parent, []).append(reference)
    going: list[Path] = []
    blocking: list[Path] = []
    problems: list[str] = []
    for path in _paths(root.name, by_parent, delete_children=delete_children):
        last = path[-1]
        tables = [root.name, *(each.child.name for each in path[:-1])]
        names = f"{last.child.name!r} ({', '.join(last.columns)})"
        if delete_children and last.child.name in tables:
            problems.append(f"rows of {names} refer back to {last.child.name!r}: a circle cannot be deleted in order")
        elif delete_children and len(path) > MAX_DEPTH:
            problems.append(f"rows of {names} are more than {MAX_DEPTH} references away")
        elif last.child.name == root.name or (last.action != CASCADE and not delete_children):
            blocking.append(path)
        elif last.child.name not in tables:
            going.append(path)
    deepest_first = sorted(going, key=len, reverse=True)
    slow = tuple(_unindexed(references, {root.name, *(path[-1].child.name for path in going)}))
    return Dependents(root, tuple(key), tuple(deepest_first), tuple(blocking), tuple(problems), slow)


def _unindexed(references: Sequence[Reference], tables: set[str]) -> list[str]:
    return [
        f"no index begins with {', '.join(each.columns)} of {each.child.name!r}, which refers to {each.parent!r}: "
        "every row that goes costs a look at the whole of it"
        for each in references
        if each.parent in tables and not each.is_indexed
    ]


def _paths(root: str, by_parent: Mapping[str, list[Reference]], *, delete_children: bool) -> Iterator[Path]:
    waiting: list[Path] = [(reference,) for reference in by_parent.get(root, [])]
    while waiting:
        path = waiting.pop()
        last = path[-1]
        tables = [root, *(each.child.name for each in path[:-1])]
        if last.child.name == last.parent != root and not delete_children:
            continue  # rows that go together may refer to each other; the database decides
        yield path
        goes_on = (delete_children or last.action == CASCADE) and len(path) <= MAX_DEPTH
        if goes_on and last.child.name not in tables:
            waiting += [(*path, reference) for reference in by_parent.get(last.child.name, [])]


def _reference(inspector: Inspector, key: ForeignKey) -> Reference:
    kinds = {found["name"]: found["type"] for found in inspector.get_columns(key.child)}
    return Reference(
        child=clause(key.child, kinds),
        columns=key.columns,
        parent=key.parent,
        referred=key.referred,
        action=key.action,
        is_indexed=has_index(inspector, key.child, key.columns),
    )


def has_index(inspector: Inspector, table: str, columns: Sequence[str]) -> bool:
    """Return whether an index, a unique key or the primary key begins with these columns, in any order."""
    leading: list[Sequence[str | None]] = [found["column_names"] for found in inspector.get_indexes(table)]
    leading += [found["column_names"] for found in inspector.get_unique_constraints(table)]
    leading.append(inspector.get_pk_constraint(table)["constrained_columns"])
    return any(set(names[: len(columns)]) == set(columns) for names in leading)


def _together(source: FromClause, names: Sequence[str]) -> ColumnElement[Any]:
    columns: list[ColumnElement[Any]] = [source.c[name] for name in names]
    return columns[0] if len(columns) == 1 else tuple_(*columns)


def _blocked(path: Path) -> str:
    last = path[-1]
    through = "".join(f" through {each.child.name!r}" for each in path[:-1])
    return (
        f"rows of {last.child.name!r} ({', '.join(last.columns)}) refer to rows that would go{through}; "
        f"clean {last.child.name!r} first, declare ON DELETE there, or set children to 'delete'"
    )
