"""What tests ask of a PostgreSQL server beside the product."""

from __future__ import annotations

from sqlalchemy import URL


def address(server: URL, database: str) -> str:
    """Return the URL of one of its databases, as an application is given it."""
    return server.set(drivername="postgresql+asyncpg", database=database).render_as_string(hide_password=False)


async def run_sql(server: URL, statement: str) -> None:
    """Run a statement for the whole server, such as the making of a database."""
    import asyncpg

    admin = await asyncpg.connect(server.set(drivername="postgresql").render_as_string(hide_password=False))
    try:
        await admin.execute(statement)
    finally:
        await admin.close()
