"""Whether anything lies there that is older than its policy allows: asked of every cleanup that has an age."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row

from framework import strict_json
from framework.context import AppContext
from framework.duration import in_words
from framework.errors import one_line
from framework.result import Result
from modules.core.scheduler.cleanup import (
    AnyPolicy,
    FilesPolicy,
    Oldest,
    PolicyError,
    RowsPolicy,
    oldest_file,
    oldest_row,
)
from modules.core.scheduler.housekeeper import Housekeeper
from modules.core.scheduler.store import cleanups

LONGEST_LOOK = 30.0  # seconds for one folder

_WHAT = {"anonymise": "row not yet anonymised of ", "trash": "row outside of the trash of "}


class Compliance:
    """Looks, and keeps what it has seen. Methods are async and return a Result."""

    def __init__(self, app_context: AppContext, housekeeper: Housekeeper) -> None:
        self._database = app_context.database
        self._clock = app_context.clock
        self._cleaner, self._runs = housekeeper.cleaner, housekeeper.runs

    async def check(self, *, look: bool = True) -> Result[list[dict[str, Any]]]:
        """Return of every cleanup of rows or files by age whether anything is older than it allows.

        `[{"cleanup_id", "module_id", "cleanup_type", "compliant" (None: not known), "oldest", "limit" (in seconds;
        None: an expiry), "says", "checked_at"}]`. What a rule keeps counts like the rest: it is there, and old.
        With `look=False` it is what was seen the last time, and cleanups that nobody has looked at are left out.
        """
        rows = await self._database.read(lambda c: cleanups.chosen(c, module_id=None, cleanup_type=None))
        if look:
            looked = [(row, await self._look(row)) for row in rows]
            seen = [(row, values) for row, values in looked if values is not None]
            await self._database.write(lambda c: _keep(c, [(row.id, values) for row, values in seen]))
        else:
            seen = [(row, strict_json.loads(row.compliance)) for row in rows if row.compliance is not None]
        return Result.success([_view(row, values) for row, values in seen])

    async def _look(self, row: Row[Any]) -> dict[str, Any] | None:
        try:
            policy = self._runs.parse_stored(row.config)
        except (PolicyError, strict_json.JsonError):
            return None
        limit = limit_of(policy)
        if limit is None:
            return None
        now = self._clock.now()
        found = await self._oldest(policy, now)
        return {
            "compliant": found.compliant,
            "oldest": None if found.oldest is None else found.oldest.isoformat(),
            "limit": limit.total_seconds() or None,
            "says": sentence(policy, found, limit, now),
            "checked_at": now.isoformat(),
        }

    async def _oldest(self, policy: AnyPolicy, now: datetime) -> Oldest:
        try:
            if isinstance(policy, FilesPolicy):
                clock = self._clock.monotonic
                until = clock() + LONGEST_LOOK
                look = partial(oldest_file, policy, self._cleaner.roots, now, lambda: clock() > until, clock)
                return await asyncio.to_thread(look)
            database = self._cleaner.database(policy.database) if isinstance(policy, RowsPolicy) else None
            if not isinstance(policy, RowsPolicy) or database is None:
                return Oldest(None, why="its database is not configured")
            return await database.read(lambda c: oldest_row(c, policy, now, self._cleaner.means))
        except Exception as error:  # noqa: BLE001  # the boundary: what a database or a disk refuses is told
            return Oldest(None, why=one_line(error))


def limit_of(policy: AnyPolicy) -> timedelta | None:
    """Return the age beyond which rows or files go: nothing at all for an expiry; None where there is no age."""
    if isinstance(policy, RowsPolicy):
        return None if policy.by_number else policy.max_age or timedelta(0)
    return policy.age_limit if isinstance(policy, FilesPolicy) else None


def sentence(policy: AnyPolicy, found: Oldest, limit: timedelta, now: datetime) -> str:
    """Return in one sentence whether anything is too old."""
    what = _rows(policy) if isinstance(policy, RowsPolicy) else "file"
    allowed = f"older than {in_words(limit)}" if limit else "past its expiry"
    if found.compliant is None:
        return found.why or "nobody knows"
    if found.compliant:
        return f"no {what} is {allowed}"
    if found.oldest is None:
        return f"a {what} is {allowed}"
    beyond = timedelta(seconds=round((now - found.oldest - limit).total_seconds()))
    return f"the oldest {what} is {allowed}, by {in_words(beyond)}"


def _rows(policy: RowsPolicy) -> str:
    what = _WHAT.get(policy.action, "row of ") + policy.table_name
    return f"{what} that fits its filters" if policy.where or policy.where_in else what


def _keep(c: Connection, seen: list[tuple[str, dict[str, Any]]]) -> None:
    for cleanup_id, values in seen:
        cleanups.keep_compliance(c, cleanup_id, strict_json.dumps(values))


def _view(row: Row[Any], values: dict[str, Any]) -> dict[str, Any]:
    moments = {name: values[name] and datetime.fromisoformat(values[name]) for name in ("oldest", "checked_at")}
    names = {"cleanup_id": row.id, "module_id": row.module_id, "cleanup_type": row.cleanup_type}
    return {**names, **values, **moments}
