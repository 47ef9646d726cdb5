"""Whole partitions of a PostgreSQL table dropped or detached, once every moment of their range is too old."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Date, DateTime, Inspector, text

from framework.database import POSTGRESQL, Database
from modules.core.scheduler.cleanup.guards import NO_CEILING, Ceiling
from modules.core.scheduler.cleanup.parsing import Problem
from modules.core.scheduler.cleanup.report import Tally
from modules.core.scheduler.cleanup.rows_action import DROP_PARTITION
from modules.core.scheduler.cleanup.rows_policy import RowsPolicy

LOCK_TIMEOUT = "2s"  # whoever waits for this lock keeps all others from the table

_UPPER = re.compile(r"FOR VALUES FROM \(.*\) TO \('([^']+)'\)")
_RANGE_COLUMNS = text(
    "SELECT a.attname FROM pg_partitioned_table p JOIN pg_attribute a ON a.attrelid = p.partrelid"
    " WHERE p.partrelid = to_regclass(:name) AND p.partstrat = 'r' AND p.partnatts = 1 AND a.attnum = p.partattrs[0]"
)
_PARTITIONS = text(
    "SELECT format('%I.%I', n.nspname, c.relname) AS name, pg_get_expr(c.relpartbound, c.oid) AS bound,"
    " (SELECT coalesce(sum(pg_total_relation_size(t.relid)), 0) FROM pg_partition_tree(c.oid) t) AS bytes"
    " FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE i.inhparent = to_regclass(:name) ORDER BY 1"
)


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition: its quoted name, the end of its range, and how large it is."""

    name: str
    upper: datetime | None
    """The first moment (aware UTC) that is no longer in it; None for a default one, and for one without an end."""
    bytes: int


def partition_problems(inspector: Inspector, policy: RowsPolicy) -> Iterator[Problem]:
    """Yield why the table's partitions cannot be dropped by the policy."""
    if inspector.dialect.name != POSTGRESQL:
        yield {"field": "action", "message": "only PostgreSQL has partitions"}
        return
    kinds = {column["name"]: column["type"] for column in inspector.get_columns(policy.table_name)}
    with inspector._operation_context() as connection:  # noqa: SLF001
        by = connection.scalar(_RANGE_COLUMNS, {"name": _quoted(connection, policy.table_name)})
    if by != policy.date_column or not isinstance(kinds.get(by), (Date, DateTime)):
        message = f"{policy.table_name!r} is not partitioned by ranges of the date {policy.date_column!r} alone"
        yield {"field": "action", "message": message}


async def drop_partitions(
    policy: RowsPolicy,
    tally: Tally,
    *,
    database: Database,
    now: datetime,
    dry_run: bool,
    should_stop: Callable[[], bool],
    most: int | None = None,
    ceiling: Ceiling = NO_CEILING,
) -> None:
    """Detach the partitions that are over, oldest first, each in a transaction that looks again; drop them if asked to.

    The tally counts their rows, and names the partitions. A default partition, and one without an end, stays; so does
    the first one beyond `most` rows, and what comes after. Raises `SQLAlchemyError`, also where a lock is not given in
    time, and `GuardExceededError`.
    """
    before, drops = now if policy.max_age is None else now - policy.max_age, policy.action == DROP_PARTITION
    found = await database.read(partial(partitions, policy.table_name))
    over = sorted((each for each in found if _is_over(each, before)), key=lambda each: str(each.upper))
    for each in over:
        if should_stop():
            tally.note = "stopped on request; the next run goes on"
            return
        rows = await database.read(partial(_count, each.name))
        if most is not None and tally.matched + rows > most:
            tally.note = f"stopped before {each.name}: more than {most} rows would go"
            return
        ceiling.check(tally.deleted + rows, size=tally.bytes + each.bytes)
        tally.examined += rows
        tally.matched += rows
        tally.sample(f"{each.name}: {rows} rows, {each.bytes} bytes")
        if gone := not dry_run and await database.write(partial(_take_out, policy, each.name, before)):
            tally.deleted += rows
            tally.batches += 1
            tally.done["partitions" if drops else "detached"] += 1
        _count_bytes(tally, each, rows, went=gone or dry_run, drops=drops)


def _count_bytes(tally: Tally, partition: Partition, rows: int, *, went: bool, drops: bool) -> None:
    if not went:
        tally.skip("changed", rows)
        return
    tally.bytes += partition.bytes
    tally.freed_bytes += partition.bytes if drops else 0


def partitions(table_name: str, connection: Connection) -> list[Partition]:
    """Return the partitions of a table."""
    connection.execute(text("SET LOCAL TimeZone = 'UTC'"))  # in which bounds are written
    rows = connection.execute(_PARTITIONS, {"name": _quoted(connection, table_name)})
    return [Partition(row.name, _end(row.bound), int(row.bytes)) for row in rows]


def _take_out(policy: RowsPolicy, name: str, before: datetime, connection: Connection) -> bool:
    connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
    parent = _quoted(connection, policy.table_name)
    connection.execute(text(f"LOCK TABLE ONLY {parent} IN ACCESS EXCLUSIVE MODE"))
    again = [each for each in partitions(policy.table_name, connection) if each.name == name]
    if not again or not _is_over(again[0], before):
        return False
    connection.exec_driver_sql(f"ALTER TABLE {parent} DETACH PARTITION {name}")
    if policy.action == DROP_PARTITION:
        connection.exec_driver_sql(f"DROP TABLE {name}")
    return True


def _count(name: str, connection: Connection) -> int:
    return int(connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one())


def _is_over(partition: Partition, before: datetime) -> bool:
    return partition.upper is not None and partition.upper <= before


def _end(bound: Any) -> datetime | None:
    match = _UPPER.fullmatch(str(bound))
    try:
        end = None if match is None else datetime.fromisoformat(match[1])
    except ValueError:  # such as infinity
        return None
    return end.replace(tzinfo=UTC) if end is not None and end.tzinfo is None else end


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote_identifier(name)
