"""Plain JSON in and out, strict and bounded: nothing but dict, list, str, int, float, bool and None."""

from __future__ import annotations

import json
import math
from typing import Any

from pydantic_core import from_json, to_json

MAX_DEPTH = 64
MAX_BYTES = 1_000_000


class JsonError(ValueError):
    """The text or value is not plain JSON within the limits; the message says why."""


def dumps(value: object, *, max_bytes: int = MAX_BYTES, sort_keys: bool = False) -> str:
    """Return compact ASCII JSON text, or raise `JsonError`: not JSON, NaN, a key not text, too deep, too large."""
    _check(value, MAX_DEPTH)
    try:
        text = (_SORTING if sort_keys else _ENCODER).encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise JsonError(str(error)) from None
    if len(text) > max_bytes:
        raise JsonError(f"{len(text):,} bytes of JSON; at most {max_bytes:,} are allowed")
    return text


def loads(text: str | bytes, *, max_bytes: int = MAX_BYTES) -> Any:
    """Return the value, or raise `JsonError`: malformed, NaN or infinite, a repeated key, too deep, too large."""
    if len(text) > max_bytes:
        raise JsonError(f"{len(text):,} bytes of JSON; at most {max_bytes:,} are allowed")
    try:
        value = _DECODER.decode(text if isinstance(text, str) else text.decode())
    except JsonError:
        raise
    except (ValueError, RecursionError) as error:
        raise JsonError(str(error)) from None
    _check(value, MAX_DEPTH)
    return value


def loads_own(text: str) -> Any:
    """Return the value of a text that `dumps` has made, without looking again for what that never writes.

    A list reads thousands of them. Raises `JsonError` for what somebody else has put there: no JSON, NaN, too deep.
    """
    if text.count("{") + text.count("[") > MAX_DEPTH:
        return loads(text, max_bytes=2 * MAX_BYTES)
    try:
        value = from_json(text, allow_inf_nan=False)
        if b"Infinity" not in to_json(value):  # which the fast reader makes of too large a number
            return value
    except ValueError:
        pass  # perhaps only for half of a surrogate pair, which the other reads
    try:
        return _OWN.decode(text)
    except (ValueError, RecursionError) as error:
        raise JsonError(str(error)) from None


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise JsonError("an object repeats a key")
    return result


def _no_constant(name: str) -> float:
    raise JsonError(f"{name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise JsonError(f"{text[:20]} is too large a number")
    return value


_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"))  # making one costs more than a short text
_SORTING = json.JSONEncoder(allow_nan=False, separators=(",", ":"), sort_keys=True)
_OWN = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite)
_DECODER = json.JSONDecoder(object_pairs_hook=_unique_keys, parse_constant=_no_constant, parse_float=_finite)


def _check(value: object, depth: int) -> None:
    if depth < 0:
        raise JsonError(f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise JsonError(f"the key {key!r} is not text")
            _check(item, depth - 1)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _check(item, depth - 1)
