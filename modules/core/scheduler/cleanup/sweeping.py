"""The short road of rows that go by themselves: one statement finds the oldest by the index on the date and deletes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    Delete,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    delete,
    func,
    select,
    tuple_,
)

from framework.database import among_addresses, row_address
from modules.core.scheduler.cleanup.candidates import EXAMINED_PER_READ
from modules.core.scheduler.cleanup.cursor import from_cursor, to_cursor
from modules.core.scheduler.cleanup.moments import day_over, lies_in_one_day
from modules.core.scheduler.cleanup.references import Dependents
from modules.core.scheduler.cleanup.report import MAX_SAMPLES
from modules.core.scheduler.cleanup.table_rows import Key
from modules.core.scheduler.cleanup.target import Target, limits

_OF_OTHER_ROWS = ("max_rows", "max_size_mb", "keep_newest", "tiers", "min_kept")
_OF_OTHER_COLUMNS = ("where", "where_in", "hold_column", "keep_where")


@dataclass(frozen=True, slots=True)
class Swept:
    """What one statement deleted."""

    count: int
    newest: Any = None
    """The date of the newest row; None where there was none."""
    first: Sequence[Key] = ()
    """Dates and keys of the oldest rows, as long as a report has room for them."""


def can_be_swept(target: Target, dependents: Dependents) -> bool:
    """Whether each row goes for what it holds itself, and nothing goes along: what the index shows first then goes."""
    rows, policy = target.rows, target.policy
    counts_bytes = policy.size_column is not None
    if any(getattr(policy, rule) is not None for rule in _OF_OTHER_ROWS) or dependents.going or counts_bytes:
        return False
    sorts_as_here = rows.is_loose or not isinstance(target.table.c[rows.date_column].type, String)
    return bool(rows.key) and rows.is_indexed and rows.has_addresses and sorts_as_here


class Sweep:
    """Deletes the oldest rows that go, so many at once, from the place on where the last run stopped.

    Its statements are made once: to put them together anew for each batch costs more than to carry them out. Where rows
    stay between those that go, it works in stretches, so that no statement looks at more than one.
    """

    def __init__(self, target: Target, cursor: str | None) -> None:
        self._target = target
        self._columns = target.rows.by_age(target.table)
        self._names = (target.rows.date_column, *target.key)
        self._is_loose = target.rows.is_loose
        self._place = from_cursor(cursor, self._names, self._columns)
        dated = from_cursor(cursor, self._names[:1], self._columns[:1])
        self._since: Any = next(iter(self._place or dated or ()), None)
        self.goes_on = self._since is not None
        """Whether it begins where another run stopped."""
        self._selects = any(getattr(target.policy, rule) is not None for rule in _OF_OTHER_COLUMNS)
        self._end: Key | None = None
        self.is_bounded = not self._selects
        """Whether it is known how far the next statement looks."""
        limit = target.now - (target.policy.max_age or timedelta(0))
        self._over = day_over(target.table.c[target.rows.date_column].type, limit, target.rows.dialect)
        self._shown = 0
        self._made: dict[str, Any] = {}
        self._texts: dict[str, tuple[str, dict[str, Any], list[str]]] = {}

    def bound(self, connection: Connection) -> None:
        """Find the end of the next stretch, outside of any write transaction."""
        columns, policy = self._columns, self._target.policy
        dated = limits(policy, self._target.rows, self._target.now, floor=self._since is None)
        within = self._beyond(select(*columns).where(dated))
        end = connection.execute(within.order_by(*columns).offset(EXAMINED_PER_READ - 1).limit(1)).first()
        self._end = None if end is None else tuple(end)
        self.is_bounded = True
        self._forget()

    def __call__(self, size: int, connection: Connection) -> Swept:
        """Delete the next ones in a transaction; what somebody changes meanwhile is judged again before it goes."""
        values = {"size": size, "since": self._since}
        shown = min(size, MAX_SAMPLES - self._shown)
        first = [tuple(row) for row in self._execute(connection, "first", values | {"size": shown})] if shown else []
        if not self._is_loose:
            told: Any = self._execute(connection, "told in order" if shown else "told", values).one()
            return Swept(told[0], told[1], first)
        if (upto := self._last_of_a_day(connection, values)) is not None:
            return Swept(self._execute(connection, "delete up to", values | {"upto": upto}).rowcount, upto, first)
        # On SQLite nobody else writes until the transaction ends: what was found is what goes.
        found: Any = self._execute(connection, "found", values).one()
        if found[1] is None:
            return Swept(0)
        return Swept(self._execute(connection, "delete", {"addresses": found[0]}).rowcount, found[1], first)

    def _last_of_a_day(self, connection: Connection, values: dict[str, Any]) -> str | None:
        """Return the date up to which the next ones go, where all are of one day that is over wherever it was written.

        What sorts between two texts of a day is of it, too, and needs no look of its own, which costs a third of the
        whole.
        """
        if self._selects or self._over is None or not lies_in_one_day(self._since, self._since, self._over):
            return None
        last = self._execute(connection, "last", {"since": self._since, "before": values["size"] - 1}).scalar()
        return last if lies_in_one_day(self._since, last, self._over) else None

    def go_on_behind(self, gone: Swept) -> bool:
        """Look at no earlier date again, once what was deleted is committed; False where all are gone."""
        if gone.newest is None:
            return self._next_stretch()
        self._shown += len(gone.first)
        if self._since is None or (self._place is not None and self._place[0] != gone.newest):
            self._forget()  # SQLite looks by one lower bound alone: it shall be the date
            self._place = None
        self._since = gone.newest
        return True

    @property
    def cursor(self) -> str | None:
        """Where another run would go on; None where it would begin anew."""
        if self._place is not None:
            return to_cursor(self._names, self._place)
        return None if self._since is None else to_cursor(self._names[:1], (self._since,))

    def _next_stretch(self) -> bool:
        if self._end is None:
            return False
        self._place, self._since, self._end = self._end, self._end[0], None
        self.is_bounded = False
        return True

    def _forget(self) -> None:
        self._made.clear()
        self._texts.clear()

    def _execute(self, connection: Connection, name: str, values: dict[str, Any]) -> CursorResult[Any]:
        if name not in self._made:
            self._made[name] = self._statement(name)
        statement = self._made[name]
        if self._selects or not self._is_loose:
            return connection.execute(statement, values)
        if name not in self._texts:
            compiled = statement.compile(dialect=connection.dialect)
            self._texts[name] = (str(compiled), compiled.params, compiled.positiontup or [])
        text, fixed, places = self._texts[name]
        return connection.exec_driver_sql(text, tuple((fixed | values)[each] for each in places))

    def _statement(self, name: str) -> Any:
        table, columns, dialect = self._target.table, self._columns, self._target.rows.dialect
        address = row_address(dialect)
        if name == "first":
            return self._oldest(*columns).order_by(*columns)
        if name == "found":
            found = self._oldest(address.label("address"), columns[0].label("dated")).order_by(*columns).subquery()
            return select(func.json_group_array(found.c.address), func.max(found.c.dated))
        if name == "last":
            return self._following(columns[0]).offset(bindparam("before", type_=Integer)).limit(1)
        if name == "delete up to":
            upto = self._following(address).where(columns[0] <= bindparam("upto"))
            return delete(table).where(address.in_(upto.limit(bindparam("size", type_=Integer))))
        if name == "delete":
            return delete(table).where(among_addresses(bindparam("addresses", type_=String), dialect))
        order = columns if name == "told in order" else columns[:1]
        some = self._oldest(address).order_by(*order)
        return _told(delete(table).where(among_addresses(some.scalar_subquery(), dialect), self._going()), columns[0])

    def _oldest(self, *columns: ColumnElement[Any]) -> Select[Any]:
        oldest = self._beyond(select(*columns).select_from(self._target.table).where(self._going()))
        if self._end is not None:
            upto = and_(self._columns[0] <= self._end[0], tuple_(*self._columns) <= self._end)
            oldest = oldest.where(upto)
        return oldest.correlate(None).limit(bindparam("size", type_=Integer))

    def _going(self) -> ColumnElement[bool]:
        """What the policy condemns of what lies beyond the place: a limit says whether the date can be read, too."""
        target = self._target
        limit = limits(target.policy, target.rows, target.now, floor=self._since is None)
        return and_(limit, *self._others())

    def _others(self) -> Iterator[ColumnElement[bool]]:
        return (passes for passes, why in self._target.rules if why not in ("undated", "young"))

    def _following(self, *columns: ColumnElement[Any]) -> Select[Any]:
        """What lies beyond the place, in order, without a look at the dates."""
        following = select(*columns).select_from(self._target.table).where(*self._others())
        return self._beyond(following).order_by(*self._columns).correlate(None)

    def _beyond(self, rows: Select[Any]) -> Select[Any]:
        if self._place is not None:
            rows = rows.where(tuple_(*self._columns) > self._place)
        if self._since is None:
            return rows
        return rows.where(self._columns[0] >= bindparam("since", self._since, type_=self._columns[0].type))


def _told(statement: Delete, date: ColumnElement[Any]) -> Any:
    """Delete on PostgreSQL, which counts what it deleted, and tells the newest date, in the same statement."""
    gone = statement.returning(date.label("dated")).cte("gone")
    told: Any = select(func.count(), func.max(gone.c.dated)).select_from(gone)
    return told
