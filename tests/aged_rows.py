"""A table whose rows have a date, and its cleaning, for tests of cleanups."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import MetaData, Table, insert, select

from modules.core.scheduler.cleanup import RowsPolicy, clean_rows

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
DAY = timedelta(days=1)


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
    policy = policy or RowsPolicy(table_name="logs", date_column="at", max_age=DAY)
    return await clean_rows(policy, database=database, now=now, dry_run=dry_run, **options)
