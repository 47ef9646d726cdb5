"""Rows archived before they are deleted: to lines of a file, durably, or to another table in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, TableClause, column, delete, insert, select, table
from sqlalchemy.sql import quoted_name

from framework.database import aside
from modules.core.scheduler.cleanup.actions import Action
from modules.core.scheduler.cleanup.archive_file import ArchiveFile
from modules.core.scheduler.cleanup.archive_lines import exported, to_line
from modules.core.scheduler.cleanup.table_rows import Key
from modules.core.scheduler.cleanup.target import Target

VERSION = 1


def head(table_name: str, now: datetime) -> bytes:
    """Return the first line of an archive file: whose rows it holds, and of which run."""
    return to_line({"archive": VERSION, "table": table_name, "cleaned_at": now.isoformat()})


class ArchiveToFile(Action):
    """Writes the rows before the transaction that deletes them commits.

    A crash between the two leaves rows in the file and in the table, and the next run archives them again: restoring
    tells them apart by primary key.
    """

    done = "archived"
    deletes = True

    def __init__(self, file: ArchiveFile) -> None:
        self._file = file

    def __call__(self, connection: Connection, target: Target, keys: Sequence[Key]) -> int:
        table, mine = target.table, target.rows.among(target.table, keys)
        names = [column.name for column in table.c]
        rows = connection.execute(select(*exported(table.c, connection.dialect)).where(mine)).all()
        lines = [dict(zip(names, row, strict=True)) for row in rows]
        aside(connection, lambda: self._file.append(map(to_line, lines)))
        return connection.execute(delete(table).where(mine)).rowcount

    def finish(self) -> None:
        self._file.close()


class ArchiveToTable(Action):
    """Moves rows to a table with the same columns."""

    done = "archived"
    deletes = True

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, connection: Connection, target: Target, keys: Sequence[Key]) -> int:
        table = target.table
        return move(connection, table, twin(table, self._name), target.rows.among(table, keys))


def move(connection: Connection, source: TableClause, to: TableClause, mine: ColumnElement[bool]) -> int:
    """Move the rows that fit the condition, which the caller holds locked, to a table with the same columns."""
    names = [column.name for column in to.c]
    connection.execute(insert(to).from_select(names, select(*source.c).where(mine)))
    return connection.execute(delete(source).where(mine)).rowcount


def twin(of: TableClause, name: str) -> TableClause:
    """Return the table of this name with the columns of another."""
    return table(quoted_name(name, quote=True), *(column(item.name, item.type) for item in of.c))
