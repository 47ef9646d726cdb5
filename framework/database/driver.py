"""One statement, given to the driver itself: what SQLAlchemy does around each costs more than most of them."""

from __future__ import annotations

import re
import sqlite3
from collections import namedtuple
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.util import await_only

from framework.database.engines import BELOW
from framework.database.failures import translated
from framework.database.location import SQLITE

NUMBERED = re.compile(r"\$(\d+)")
CHANGES = re.compile(r"\bINSERT\b|\bDELETE\b|(?<!FOR )\bUPDATE\b")


class Done(NamedTuple):
    """What a statement returned, as rows with names, and how many rows it changed."""

    rows: list[Any]
    changed: int

    def scalar(self) -> Any:
        """Return the first value of the first row; None where there is none."""
        return self.rows[0][0] if self.rows else None

    def scalars(self) -> list[Any]:
        """Return the first value of each row."""
        return [row[0] for row in self.rows]

    def one_or_none(self) -> Any:
        """Return the first row, or None."""
        return self.rows[0] if self.rows else None


def execute(c: Connection, text: str, values: tuple[Any, ...]) -> Done:
    """Execute a statement as the driver writes it; raises what SQLAlchemy would raise."""
    raw: Any = c.connection.driver_connection
    if c.get_execution_options().get(BELOW) and c.dialect.name != SQLITE:
        return _execute_on_server(raw, text, values)
    if not isinstance(raw, sqlite3.Connection):
        if c.dialect.paramstyle.endswith("format"):  # the driver of somebody else's engine
            values = tuple(values[int(number) - 1] for number in NUMBERED.findall(text))
            text = NUMBERED.sub("%s", text.replace("%", "%%"))
        result = c.exec_driver_sql(text, values)
        if not result.returns_rows:
            return Done([], result.rowcount)
        return Done(list(map(_named(tuple(result.keys())), result.all())), result.rowcount)
    try:
        cursor = raw.execute(text, values)
        rows = cursor.fetchall() if cursor.description else []
    except sqlite3.Error as error:
        raise DBAPIError.instance(text, None, error, sqlite3.Error, hide_parameters=True) from error
    if rows:
        rows = list(map(_named(tuple(column[0] for column in cursor.description)), rows))
    return Done(rows, cursor.rowcount)


def _execute_on_server(raw: Any, text: str, values: tuple[Any, ...]) -> Done:
    """Go to PostgreSQL's driver itself, on a connection whose transactions SQLAlchemy knows nothing of."""
    try:
        if not _returns_rows(text):
            return Done([], _changed(await_only(raw.execute(text, *values))))
        rows = await_only(raw.fetch(text, *values))
    except Exception as error:
        raise translated(error, text) from error
    return Done(list(map(_named(tuple(rows[0].keys())), rows)) if rows else [], len(rows))


@lru_cache(maxsize=1_000)
def _returns_rows(text: str) -> bool:
    return "RETURNING" in text or CHANGES.search(text) is None


def _changed(status: str) -> int:
    """Read how many rows a status such as `INSERT 0 5` speaks of."""
    number = status.rpartition(" ")[2]
    return int(number) if number.isdecimal() else 0


@lru_cache(maxsize=1_000)
def _named(names: tuple[str, ...]) -> Callable[[Iterable[Any]], Any]:
    with_names: Any = namedtuple  # those of the statement, which are known only now
    make: Callable[[Iterable[Any]], Any] = with_names("Row", names, rename=True)._make
    return make
