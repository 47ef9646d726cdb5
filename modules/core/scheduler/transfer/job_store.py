"""Reads the rows of an APScheduler job store, and changes nothing there: a SQLite file, or a PostgreSQL database."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from framework.database import Database
from framework.database.location import path_of
from framework.errors import one_line
from framework.settings import database_url, without_password

TABLE = "apscheduler_jobs"
MOST_JOBS = 100_000

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
Rows = list[tuple[str, bytes]]


class StoreError(ValueError):
    """The job store cannot be read; the message says why."""


async def read_store(source: str, table: str = TABLE) -> Rows:
    """Return `(id, state)` of every job of a store, in order of ids. Raises `StoreError`.

    `source` is the path of a SQLite file, or a URL as APScheduler has it: `sqlite:///jobs.db`, `postgresql://…`.
    """
    if not _IDENTIFIER.fullmatch(table):
        raise StoreError(f"{table!r:.80} is no name of a table")
    query = f'SELECT id, job_state FROM "{table}" ORDER BY id LIMIT {MOST_JOBS + 1}'
    try:
        path = _path(source)
        rows = await _from_server(source, query) if path is None else _from_file(path, query)
    except (ArgumentError, SQLAlchemyError, sqlite3.Error, OSError, ValueError) as error:
        raise StoreError(without_password(f"{source} cannot be read: {one_line(error)}")) from None
    if len(rows) > MOST_JOBS:
        raise StoreError(f"more than {MOST_JOBS:,} jobs")
    return [(str(job_id), bytes(state) if isinstance(state, (bytes, memoryview)) else b"") for job_id, state in rows]


def _path(source: str) -> Path | None:
    """Return the file that a path or a URL of SQLite means, None for a server."""
    if "://" not in source:
        return Path(source)
    url = make_url(re.sub(r"^postgresql\+\w+://", "postgresql://", source))
    return path_of(make_url(database_url(url.render_as_string(hide_password=False))))


def _from_file(path: Path, query: str) -> list[tuple[object, object]]:
    """Read a file that is opened for reading alone: nothing is made where there is none."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


async def _from_server(source: str, query: str) -> list[tuple[object, object]]:
    url = database_url(re.sub(r"^postgresql\+\w+://", "postgresql://", source))
    database = Database(url)
    try:
        found = await database.read(lambda c: c.exec_driver_sql(query).all())
    finally:
        await database.close()
    return [(row[0], row[1]) for row in found]
