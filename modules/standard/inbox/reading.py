"""From the content of a file to its records: CSV with a header, a JSON array of objects, or one object a line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from framework import strict_json


class FileRefused(ValueError):  # noqa: N818  # named after what is the case
    """The file cannot be ingested as it is; the message says why."""


def is_readable(name: str) -> bool:
    """Tell by its ending whether a file is of a known kind."""
    return _suffix(name) in _READERS


def records_of(name: str, content: bytes) -> list[str]:
    """Return each record as the JSON text of an object, all or none; raises `FileRefused`."""
    try:
        text = content.decode("utf-8-sig")
        return [_as_json(record) for record in _READERS[_suffix(name)](text)]
    except UnicodeDecodeError as error:
        raise FileRefused(f"it is no UTF-8 text: byte {error.start} cannot be read") from None
    except strict_json.JsonError as error:
        raise FileRefused(str(error)) from None


def _suffix(name: str) -> str:
    return PurePath(name).suffix.lower()


def _as_json(record: Any) -> str:
    if not isinstance(record, dict):
        raise FileRefused(f"a record must be a JSON object, not {type(record).__name__}")
    return strict_json.dumps(record)


def _from_csv(text: str) -> Iterator[dict[str, str]]:
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(rows, [])
        if not all(header) or not header or len(set(header)) < len(header):
            raise FileRefused("the first line must name every column, each once")
        for row in rows:
            if len(row) not in (0, len(header)):
                raise FileRefused(f"line {rows.line_num} has {len(row)} fields, and the header {len(header)}")
            if row:
                yield dict(zip(header, row, strict=True))
    except csv.Error as error:
        raise FileRefused(f"line {rows.line_num} is no CSV: {error}") from None


def _from_json(text: str) -> Iterator[Any]:
    value = strict_json.loads(text, max_bytes=len(text))
    yield from value if isinstance(value, list) else [value]


def _from_json_lines(text: str) -> Iterator[Any]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield strict_json.loads(line)
            except strict_json.JsonError as error:
                raise FileRefused(f"line {number}: {error}") from None


_READERS = {".csv": _from_csv, ".json": _from_json, ".jsonl": _from_json_lines}
