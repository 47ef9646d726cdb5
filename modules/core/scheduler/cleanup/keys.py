"""Rows by their primary key, of one column or of several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, TableClause, tuple_

Key = tuple[Any, ...]


def key_of(table: TableClause, key: Sequence[str]) -> ColumnElement[Any]:
    """Return the key as one expression."""
    columns = [table.c[name] for name in key]
    return columns[0] if len(columns) == 1 else tuple_(*columns)


def values_of(keys: Sequence[Key]) -> list[Any]:
    """Return keys as they are compared with that expression."""
    return [key[0] if len(key) == 1 else key for key in keys]


def among(table: TableClause, key: Sequence[str], keys: Sequence[Key]) -> ColumnElement[bool]:
    """Return the condition that a row is one of these."""
    return key_of(table, key).in_(values_of(keys))
