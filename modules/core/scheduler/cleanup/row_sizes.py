"""How large rows are, by a column that tells their bytes: of some the sum, and where the newest come to too much."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, FromClause, and_, case, func, select

from modules.core.scheduler.cleanup.actions import ActionError
from modules.core.scheduler.cleanup.files_policy import MEGABYTE

if TYPE_CHECKING:
    from modules.core.scheduler.cleanup.rows_policy import RowsPolicy
    from modules.core.scheduler.cleanup.table_rows import TableRows
    from modules.core.scheduler.cleanup.target import Target


def bytes_of(
    connection: Connection,
    target: Target,
    which: ColumnElement[bool],
    order: Sequence[ColumnElement[Any]] = (),
    most: int | None = None,
) -> int:
    """Return the bytes of the first `most` rows in this order that fit; 0 where no column tells them.

    Raises `ActionError` where they come to no number.
    """
    name = target.policy.size_column
    if name is None:
        return 0
    some = (
        select(_size(target.table, name).label("size")).where(which).order_by(*order).limit(most).subquery("some_rows")
    )
    told = connection.scalar(select(func.coalesce(func.sum(some.c.size), 0))) or 0
    if not math.isfinite(told):
        raise ActionError(f"the sizes in {name!r} come to {told}, which is no number of bytes")
    return math.ceil(told)


class SizeCut(NamedTuple):
    """The newest row that fits no more; it and all older ones are condemned."""

    place: tuple[Any, ...]
    """Its date and key."""
    size: Any
    """Its bytes."""


def size_cut(connection: Connection, policy: RowsPolicy, rows: TableRows) -> SizeCut | None:
    """Return where the newest rows that fit `where` and have a date come to more than `max_size_mb`; None: nowhere."""
    if policy.max_size_mb is None or policy.size_column is None:
        return None
    newer = rows.table.alias("newer")
    newest_first = [part.desc() for part in rows.by_age(newer)]
    size = _size(newer, policy.size_column)
    parts = [part.label(f"part_{number}") for number, part in enumerate(rows.by_age(newer))]
    running = func.sum(size).over(order_by=newest_first, rows=(None, 0)).label("running")
    query = select(*parts, size.label("size"), running).where(rows.fits(newer), rows.dated(newer))
    summed = query.subquery("summed")
    places = [summed.c[part.name] for part in parts]
    over = select(*places, summed.c.size).where(summed.c.running > _most(policy))
    first = connection.execute(over.order_by(*(place.desc() for place in places)).limit(1)).first()
    return None if first is None else SizeCut(tuple(first[:-1]), first[-1])


def still_too_much(policy: RowsPolicy, rows: TableRows, cut: SizeCut) -> ColumnElement[bool]:
    """Not newer than the cut, while those that are leave no room for the row that it was made at."""
    newer = rows.table.alias("newer")
    is_newer = and_(rows.by_age_of(newer) > cut.place, rows.fits(newer), rows.dated(newer))
    taken = select(func.coalesce(func.sum(_size(newer, str(policy.size_column))), 0)).where(is_newer)
    is_beyond: ColumnElement[bool] = rows.by_age_of(rows.table) <= cut.place
    return and_(is_beyond, taken.scalar_subquery() > _most(policy) - cut.size)


def _size(source: FromClause, name: str) -> ColumnElement[Any]:
    size = source.c[name]
    return case((size > 0, size), else_=0)  # a row of less than nothing makes no room for others


def _most(policy: RowsPolicy) -> int:
    return round((policy.max_size_mb or 0) * MEGABYTE)
