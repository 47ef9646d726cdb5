"""A real PgBouncer in transaction mode before a PostgreSQL server: each transaction may get another session."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL

POOLED = "TEST_POSTGRES_POOLED"  # where it is set, schedulers are tested through a pooler, and without notices
SESSIONS = 4  # of one database: fewer than a node has connections, so that they are really shared
CONFIGURATION = """
[databases]
* = host={host} port={port} user={user} {password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {door}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {sessions}
max_client_conn = 1000
max_db_connections = {sessions}
server_idle_timeout = 1
query_wait_timeout = 20
log_connections = 0
log_disconnections = 0
{identity}
"""


def program() -> str | None:
    """Return where PgBouncer is installed, None where it is not."""
    return shutil.which("pgbouncer", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))


@contextmanager
def pooler(server: URL) -> Iterator[URL]:
    """Run a PgBouncer before the server; gives the way to the server through it."""
    with tempfile.TemporaryDirectory(prefix="chamberlain-pooler-") as folder, socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        door = reserved.getsockname()[1]
        configuration = Path(folder) / "pgbouncer.ini"
        configuration.write_text(_configuration(server, door))
        reserved.close()
        with (Path(folder) / "log").open("w+") as log:
            process = subprocess.Popen([program() or "pgbouncer", str(configuration)], stderr=log, stdout=log)
            try:
                _wait_until_open(process, door, log.name)
                options = {"ssl": "disable", "prepared_statement_cache_size": "0"}  # of the driver, and of SQLAlchemy
                yield server.set(host="127.0.0.1", port=door, query=options)
            finally:
                process.terminate()
                process.wait()


def _configuration(server: URL, door: int) -> str:
    host = server.host or str(server.query["host"])
    return CONFIGURATION.format(
        host=host,
        port=server.port or 5432,
        user=server.username,
        password=f"password={server.password}" if server.password else "",
        door=door,
        sessions=SESSIONS,
        identity=f"user = {_someone(host)}" if os.geteuid() == 0 else "",
    )


def _someone(host: str) -> str:
    """Who may go where the server's socket is: PgBouncer does not run as root."""
    return Path(host).owner() if host.startswith("/") else "nobody"


def _wait_until_open(process: subprocess.Popen[bytes], door: int, log: str) -> None:
    while process.poll() is None:
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", door)) == 0:
                return
        time.sleep(0.01)  # noqa: TID251  # another process begins, and no event tells of it
    raise RuntimeError(f"PgBouncer does not start: {Path(log).read_text()}")
