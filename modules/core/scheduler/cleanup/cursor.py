"""Where a run stopped, as JSON text: the next one goes on there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID  # noqa: TID251  # to read one, not to make one

from sqlalchemy import ColumnElement

from framework import strict_json

_READERS: dict[type[Any], Any] = {
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    Decimal: Decimal,
    UUID: UUID,
}


def to_cursor(names: Sequence[str], place: Sequence[Any]) -> str | None:
    """Return the text for a place in the order of these columns; None where a value has no text to come back from."""
    values = [_plain(value) for value in place]
    return None if None in values else strict_json.dumps({"by": list(names), "after": values})


def from_cursor(
    text: str | None, names: Sequence[str], columns: Sequence[ColumnElement[Any]]
) -> tuple[Any, ...] | None:
    """Return the place, or None where the text means none in the order of these columns: the run begins anew."""
    try:
        stored = strict_json.loads(text) if text else None
    except strict_json.JsonError:
        return None
    if not isinstance(stored, dict) or stored.get("by") != list(names):
        return None
    values = stored.get("after")
    if not isinstance(values, list) or len(values) != len(columns) or None in map(_plain, values):
        return None
    try:
        return tuple(_typed(value, column) for value, column in zip(values, columns, strict=True))
    except (ValueError, TypeError, ArithmeticError):
        return None


def _plain(value: object) -> Any:
    if isinstance(value, (str, int, float)):
        return value
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return str(value) if isinstance(value, (Decimal, UUID)) else None


def _typed(value: Any, column: ColumnElement[Any]) -> Any:
    try:
        kind = column.type.python_type
    except NotImplementedError:
        return value
    return _READERS[kind](value) if kind in _READERS else value
