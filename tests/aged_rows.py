"""A table whose rows have a date, and its cleaning, for tests of cleanups."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import MetaData, Table, insert, select

from framework.testing import FakeClock
from modules.core.scheduler.cleanup import RowsPolicy, clean_rows
from modules.core.scheduler.cleanup.deleting import delete_rows

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
DAY = timedelta(days=1)
OLD = {"table_name": "logs", "date_column": "at", "max_age": DAY}


async def create(database, *columns, name="logs"):
    """Create a table and return it."""
    metadata = MetaData()
    table = Table(name, metadata, *columns)
    await database.write(metadata.create_all)
    return table


async def fill(database, table, rows):
    """Insert the rows."""
    await database.write(lambda connection: connection.execute(insert(table), rows))


async def values(database, column):
    """Return the values of the column, sorted."""
    return await database.read(lambda connection: list(connection.scalars(select(column).order_by(column))))


async def clean(database, policy=None, *, now=NOW, dry_run=False, **options):
    """Run the policy, by default: rows of `logs` older than a day go."""
    policy = policy or RowsPolicy(**OLD)
    return await clean_rows(policy, database=database, now=now, dry_run=dry_run, **options)


class PassingClock(FakeClock):
    """A clock on which sleeping lets the time pass."""

    def __init__(self):
        super().__init__(NOW)
        self.slept = []

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self.advance(seconds)


def taking(clock, seconds_a_row):
    """Delete, which takes so long for every row; the sizes of the batches are in `sizes`."""

    def act(connection, target, keys):
        act.sizes.append(len(keys))
        clock.advance(len(keys) * seconds_a_row)
        return delete_rows(connection, target, keys)

    act.sizes = []
    return act
