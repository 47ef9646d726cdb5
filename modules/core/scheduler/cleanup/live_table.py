"""A table that rows go back to, as the database has it now."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Inspector, TableClause, column, inspect, table
from sqlalchemy.sql import quoted_name

from modules.core.scheduler.cleanup.archive_lines import ArchiveError


@dataclass(frozen=True, slots=True)
class LiveTable:
    """A table with a primary key."""

    clause: TableClause
    key: tuple[str, ...]
    given: tuple[str, ...]
    """The columns that take values: those that are not computed."""


def live_table(connection: Connection, name: str) -> LiveTable:
    """Return the table of this name; raises `ArchiveError` where it has no primary key."""
    inspector: Inspector = inspect(connection)
    columns = inspector.get_columns(name)
    key = inspector.get_pk_constraint(name)["constrained_columns"]
    if not key:
        raise ArchiveError(f"{name!r} has no primary key, by which rows that exist are told")
    clause = table(
        quoted_name(name, quote=True),
        *(column(quoted_name(each["name"], quote=True), each["type"]) for each in columns),
    )
    return LiveTable(clause, tuple(key), tuple(each["name"] for each in columns if not each.get("computed")))
