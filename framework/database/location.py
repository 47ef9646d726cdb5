"""Where the database is: an address checked and completed before anything is opened."""

from __future__ import annotations

import sys
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from framework.errors import FrameworkError

SQLITE = "sqlite"
POSTGRESQL = "postgresql"
MEMORY = ":memory:"
DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}
# The memory that WAL shares between processes does not reach across machines.
NETWORK_FILE_SYSTEMS = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "glusterfs", "lustre", "afs", "fuse.sshfs"}


class DatabaseUrlError(FrameworkError, ValueError):
    """The address of the database cannot be used; the message is one sentence that says why and what to do."""


def locate(address: str) -> URL:
    """Return the URL with its async driver and, for SQLite, an absolute path; raise `DatabaseUrlError`."""
    try:
        url = make_url(address)
    except ArgumentError as error:
        raise DatabaseUrlError(
            "the database URL cannot be read; it looks like 'sqlite:///app.db' or 'postgresql://user@host/name'"
        ) from error
    if url.drivername not in DRIVERS:
        raise DatabaseUrlError(f"{url.drivername!r} is not a database this runs on; use sqlite:// or postgresql://")
    url = url.set(drivername=DRIVERS[url.drivername])
    return _file(url) if url.get_backend_name() == SQLITE else _server(url)


def path_of(url: URL) -> Path | None:
    """Return the database's file; None in memory and on a server."""
    if url.get_backend_name() != SQLITE or url.database in (None, MEMORY):
        return None
    return Path(str(url.database))


def _server(url: URL) -> URL:
    mode = url.query.get("sslmode")  # libpq's word; asyncpg calls it ssl
    return url if mode is None else url.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})


def _file(url: URL) -> URL:
    if not url.host and url.database in (None, "", MEMORY):
        return url.set(database=MEMORY)
    if url.host or str(url.database).startswith("file:"):
        raise DatabaseUrlError(
            "a SQLite URL is 'sqlite:///relative.db' or, with four slashes, 'sqlite:////absolute.db'"
        )
    path = Path(str(url.database)).absolute()
    if path.is_dir():
        raise DatabaseUrlError(f"{path} is a folder; name the database file in it")
    if not path.parent.is_dir():
        raise DatabaseUrlError(
            f"the folder {path.parent} of the database does not exist; create it (an absolute path takes four slashes)"
        )
    kind = _file_system(path.parent)
    if kind in NETWORK_FILE_SYSTEMS:
        raise DatabaseUrlError(
            f"{path} is on a network file system ({kind}), where SQLite loses data; use a local disk"
        )
    return url.set(database=str(path))


def _file_system(folder: Path) -> str | None:
    """Return the kind of file system a folder is on; None where that is not known."""
    mounts = Path("/proc/self/mounts")
    if sys.platform != "linux" or not mounts.is_file():
        return None
    real = folder.resolve()
    kinds: dict[Path, str] = {}
    for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines():
        _, point, kind, *_ = line.split(" ")
        kinds[Path(point.replace("\\040", " "))] = kind
    return next((kinds[parent] for parent in (real, *real.parents) if parent in kinds), None)
