"""What cleanups have done: their reports by pages, and the totals of each day."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row

from framework import strict_json
from framework.context import AppContext
from framework.result import Result, ResultError
from modules.core.scheduler.bounded_text import MAX_ID, storable
from modules.core.scheduler.pages import check_limit, id_cursor, id_of_cursor
from modules.core.scheduler.refusing import invalid
from modules.core.scheduler.store import reports
from modules.core.scheduler.store.reports import DAYS_KEPT, day_of

SUMS = ("runs", "dry_runs", "failures", "matched", "deleted", "bytes", "freed_bytes", "seconds")


class CleanupRecords:
    """Reads what the runs of cleanups left. Methods are async and return a Result."""

    def __init__(self, app_context: AppContext) -> None:
        self._database = app_context.database
        self._clock = app_context.clock

    async def reports(
        self, cleanup_id: str | None = None, *, limit: int = 20, cursor: str | None = None
    ) -> Result[dict[str, Any]]:
        """Return `{"reports", "next_cursor"}`, newest first, of one cleanup or of all, also of one that was removed."""
        try:
            return Result.success(await self._database.read(partial(_page, of=cleanup_id, limit=limit, cursor=cursor)))
        except ResultError as refusal:
            return Result(error=refusal.error)

    async def trend(self, cleanup_id: str, days: int = 30) -> Result[dict[str, Any]]:
        """Return what the runs of a cleanup came to on each of the last days, today among them, oldest first.

        `{"cleanup_id", "days": [{"day", "runs", "dry_runs", "failures", "matched", "deleted", "bytes", "freed_bytes",
        "seconds"}], "total"}`: days of UTC; dry runs are counted among `dry_runs`, and nowhere else.
        """
        if problem := _not_days(days):
            return invalid([problem])
        today = self._clock.now()
        wanted = [day_of(today - timedelta(days=before)) for before in reversed(range(days))]
        found = await self._database.read(lambda c: reports.days(c, storable(cleanup_id, MAX_ID), wanted[0]))
        by_day = {row.day: row for row in found}
        shown = [{"day": day, **{name: getattr(by_day.get(day), name, 0) for name in SUMS}} for day in wanted]
        total = {name: sum(getattr(row, name) for row in found) for name in SUMS}
        return Result.success({"cleanup_id": cleanup_id, "days": shown, "total": total})


def _not_days(days: object) -> dict[str, str] | None:
    if isinstance(days, int) and not isinstance(days, bool) and 1 <= days <= DAYS_KEPT:
        return None
    return {"field": "days", "message": f"1 to {DAYS_KEPT} days, not {days!r:.20}"}


def _page(c: Connection, *, of: str | None, limit: int, cursor: str | None) -> dict[str, Any]:
    check_limit(limit)
    before = None if cursor is None else id_of_cursor(cursor)
    rows = reports.page(c, None if of is None else storable(of, MAX_ID), before, limit + 1)
    shown = rows[:limit]
    more = len(rows) > limit
    return {"reports": [_view(row) for row in shown], "next_cursor": id_cursor(shown[-1].id) if more else None}


def _view(row: Row[Any]) -> dict[str, Any]:
    report: dict[str, Any] = strict_json.loads(row.report)
    return {"id": row.id, **report}
