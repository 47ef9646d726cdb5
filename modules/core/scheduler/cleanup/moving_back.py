"""Rows that are still in the database brought back: moved from an archive table, or taken out of the trash."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Text, and_, cast, exists, func, select, update

from modules.core.scheduler.cleanup.archiving import move, twin
from modules.core.scheduler.cleanup.keys import Key, among, key_of, values_of
from modules.core.scheduler.cleanup.live_table import LiveTable, live_table

BATCH = 200


def move_back(
    to: str, name: str, last: Key | None, connection: Connection, *, dry_run: bool
) -> tuple[int, int, Key | None]:
    """Move a batch of an archive table's rows, those after a key; return how many were seen and moved, and the last.

    A row whose key the table has stays where it is.
    """
    target = live_table(connection, to)
    source = twin(target.clause, name)
    columns = [source.c[each] for each in target.key]
    query = select(*columns).order_by(*columns).limit(BATCH)
    if last is not None:
        query = query.where(key_of(source, target.key) > values_of([last])[0])
    keys = [tuple(row) for row in connection.execute(query if dry_run else query.with_for_update())]
    if not keys:
        return 0, 0, last
    same = and_(*(target.clause.c[each] == source.c[each] for each in target.key))
    is_there = exists().select_from(target.clause).where(same)
    gone = and_(among(source, target.key, keys), ~is_there)
    free = [tuple(row) for row in connection.execute(select(*columns).where(gone))]
    if free and not dry_run:
        move(connection, source, target.clause, among(source, target.key, free))
    return len(keys), len(free), keys[-1]


def trashed_runs(name: str, trash_column: str, connection: Connection) -> list[tuple[str, int]]:
    """Return what the trash column holds, oldest first, and how many rows hold it: one value for each run."""
    target = live_table(connection, name)
    moment = _moment(target, trash_column)
    runs = select(moment, func.count()).select_from(target.clause).where(moment.is_not(None))
    return [(str(text), count) for text, count in connection.execute(runs.group_by(moment).order_by(moment))]


def untrash(name: str, trash_column: str, run: str, connection: Connection) -> int:
    """Take a batch of the rows of one run out of the trash; return how many these were."""
    target = live_table(connection, name)
    columns = [target.clause.c[each] for each in target.key]
    chosen = select(*columns).where(_moment(target, trash_column) == run).limit(BATCH).with_for_update()
    keys = [tuple(row) for row in connection.execute(chosen)]
    mine = among(target.clause, target.key, keys)
    return connection.execute(update(target.clause).where(mine).values({trash_column: None})).rowcount


def _moment(target: LiveTable, trash_column: str) -> ColumnElement[Any]:
    return cast(target.clause.c[trash_column], Text)
