"""Old rows of `logs`, a policy that archives them, and their way back, for tests of archives."""

from __future__ import annotations

from aged_rows import DAY, NOW, fill
from sqlalchemy import select

from modules.core.scheduler.cleanup import RowsPolicy, archives, restore


def archiving(**keys):
    """Return a policy that archives rows of `logs` older than a day."""
    return RowsPolicy(table_name="logs", date_column="at", max_age=DAY, action="archive", **keys)


TO_TABLE = {"archive_to": {"table": "old_logs"}}


async def rows_of(database, table):
    """Return all rows, in the order of the first column."""
    query = select(table).order_by(table.c[0])
    return await database.read(lambda connection: connection.execute(query).all())


async def old_and_new(database, table, old=25, new=3):
    """Insert rows of which the first so many are old."""
    rows = [{"id": n, "at": NOW - 2 * DAY, "x": f"row {n}"} for n in range(old)]
    await fill(database, table, rows + [{"id": 100 + n, "at": NOW, "x": None} for n in range(new)])


async def restored(database, policy, means, *, dry_run=False):
    """Restore all archives of the policy; return how many rows came back, and how many were there."""
    found = [
        await restore(policy, each["archive"], database=database, means=means, dry_run=dry_run)
        for each in await archives(policy, database, means)
    ]
    return sum(each.rows for each in found), sum(each.existing for each in found)
