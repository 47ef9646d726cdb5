"""Pages of tasks as JSON, put together from what is stored: to read that and write it anew costs most of a list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache, partial
from json import JSONEncoder
from json.encoder import encode_basestring_ascii
from operator import attrgetter
from typing import Any

from sqlalchemy import Boolean, Connection, Row, String

from framework import strict_json
from framework.context import AppContext
from framework.database import UtcDateTime, moment_of
from framework.result import Result, ResultError
from modules.core.scheduler.functions import FunctionRegistry, masked
from modules.core.scheduler.pages import check_limit, moment_cursor, place_of_cursor, storable_filters
from modules.core.scheduler.store import executions, task_pages
from modules.core.scheduler.tables import events
from modules.core.scheduler.views import TASK_FIELDS, shown_status, words_of

SHORT = 50  # tasks, up to which the event loop may find them itself
LIGHT = 256 * 1024  # characters of a page, after which a thread makes the next one
MOST_KEPT, LONGEST_KEPT = 5_000, 1_000  # texts that many tasks have alike, and characters of one
OTHERS = ("status", "parameters", "tags", "trigger", "policies", "schedule", "blocked_reason")
TRUTHS = ("false", "true")
CORRUPT = '{"corrupt":true}'
STORED_LENGTH = len("2026-01-01 00:00:00.000000")

Secrets = Callable[[str, str], frozenset[str] | None]

_json = JSONEncoder(allow_nan=False, separators=(",", ":")).encode
_of_task = attrgetter(*TASK_FIELDS)


class TaskTexts:
    """Answers as `SchedulerService.list_tasks` does."""

    def __init__(self, app_context: AppContext, functions: FunctionRegistry) -> None:
        self._app_context, self._functions = app_context, functions
        self._is_light = True

    async def page(self, filters: Mapping[str, Any], limit: int, cursor: str | None) -> Result[bytes] | None:
        """Return a page as JSON; None where a row holds what only those write who change rows by hand."""
        database = self._app_context.database
        is_short = self._is_light and limit <= SHORT and task_pages.is_straight(filters)
        secrets = self._functions.secret_of
        read = partial(_page, filters=filters, limit=limit, cursor=cursor, secrets=secrets)
        try:
            text = await (database.glance(read) if is_short else database.read(read))
        except ResultError as refusal:
            return Result(error=refusal.error)
        except (TypeError, ValueError):
            return None
        self._is_light = len(text) <= LIGHT
        return Result.success(text.encode("ascii"))


def _page(c: Connection, filters: Mapping[str, Any], limit: int, cursor: str | None, secrets: Secrets) -> str:
    check_limit(limit)
    after = None if cursor is None else place_of_cursor(cursor)
    page = task_pages.page(c, storable_filters(filters), limit=limit, after=after, is_unread=True)
    opened = [row.id for row in page.rows if row.is_open]
    stuck = executions.waiting_reasons(c, opened) if opened else {}
    tasks = ",".join([_task(row, stuck.get(row.id), secrets) for row in page.rows])
    return f'{{"tasks":[{tasks}],"next_cursor":{_text(page.goes_on and moment_cursor(*page.goes_on))}}}'


def _task(row: Row[Any], blocked: str | None, secrets: Secrets) -> str:
    return _TEMPLATE % (
        *[write(value) for write, value in zip(_WRITERS, _of_task(row), strict=True)],
        _text(shown_status(row, is_open=row.is_open)),
        _parameters(row.parameters, secrets(row.module_id, row.function_name)),
        _stored(row.tags),
        _stored(row.trigger),
        _stored(row.policies),
        _text(words_of(row.trigger, row.timezone)),
        _text(blocked),
    )


def _text(value: str | None) -> str:
    return "null" if value is None else encode_basestring_ascii(value)


def _value(value: Any) -> str:
    if value is None:
        return "null"
    return str(value) if type(value) is int else _json(value)  # the encoder takes its time to begin


def _truth(value: Any) -> str:
    return "null" if value is None else TRUTHS[bool(value)]


def _moment(value: str | datetime | None) -> str:
    """Write a moment; one that SQLite has as we store it is only looked at, for there are many."""
    if value is None:
        return "null"
    if isinstance(value, str) and len(value) == STORED_LENGTH and value[7] == "-" and value[19] == ".":
        try:
            datetime.fromisoformat(value)
        except ValueError:
            return "null"
        return f'"{value[:10]}T{value[11:].removesuffix(".000000")}Z"'
    moment = moment_of(value)
    return "null" if moment is None else f'"{moment.isoformat()[:-6]}Z"'


def _stored(text: str) -> str:
    return _kept(text) if len(text) <= LONGEST_KEPT else _again(text)


def _again(text: str) -> str:
    try:
        return _json(strict_json.loads_own(text))
    except strict_json.JsonError:
        return CORRUPT


def _parameters(text: str, secret: frozenset[str] | None) -> str:
    return _shown(text, secret) if len(text) <= LONGEST_KEPT else _hidden(text, secret)


def _hidden(text: str, secret: frozenset[str] | None) -> str:
    try:
        parameters = strict_json.loads_own(text)
    except strict_json.JsonError:
        return CORRUPT
    return _json(masked(parameters, secret)) if isinstance(parameters, dict) else CORRUPT


_kept = lru_cache(MOST_KEPT)(_again)
_shown = lru_cache(MOST_KEPT)(_hidden)
_WRITERS = tuple(
    _moment
    if isinstance(events.c[name].type, UtcDateTime)
    else _text
    if isinstance(events.c[name].type, String)
    else _truth
    if isinstance(events.c[name].type, Boolean)
    else _value
    for name in TASK_FIELDS
)
_TEMPLATE = "{" + ",".join(f'"{name}":%s' for name in (*TASK_FIELDS, *OTHERS)) + "}"
