"""Pages of tasks as JSON, put together from what is stored: to read that and write it anew costs most of a list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
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
ALIKE = (  # in very many tasks
    *("module_id", "function_name", "recurring", "interval_type", "interval_value", "timezone", "max_executions"),
    *("owner", "priority", "queue", "overlap", "max_instances", "delivery", "created_by"),
)
STORED_ALIKE = ("tags", "policies")
OWN = tuple(name for name in TASK_FIELDS if name not in ALIKE)
OTHERS = ("status", "parameters", "blocked_reason")
TRUTHS = ("false", "true")
CORRUPT = '{"corrupt":true}'
STORED_LENGTH = len("2026-01-01 00:00:00.000000")

Secrets = Callable[[str, str], frozenset[str] | None]

_json = JSONEncoder(allow_nan=False, separators=(",", ":")).encode
_own, _alike = attrgetter(*OWN), attrgetter(*ALIKE, *STORED_ALIKE)


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
            once = task_pages.is_unfiltered(filters)
            text = await (database.glance(read, planned_once=once) if is_short else database.read(read))
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
        *[write(value) for write, value in zip(_WRITERS, _own(row), strict=True)],
        _text(shown_status(row, is_open=row.is_open)),
        _parameters(row.parameters, secrets(row.module_id, row.function_name)),
        _text(blocked),
        _shared(_alike(row)),
        _timing(row.trigger, row.timezone),
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
    """Write a moment; one as the driver gives it, or as SQLite has it, is only looked at, for there are many."""
    if value is None:
        return "null"
    if isinstance(value, datetime) and value.tzinfo is UTC:
        return f'"{value.isoformat()[:-6]}Z"'
    if isinstance(value, str) and len(value) == STORED_LENGTH and value[7] == "-" and value[19] == ".":
        try:
            datetime.fromisoformat(value)
        except ValueError:
            return "null"
        return f'"{value[:10]}T{value[11:].removesuffix(".000000")}Z"'
    moment = moment_of(value)
    return "null" if moment is None else f'"{moment.isoformat()[:-6]}Z"'


def _shared(values: tuple[Any, ...]) -> str:
    """Write the fields that are `ALIKE` in very many tasks, once for all of these."""
    is_short = sum(map(len, values[len(ALIKE) :])) <= LONGEST_KEPT
    return _shared_kept(values) if is_short else _shared_anew(values)


def _shared_anew(values: tuple[Any, ...]) -> str:
    plain = [write(value) for write, value in zip(_ALIKE_WRITERS, values, strict=False)]
    return _ALIKE_TEMPLATE % (*plain, *map(_again, values[len(ALIKE) :]))


def _timing(trigger: str, zone: str) -> str:
    return _timing_kept(trigger, zone) if len(trigger) <= LONGEST_KEPT else _timing_anew(trigger, zone)


def _timing_anew(trigger: str, zone: str) -> str:
    return f'"trigger":{_again(trigger)},"schedule":{_text(words_of(trigger, zone))}'


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


def _writer(name: str) -> Callable[[Any], str]:
    column_type = events.c[name].type
    if isinstance(column_type, UtcDateTime):
        return _moment
    if isinstance(column_type, String):
        return _text
    return _truth if isinstance(column_type, Boolean) else _value


def _template(names: Iterable[str]) -> str:
    return ",".join(f'"{name}":%s' for name in names)


_shown = lru_cache(MOST_KEPT)(_hidden)
_shared_kept = lru_cache(MOST_KEPT)(_shared_anew)
_timing_kept = lru_cache(MOST_KEPT)(_timing_anew)
_WRITERS, _ALIKE_WRITERS = tuple(map(_writer, OWN)), tuple(map(_writer, ALIKE))
_TEMPLATE = "{" + _template((*OWN, *OTHERS)) + ",%s,%s}"
_ALIKE_TEMPLATE = _template((*ALIKE, *STORED_ALIKE))
