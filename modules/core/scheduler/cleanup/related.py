"""Filters on other tables held against the live schema."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Inspector
from sqlalchemy.types import TypeEngine

from framework.errors import did_you_mean
from modules.core.scheduler.cleanup.comparing import comparable
from modules.core.scheduler.cleanup.filters import Related
from modules.core.scheduler.cleanup.parsing import Problem
from modules.core.scheduler.cleanup.rows_policy import RowsPolicy

Kinds = dict[str, TypeEngine[Any]]


def related_problems(
    inspector: Inspector, policy: RowsPolicy, refusal: Callable[[str], str | None]
) -> Iterator[Problem]:
    """Yield what of `where_in` does not fit; `refusal` says why a table is not for this module, also to be read."""
    tables, own = inspector.get_table_names(), column_types(inspector, policy.table_name)
    for name, rule in (policy.where_in or {}).items():
        place, other = f"where_in.{name}", rule.table_name
        if refused := refusal(other):
            yield {"field": f"{place}.table_name", "message": refused}
        elif other not in tables:
            message = f"there is no table {other!r}{did_you_mean(other, tables)}"
            yield {"field": f"{place}.table_name", "message": message}
        else:
            yield from _column_problems(place, rule, column_types(inspector, other), own.get(name))


def _column_problems(place: str, rule: Related, kinds: Kinds, own: TypeEngine[Any] | None) -> Iterator[Problem]:
    named = {f"{place}.column": rule.column, **{f"{place}.where.{name}": name for name in rule.where or {}}}
    for field, name in named.items():
        if name not in kinds:
            message = f"{rule.table_name!r} has no column {name!r}{did_you_mean(name, kinds)}"
            yield {"field": field, "message": message}
    if rule.column in kinds and own is not None and not _alike(own, kinds[rule.column]):
        message = f"{rule.column!r} is {kinds[rule.column]!r}, which is never equal to {own!r}"
        yield {"field": f"{place}.column", "message": message}
    for name, value in (rule.where or {}).items():
        if name in kinds and not comparable(kinds[name], value):
            message = f"{value!r:.60} cannot be compared with {name!r}; it is {kinds[name]!r}"
            yield {"field": f"{place}.where.{name}", "message": message}


def _alike(one: TypeEngine[Any], other: TypeEngine[Any]) -> bool:
    try:
        return one.python_type is other.python_type
    except NotImplementedError:
        return type(one) is type(other)


def column_types(inspector: Inspector, name: str) -> Kinds:
    """Return the types of a table's columns, by name."""
    return {found["name"]: found["type"] for found in inspector.get_columns(name)}
