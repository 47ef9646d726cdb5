"""Answers in JSON: plain values, and moments as ISO 8601, written without checking every row again."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from starlette.responses import JSONResponse


def as_text(moment: datetime) -> str:
    """Return an aware moment as ISO 8601: with `Z` in UTC, else with its offset."""
    return moment.isoformat().replace("+00:00", "Z")


def _plain(value: object) -> Any:
    if isinstance(value, datetime):
        return as_text(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Collection):
        return list(value)
    return str(value)


_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"), default=_plain)  # ASCII: any text can be encoded


class JsonAnswer(JSONResponse):
    """An answer of plain data, in which moments and durations (as seconds) may stand; NaN raises `ValueError`."""

    def render(self, content: Any) -> bytes:
        """Return the bytes of the answer."""
        return _ENCODER.encode(content).encode("ascii")
