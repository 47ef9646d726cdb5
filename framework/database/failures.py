"""What a database error means to the caller: try again later, a key that is taken, or a mistake."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

SQLITE_UNIQUE = {
    sqlite3.SQLITE_CONSTRAINT_UNIQUE,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
    sqlite3.SQLITE_CONSTRAINT_ROWID,
}
SQLITE_TRANSIENT = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
}
LOST = ("08", "57P01", "57P02", "57P03")  # the connection failed, or the server went down under it
LOST_WORDS = ("connection is closed", "cannot switch to state")  # of asyncpg, which has no code for them
POSTGRESQL_UNIQUE = "23505"
# Connection lost, serialization failure, deadlock, no resources, lock or statement timeout, server going down or up.
POSTGRESQL_TRANSIENT = ("08", "40001", "40P01", "53", "55P03", "57014", "57P")


def is_unique_violation(error: BaseException) -> bool:
    """Whether a row was refused because its unique key or primary key is taken."""
    if not isinstance(error, IntegrityError):
        return False
    return any(_sqlite_code(e) in SQLITE_UNIQUE or _sqlstate(e) == POSTGRESQL_UNIQUE for e in _causes(error))


def is_transient(error: BaseException) -> bool:
    """Whether the same work may succeed later: locked, busy, full, connection lost or refused, server restarting."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return any(_is_passing(cause) for cause in _causes(error))


def is_lost(error: BaseException) -> bool:
    """Whether the connection is gone, so that nobody knows what became of what was sent last."""
    return isinstance(error, DBAPIError) and error.connection_invalidated


def translated(error: Exception, statement: str) -> Exception:
    """Return PostgreSQL's driver's error as SQLAlchemy would raise it; any other as it is."""
    state = _sqlstate(error)
    in_words = any(words in str(error) for words in LOST_WORDS)
    gone = isinstance(error, OSError) or state.startswith(LOST) or in_words
    if not (state or gone):
        return error
    kind = IntegrityError if state.startswith("23") else OperationalError if gone else DBAPIError
    return kind(statement, None, error, hide_parameters=True, connection_invalidated=gone)


def _is_passing(error: BaseException) -> bool:
    code = _sqlite_code(error)
    if code is not None:
        return code & 0xFF in SQLITE_TRANSIENT
    return isinstance(error, OSError) or _sqlstate(error).startswith(POSTGRESQL_TRANSIENT)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and what it was raised from, down to the driver's own."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = getattr(cause, "orig", None) or cause.__cause__


def _sqlite_code(error: BaseException) -> int | None:
    return getattr(error, "sqlite_errorcode", None)


def _sqlstate(error: BaseException) -> str:
    return getattr(error, "sqlstate", None) or ""
