"""Answers in JSON: plain values, and moments as ISO 8601, written without checking every row again."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from pydantic_core import PydanticSerializationError, to_json
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
        """Return the bytes of the answer, which are JSON already where the content is bytes.

        What the fast encoder cannot write, or not as JSON, the other does.
        """
        if isinstance(content, bytes):
            return content
        try:
            written = to_json(content, timedelta_mode="float", inf_nan_mode="constants")
        except PydanticSerializationError:  # such as half of a surrogate pair
            return _ENCODER.encode(content).encode("ascii")
        is_doubtful = b"NaN" in written or b"Infinity" in written  # perhaps only in a text
        return _ENCODER.encode(content).encode("ascii") if is_doubtful else written
