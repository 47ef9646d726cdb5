"""Lists by keyset pages: a cursor names the last row shown, so that a page costs the same however deep it is."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn

from sqlalchemy import Connection, Row

from framework import strict_json
from modules.core.scheduler.bounded_text import MAX_ID, storable
from modules.core.scheduler.refusing import asked_moment, refuse
from modules.core.scheduler.store import executions, listing, task_pages, tasks
from modules.core.scheduler.store.listing import Wanted
from modules.core.scheduler.views import execution_view, shown_task, task_view

MAX_LIMIT = 500
WINDOW = ("since", "until")


def task_page(c: Connection, filters: Mapping[str, Any], limit: int, cursor: str | None) -> dict[str, Any]:
    """Return `{"tasks", "next_cursor"}`, newest first; fewer than `limit` where few fit among those looked at."""
    check_limit(limit)
    after = None if cursor is None else place_of_cursor(cursor)
    page = task_pages.page(c, storable_filters(filters), limit=limit, after=after)
    opened = [row.id for row in page.rows if row.is_open]
    stuck = executions.waiting_reasons(c, opened) if opened else {}
    return {
        "tasks": [task_view(row, is_open=row.is_open, blocked=stuck.get(row.id)) for row in page.rows],
        "next_cursor": page.goes_on and moment_cursor(*page.goes_on),
    }


def storable_filters(filters: Mapping[str, Any]) -> dict[str, Any]:
    """Make every text one that a database can be asked for; nothing stored is equal to a text that it cannot hold."""
    return {name: storable(value, MAX_ID) if isinstance(value, str) else value for name, value in filters.items()}


def one_task(c: Connection, task_id: str) -> dict[str, Any]:
    """Return a task, or refuse with `TASK_NOT_FOUND`."""
    row = tasks.find(c, storable(task_id, MAX_ID))
    if row is None:
        refuse("TASK_NOT_FOUND", f"there is no task {task_id!r}")
    return shown_task(c, row)


def execution_page(
    c: Connection, which: Mapping[str, Any], zone: str, limit: int, cursor: str | None
) -> dict[str, Any]:
    """Return `{"executions", "next_cursor"}`, newest first; `which` has the fields of `Wanted`, moments as given."""
    check_limit(limit)
    wanted = wanted_executions(c, which, zone)
    after = None if cursor is None else _execution_cursor(cursor, wanted)
    rows, edge = listing.page(c, wanted, limit=limit + 1, after=after)
    shown = rows[:limit]
    if len(rows) > limit:
        edge = _place(shown[-1], wanted)
    return {
        "executions": [execution_view(row) | {"task_name": row.name} for row in shown],
        "next_cursor": None if edge is None else _cursor_behind(edge, wanted),
    }


def wanted_executions(c: Connection, which: Mapping[str, Any], zone: str) -> Wanted:
    """Return what is asked for, or refuse: `TASK_NOT_FOUND`, `INVALID_CONFIG` for a moment that cannot be read."""
    bounds = {name: which[name] for name in WINDOW if which.get(name) is not None}
    window = {name: asked_moment(given, zone, name) for name, given in bounds.items()}
    wanted = Wanted(**storable_filters({**which, **window}))
    if wanted.event_id is not None:
        one_task(c, wanted.event_id)
    return wanted


def _place(row: Row[Any], wanted: Wanted) -> tuple[Any, ...]:
    if wanted.event_id is not None:
        return row.scheduled_for, row.attempt
    return (row.end_time, row.id) if wanted.by_end else (row.id,)


def _cursor_behind(place: tuple[Any, ...], wanted: Wanted) -> str:
    texts = [each.isoformat() if isinstance(each, datetime) else str(each) for each in place]
    return _cursor(*texts, "ended") if wanted.by_end else _cursor(*texts)


def _execution_cursor(cursor: str, wanted: Wanted) -> tuple[Any, ...]:
    if wanted.by_end:
        end_time, execution_id, _ = _open_cursor(cursor, 3)
        return _moment(end_time), execution_id
    if wanted.event_id is None:
        return tuple(_open_cursor(cursor, 1))
    scheduled_for, attempt = _open_cursor(cursor, 2)
    if not attempt.isdecimal() or len(attempt) > 9:  # what fits any database's integer
        _refuse_cursor()
    return _moment(scheduled_for), int(attempt)


def check_limit(limit: object) -> None:
    """Refuse with `INVALID_LIMIT` what is no number of rows for a page."""
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MAX_LIMIT:
        refuse("INVALID_LIMIT", f"a page holds 1 to {MAX_LIMIT} rows, not {limit!r:.20}")


def id_cursor(row_id: str) -> str:
    """Return the cursor behind a row of a list that is in the order of its ids."""
    return _cursor(row_id)


def id_of_cursor(cursor: str) -> str:
    """Return the id that such a cursor names, or refuse with `INVALID_CURSOR`."""
    return _open_cursor(cursor, 1)[0]


def _cursor(*parts: str) -> str:
    return base64.urlsafe_b64encode(strict_json.dumps(parts).encode()).decode()


def moment_cursor(moment: datetime, row_id: str) -> str:
    """Return the cursor behind a row of a list that is in the order of moments, and of ids within one."""
    return _cursor(moment.isoformat(), row_id)


def place_of_cursor(cursor: str) -> tuple[datetime, str]:
    """Return the moment and the id that such a cursor names, or refuse with `INVALID_CURSOR`."""
    moment, row_id = _open_cursor(cursor, 2)
    return _moment(moment), row_id


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        _refuse_cursor()
    return moment if moment.tzinfo == UTC else _refuse_cursor()


def _open_cursor(cursor: str, length: int) -> list[str]:
    try:
        parts = strict_json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except ValueError:
        parts = None
    if not isinstance(parts, list) or len(parts) != length:
        _refuse_cursor()
    if not all(isinstance(part, str) and part.isprintable() for part in parts):
        _refuse_cursor()
    return parts


def _refuse_cursor() -> NoReturn:
    refuse("INVALID_CURSOR", "the cursor is not one that a page gave out")
