"""What the application writes to its log: one line per event, for people on a terminal, as JSON elsewhere."""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

Format = Literal["auto", "console", "json"]

_Line = MutableMapping[str, Any]

_ids: ContextVar[Mapping[str, str] | None] = ContextVar("log_ids", default=None)

_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_OURS = ("timestamp", "level", "logger", "event", "exception")
_TALKATIVE = ("aiosqlite", "alembic", "asyncio", "sqlalchemy")


def configure(level: str = "INFO", form: Format = "auto", stream: TextIO | None = None) -> None:
    """Send every log record and warning to the stream, by default stderr. Only the command line calls this.

    The form is `console`, `json`, or `auto`: console on a terminal, else json.
    """
    from structlog.dev import ConsoleRenderer
    from structlog.stdlib import ProcessorFormatter

    out = sys.stderr if stream is None else stream
    for_people = form == "console" or (form == "auto" and out.isatty())
    rendering: list[Any] = (
        [_escaped, ConsoleRenderer(colors=out.isatty() and not os.environ.get("NO_COLOR"))]
        if for_people
        else [_as_json]
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[_add_fields, _add_exception],
            processors=[ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(level.upper())
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.root.level, logging.WARNING))
    logging.captureWarnings(capture=True)


def set_ids(**ids: str | None) -> None:
    """Add these ids to every line logged from here on in this context and the tasks it starts; None takes one away."""
    _ids.set({name: value for name, value in {**(_ids.get() or {}), **ids}.items() if value is not None})


@contextmanager
def log_ids(**ids: str) -> Iterator[None]:
    """Add these ids, such as `execution=…`, to every line that is logged inside."""
    token = _ids.set({**(_ids.get() or {}), **ids})
    try:
        yield
    finally:
        _ids.reset(token)


def _add_fields(_logger: object, _method: str, line: _Line) -> _Line:
    record: logging.LogRecord = line["_record"]
    moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    line["timestamp"] = moment.replace("+00:00", "Z")
    line["level"] = record.levelname.lower()
    line["logger"] = record.name
    extra = {name: value for name, value in vars(record).items() if name not in _PLAIN}
    for name, value in {**(_ids.get() or {}), **extra}.items():
        line[f"{name}_" if name in _OURS else name] = value
    return line


def _add_exception(_logger: object, _method: str, line: _Line) -> _Line:
    failure = line.pop("exc_info", None)
    if failure and failure[0] is not None:
        line["exception"] = "".join(traceback.format_exception(*failure)).rstrip()
    return line


def _as_json(_logger: object, _method: str, line: _Line) -> str:
    """Return one line of ASCII JSON; a value that is not JSON becomes its repr."""
    line = {name: line[name] for name in _OURS if name in line} | dict(line)
    try:
        return json.dumps(line, default=repr, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return json.dumps({str(name): value if isinstance(value, str) else repr(value) for name, value in line.items()})


def _escaped(_logger: object, _method: str, line: _Line) -> _Line:
    """Escape what a terminal would obey; a traceback keeps its lines, set in so that none can pass for an event."""
    for name, value in line.items():
        if name == "exception":
            line[name] = "\n".join("    " + _printable(part) for part in value.split("\n"))
        elif isinstance(value, str):
            line[name] = _printable(value)
    return line


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)
