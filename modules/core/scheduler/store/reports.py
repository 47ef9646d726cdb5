"""Reports of cleanups in the database, and what they come to by the day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from framework.database import run
from modules.core.scheduler.cleanup_tables import cleanup_days, cleanup_reports

DAYS_KEPT = 366  # of totals by the day
COUNT = """
    INSERT INTO scheduler_cleanup_days AS day
        (cleanup_id, day, runs, dry_runs, failures, matched, deleted, bytes, freed_bytes, seconds)
    VALUES (:cleanup_id, :day, :runs, :dry_runs, :failures, :matched, :deleted, :bytes, :freed_bytes, :seconds)
    ON CONFLICT (cleanup_id, day) DO UPDATE SET
        runs = day.runs + excluded.runs,
        dry_runs = day.dry_runs + excluded.dry_runs,
        failures = day.failures + excluded.failures,
        matched = day.matched + excluded.matched,
        deleted = day.deleted + excluded.deleted,
        bytes = day.bytes + excluded.bytes,
        freed_bytes = day.freed_bytes + excluded.freed_bytes,
        seconds = day.seconds + excluded.seconds"""


def day_of(moment: datetime) -> str:
    """Return the day of an aware moment, `YYYY-MM-DD` in UTC."""
    return moment.astimezone(UTC).date().isoformat()


def add(c: Connection, values: Mapping[str, Any]) -> None:
    """Insert one report."""
    c.execute(insert(cleanup_reports).values(values))


def count(c: Connection, cleanup_id: str, day: str, values: Mapping[str, Any]) -> None:
    """Add the numbers of a run to those of its day."""
    run(c, COUNT, cleanup_id=cleanup_id, day=day, **values)


def page(c: Connection, cleanup_id: str | None, before: str | None, limit: int) -> Sequence[Row[Any]]:
    """Return the newest reports, of one cleanup or of all, older than the one whose id is `before`."""
    query = select(cleanup_reports)
    if cleanup_id is not None:
        query = query.where(cleanup_reports.c.cleanup_id == cleanup_id)
    if before is not None:
        query = query.where(cleanup_reports.c.id < before)
    return c.execute(query.order_by(cleanup_reports.c.id.desc()).limit(limit)).all()


def days(c: Connection, cleanup_id: str, first: str) -> Sequence[Row[Any]]:
    """Return the days of a cleanup on which it ran, from the first one (`YYYY-MM-DD`) on, in order."""
    of_it = (cleanup_days.c.cleanup_id == cleanup_id) & (cleanup_days.c.day >= first)
    return c.execute(select(cleanup_days).where(of_it).order_by(cleanup_days.c.day)).all()
