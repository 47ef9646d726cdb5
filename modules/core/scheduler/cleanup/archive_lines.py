"""Rows as lines of JSON that give back exactly what the database held."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Dialect, Integer, Text, cast, type_coerce
from sqlalchemy.types import NullType

from framework.database import SQLITE
from framework.strict_json import JsonError, dumps, loads
from modules.core.scheduler.cleanup.actions import ActionError

MAX_LINE = 64_000_000  # bytes
BASE64, FLOAT = "base64", "float"


class ArchiveError(ActionError):
    """An archive cannot be written or read; the message says why."""


def exported(columns: Iterable[ColumnElement[Any]], dialect: Dialect) -> list[ColumnElement[Any]]:
    """Return the columns as they are archived: raw on SQLite, on PostgreSQL the text that its types read back."""
    if dialect.name == SQLITE:
        return [type_coerce(column, NullType()) for column in columns]
    return [column if isinstance(column.type, (Integer, Boolean)) else cast(column, Text) for column in columns]


def to_line(values: dict[str, Any]) -> bytes:
    """Return one line, with its end; bytes are written as base64. Raises `ArchiveError` for more than `MAX_LINE`."""
    try:
        return dumps({name: _plain(value) for name, value in values.items()}, max_bytes=MAX_LINE).encode() + b"\n"
    except JsonError as error:
        raise ArchiveError(f"a row cannot be archived: {error}") from None


def from_line(line: bytes) -> dict[str, Any]:
    """Return the values of a line: None, bool, int, float, str and bytes; raises `ArchiveError`."""
    try:
        return {name: _value(value) for name, value in loads(line, max_bytes=MAX_LINE).items()}
    except (JsonError, AttributeError, TypeError, ValueError) as error:
        raise ArchiveError(f"a line of the archive cannot be read: {error}") from None


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return {BASE64: base64.b64encode(value).decode()}
    if isinstance(value, float) and not math.isfinite(value):
        return {FLOAT: repr(value)}
    return value


def _value(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if set(value) == {BASE64}:
        return base64.b64decode(value[BASE64], validate=True)
    if set(value) == {FLOAT} and value[FLOAT] in ("inf", "-inf"):
        return float(value[FLOAT])
    raise JsonError("it holds a value of no known kind")
