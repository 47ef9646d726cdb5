"""How old what remains is: whether anything lies there that is older than its policy allows, asked by index."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, and_, func, inspect, select

from modules.core.scheduler.cleanup.actions import Means
from modules.core.scheduler.cleanup.files import clean_files
from modules.core.scheduler.cleanup.files_policy import FilesPolicy
from modules.core.scheduler.cleanup.moments import is_before
from modules.core.scheduler.cleanup.pending import not_done
from modules.core.scheduler.cleanup.rows_action import ANONYMISE
from modules.core.scheduler.cleanup.rows_policy import RowsPolicy
from modules.core.scheduler.cleanup.schema import check_rows_policy, read_rows
from modules.core.scheduler.cleanup.trashing import filling

MOST_UNINDEXED = 100_000  # rows of a table that is read without an index
WITHOUT_INDEX = "no index begins with the date column, and there are more than 100,000 rows: nobody looked"
CUT_SHORT = "there are too many files to look at all of them"


@dataclass(frozen=True, slots=True)
class Oldest:
    """What remains of the rows or files of a policy."""

    compliant: bool | None
    """Whether nothing is older than the policy allows; None where that is not known."""
    oldest: datetime | None = None
    """Of rows the oldest there is, of files the oldest of those that are too old; None where there is none."""
    why: str | None = None
    """Why it is not known."""


def oldest_row(c: Connection, policy: RowsPolicy, now: datetime, means: Means) -> Oldest:
    """Look for the oldest row that fits the filters; one step along an index, or through a small table.

    A row that is anonymised, or in the trash, has been dealt with and is passed over.
    """
    policy = policy if policy.trash_column is None else filling(policy)
    if problems := check_rows_policy(c, policy, means=means):
        return Oldest(None, why="; ".join(problem["message"] for problem in problems))
    rows = read_rows(c, inspect(c), policy)
    table = rows.table
    if not rows.is_indexed:
        some = select(table.c[policy.date_column]).limit(MOST_UNINDEXED + 1).subquery()
        if c.execute(select(func.count()).select_from(some)).scalar_one() > MOST_UNINDEXED:
            return Oldest(None, why=WITHOUT_INDEX)
    limit = now if policy.max_age is None else now - policy.max_age
    ours, moment = rows.fits(table), rows.raw(table, policy.date_column)
    if policy.action == ANONYMISE:
        ours = and_(ours, not_done(policy, table))
    first = c.execute(select(moment).where(rows.dated(table), ours).order_by(moment).limit(1)).scalar()
    over = select(moment).where(is_before(table.c[policy.date_column], limit, c.dialect), ours)
    return Oldest(c.execute(over.limit(1)).first() is None, _as_moment(first))


def oldest_file(
    policy: FilesPolicy,
    roots: Sequence[Path],
    now: datetime,
    should_stop: Callable[[], bool],
    monotonic: Callable[[], float],
) -> Oldest:
    """Look for files that are older than the policy's age limit, whatever else keeps them; blocking."""
    shared = {name: getattr(policy, name) for name in ("directory", "pattern", "recursive", "exclude", "age_by")}
    by_age = FilesPolicy(**shared, max_age=policy.age_limit, min_age=timedelta(0))
    found = clean_files(by_age, roots=roots, now=now, dry_run=True, should_stop=should_stop, monotonic=monotonic)
    if not found.success:
        return Oldest(None, why="; ".join(found.errors))
    if not found.matched and should_stop():
        return Oldest(None, why=CUT_SHORT)
    return Oldest(not found.matched, found.oldest)


def _as_moment(value: Any) -> datetime | None:
    """Return what a date column holds as an aware moment in UTC, or None where it holds no such thing."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return None if value is None else datetime.fromtimestamp(float(value), UTC)
