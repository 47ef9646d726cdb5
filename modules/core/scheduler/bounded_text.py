"""Text from foreign code, made so that every database can store it: short, without NUL, without lone surrogates."""

from __future__ import annotations

import reprlib
from collections.abc import Callable

MAX_ID = 300  # longer than any id, key or name that is stored
_ELLIPSIS = "…"


def storable(text: str, limit: int) -> str:
    """Return the text in at most `limit` characters; NUL and lone surrogates become visible escapes."""
    clean = _escaped(text[:limit])
    if len(text) <= limit and len(clean) <= limit:
        return clean
    return clean[: limit - 1] + _ELLIPSIS


def storable_ends(text: str, limit: int) -> str:
    """Return the text in at most `limit` bytes of UTF-8; of a longer one the beginning and the end are kept."""
    if len(text) > 4 * limit:
        text = text[: 2 * limit] + text[-2 * limit :]
    data = _escaped(text).encode()
    if len(data) <= limit:
        return data.decode()
    gap = "\n…\n".encode()
    half = (limit - len(gap)) // 2
    return (data[:half] + gap + data[-half:]).decode(errors="ignore")


def storable_repr(value: object, limit: int) -> str:
    """Return a bounded `repr`, also of a value that is endless, contains itself, or whose own `repr` raises."""
    return storable(guarded(lambda: _short.repr(value), "its repr raises"), limit)


def guarded(describe: Callable[[], str], otherwise: str) -> str:
    """Return the description that foreign code gives of itself, or the other text when it raises."""
    try:
        return describe()
    except BaseException:  # noqa: BLE001  # foreign code: a __str__ or __repr__ may raise anything, SystemExit included
        return otherwise


def _escaped(text: str) -> str:
    return text.replace("\0", "\\x00").encode(errors="backslashreplace").decode()


_short = reprlib.Repr()
_short.maxstring = _short.maxother = 200
