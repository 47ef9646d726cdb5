"""Writes TOML, which Python only reads: tables of plain JSON values as text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def to_toml(document: Mapping[str, Any]) -> str:
    """Return a document of plain JSON values as TOML: a list of objects at its top is an array of tables.

    Raises `ValueError` with the path of a null, for which TOML has no word.
    """
    lines: list[str] = []
    tables: list[str] = []
    for key, value in document.items():
        if isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
            tables += [line for number, item in enumerate(value) for line in _table(key, number, item)]
        else:
            lines.append(f"{_key(key)} = {_value(value, key)}")
    return "\n".join([*lines, *tables]) + "\n"


def _table(key: str, number: int, item: Mapping[str, Any]) -> list[str]:
    rows = [f"{_key(name)} = {_value(value, f'{key}.{number}.{name}')}" for name, value in item.items()]
    return ["", f"[[{_key(key)}]]", *rows]


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: Any, path: str) -> str:
    if value is None:
        raise ValueError(f"{path} is null, which TOML cannot say; take JSON")
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        pairs = [f"{_key(name)} = {_value(item, f'{path}.{name}')}" for name, item in value.items()]
        return "{ " + ", ".join(pairs) + " }" if pairs else "{}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(_value(item, f"{path}.{number}") for number, item in enumerate(value)) + "]"
    return json.dumps(value)
