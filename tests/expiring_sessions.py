"""A table of sessions, some of them over, for tests of cleanups by the housekeeper."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, DateTime, Integer, MetaData, Table, func, insert, select

from framework.database import Database

OVER = {"table_name": "sessions", "date_column": "at", "max_age": "1 day"}

metadata = MetaData()
sessions = Table("sessions", metadata, Column("id", Integer, primary_key=True), Column("at", DateTime(timezone=True)))


async def fill(database: Database, now: datetime, old: int, new: int) -> None:
    """Make the table with `old` rows that are over and `new` ones that are not."""
    ages = [timedelta(days=2)] * old + [timedelta(0)] * new
    rows = [{"id": number, "at": now - age} for number, age in enumerate(ages)]
    await database.write(metadata.create_all)
    await database.write(lambda c: c.execute(insert(sessions), rows))


async def count(database: Database) -> int:
    """Return how many sessions there are."""
    return await database.read(lambda c: c.execute(select(func.count()).select_from(sessions)).scalar_one())


async def register(node: Any, cleanup_type: str, config: dict[str, Any]) -> dict[str, Any]:
    """Register a cleanup of the module `acme.test`."""
    return dict((await node.scheduler.register_cleanup_task("acme.test", cleanup_type, config)).unwrap())


async def reports(node: Any, cleanup_id: str, **options: Any) -> list[dict[str, Any]]:
    """Return the reports of a cleanup, newest first."""
    return list((await node.scheduler.cleanup_reports(cleanup_id, **options)).unwrap()["reports"])
