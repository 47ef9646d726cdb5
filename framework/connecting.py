"""The database of an application, opened for a start or for a look, and waited for."""

from __future__ import annotations

import logging

from sqlalchemy import make_url

from framework.clock import Clock
from framework.database import Database, is_transient
from framework.database.location import path_of
from framework.duration import in_words
from framework.errors import DatabaseMissing, DatabaseRefused, DatabaseUnavailable, SettingsError, one_line
from framework.result import Result
from framework.settings import FrameworkSettings, without_password

log = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0  # seconds


def open_database(own: FrameworkSettings) -> Database:
    """Return the database of these settings, for a start: its folder is made. Raises `SettingsError`."""
    try:
        own.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"FRAMEWORK_DATA_DIR is {str(own.data_dir)!r}, which cannot be made: {error.strerror}"
        ) from None
    return Database(own.database_url, synchronous=own.sqlite_synchronous, pooled=own.database_pooled)


def open_existing(own: FrameworkSettings) -> Database:
    """Return the database of these settings, for a look: raises `DatabaseMissing` where another process has none."""
    path = path_of(make_url(own.database_url))
    if path is not None and not path.exists():
        raise DatabaseMissing(
            f"there is no database at {path} yet; `chamberlain run` or `chamberlain db upgrade` makes it"
        )
    database = Database(own.database_url, synchronous=own.sqlite_synchronous, pooled=own.database_pooled)
    if database.is_memory:
        raise DatabaseMissing("the database is in memory, where only its own process can look; use a file or a server")
    return database


async def until_it_answers(database: Database, clock: Clock, own: FrameworkSettings) -> None:
    """Wait for a database that is not there yet, with growing pauses, as long as `database_timeout` allows."""
    url = without_password(own.database_url)
    give_up, pause = clock.monotonic() + own.database_timeout.total_seconds(), _FIRST_PAUSE
    while True:
        try:
            await answers(database)
        except Exception as error:
            if not is_transient(error):
                raise DatabaseRefused(url, getattr(error, "orig", None) or error) from error
            if clock.monotonic() >= give_up:
                raise DatabaseUnavailable(url, in_words(own.database_timeout), error) from error
            log.warning("the database %s gives no answer yet: %s", url, without_password(one_line(error)))
        else:
            return
        await clock.sleep(min(pause, max(give_up - clock.monotonic(), 0)))
        pause = min(pause * 2, _LONGEST_PAUSE)


async def answers(database: Database) -> Result[dict[str, str]]:
    """Ask the database for anything; raises what it raises."""
    await database.read(lambda connection: connection.exec_driver_sql("SELECT 1").scalar_one())
    return Result.success({"dialect": database.dialect})
