"""The audit by pages: who did what, to what, when."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row

from framework import strict_json
from framework.context import AppContext
from framework.result import Result, ResultError
from modules.core.scheduler.bounded_text import MAX_ID, storable
from modules.core.scheduler.pages import check_limit, moment_cursor, place_of_cursor
from modules.core.scheduler.refusing import asked_moment
from modules.core.scheduler.store import audit

SHOWN = ("id", "at", "actor", "door", "action", "kind", "target", "name")


class AuditRecords:
    """Reads what operators have done. Methods are async and return a Result."""

    def __init__(self, app_context: AppContext, timezone: str) -> None:
        self._database = app_context.database
        self._timezone = timezone

    async def list_audit(
        self,
        *,
        actor: str | None = None,
        action: str | None = None,
        kind: str | None = None,
        target: str | None = None,
        since: datetime | str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Result[dict[str, Any]]:
        """Return `{"entries", "next_cursor"}`, newest first: what came in by other doors than code, and changed things.

        Each of the entries has `id`, `at`, `actor` (who), `door` (cli, api, dashboard), `action` and `kind` (`pause` of
        a `task`), `target` (its id) and `name`, and of the fields that have changed `before` and `after`, None where
        there was, or is, nothing. A `since` without an offset is read in the scheduler's zone.
        """
        asked = {"actor": actor, "action": action, "kind": kind, "target": target}
        wanted = {name: storable(value, MAX_ID) for name, value in asked.items() if value is not None}
        try:
            start = None if since is None else asked_moment(since, self._timezone, "since")
            page = partial(_page, wanted=wanted, since=start, limit=limit, cursor=cursor)
            return Result.success(await self._database.read(page))
        except ResultError as refusal:
            return Result(error=refusal.error)


def _page(
    c: Connection, wanted: dict[str, str], since: datetime | None, limit: int, cursor: str | None
) -> dict[str, Any]:
    check_limit(limit)
    after = None if cursor is None else place_of_cursor(cursor)
    rows = audit.page(c, wanted, since, after, limit + 1)
    shown = rows[:limit]
    more = len(rows) > limit
    return {
        "entries": [_view(row) for row in shown],
        "next_cursor": moment_cursor(shown[-1].at, shown[-1].id) if more else None,
    }


def _view(row: Row[Any]) -> dict[str, Any]:
    shown = {name: getattr(row, name) for name in SHOWN}
    changes = {name: None if text is None else strict_json.loads(text) for name, text in _texts(row)}
    return shown | changes


def _texts(row: Row[Any]) -> list[tuple[str, str | None]]:
    return [("before", row.before), ("after", row.after)]
