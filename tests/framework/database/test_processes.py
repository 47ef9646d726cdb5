"""Several processes on one database lose nothing and stop nobody."""

from __future__ import annotations

from processes import run_together
from sqlalchemy import Connection, text

from framework.database import Database

PROCESSES = 4
UPDATES = 100


async def test_no_update_is_lost_between_processes(database: Database, database_url: str) -> None:
    def prepare(c: Connection) -> None:
        c.execute(text("CREATE TABLE counters (id INTEGER PRIMARY KEY, n INTEGER)"))
        c.execute(text("INSERT INTO counters VALUES (1, 0)"))

    await database.write(prepare)
    program = f"""
        import asyncio
        from sqlalchemy import Column, Integer, MetaData, Table, select, update
        from framework.database import Database, for_update

        counters = Table("counters", MetaData(), Column("id", Integer, primary_key=True), Column("n", Integer))

        def count(c):
            n = c.execute(for_update(select(counters.c.n))).scalar_one()
            c.execute(update(counters).values(n=n + 1))

        async def main():
            database = Database({database_url!r})
            for _ in range({UPDATES}):
                await database.write(count)
            await database.close()

        asyncio.run(main())
    """

    run_together(program, PROCESSES)

    counted = await database.read(lambda c: c.execute(text("SELECT n FROM counters")).scalar_one())
    assert counted == PROCESSES * UPDATES
