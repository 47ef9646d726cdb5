"""A rows policy held against the live schema: SQLite would read a misspelt column as a text, and delete every row."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Exists,
    Inspector,
    TableClause,
    and_,
    column,
    exists,
    func,
    inspect,
    or_,
    select,
    table,
)
from sqlalchemy.sql import quoted_name
from sqlalchemy.types import TypeEngine

from framework.errors import did_you_mean
from modules.core.scheduler.cleanup.moments import holds_moments, is_before
from modules.core.scheduler.cleanup.parsing import Problem
from modules.core.scheduler.cleanup.rows_policy import RowsPolicy

_ALLOWED: dict[type[Any], tuple[type[Any], ...]] = {
    str: (str,),
    bool: (bool,),
    int: (int,),
    float: (int, float),
    Decimal: (int, float),
}


@dataclass(frozen=True, slots=True)
class Target:
    """The table of a policy as the database has it now."""

    table: TableClause
    key: tuple[str, ...]
    """Columns of the primary key; empty where there is none."""
    condemned: ColumnElement[bool]
    """Which rows go."""
    blockers: dict[str, Exists]
    """By a sentence: rows of other tables that refer to condemned ones, and that the database would not let go."""


def check_rows_policy(
    connection: Connection,
    policy: RowsPolicy,
    forbidden_tables: Collection[str] = (),
    owned_tables: Collection[str] | None = None,
) -> list[Problem]:
    """Return what of the policy does not fit the live schema, as `{"field", "message"}`; empty when all does.

    `owned_tables` are those that the registering module has declared as its own; None means that none were asked for.
    """
    inspector = inspect(connection)
    name = policy.table_name
    if name.lower() in {forbidden.lower() for forbidden in forbidden_tables}:
        return [{"field": "table_name", "message": f"the table {name!r} is not cleaned this way"}]
    if owned_tables is not None and name not in owned_tables:
        return [{"field": "table_name", "message": f"the table {name!r} does not belong to the module"}]
    tables = inspector.get_table_names()
    if name not in tables:
        return [{"field": "table_name", "message": f"there is no table {name!r}{did_you_mean(name, tables)}"}]
    return _column_problems(policy, _column_types(inspector, name))


def read_target(connection: Connection, policy: RowsPolicy, now: datetime) -> Target:
    """Return the table of a checked policy, with the condition that condemns rows at this moment."""
    inspector = inspect(connection)
    key = inspector.get_pk_constraint(policy.table_name)["constrained_columns"]
    target = _clause(policy.table_name, _column_types(inspector, policy.table_name))
    moment = now if policy.max_age is None else now - policy.max_age
    is_over = is_before(target.c[policy.date_column], moment, connection.dialect)
    filters = [_fits(target.c[name], value) for name, value in (policy.where or {}).items()]
    condemned = and_(is_over, *filters)
    return Target(target, tuple(key), condemned, _blockers(inspector, target, condemned))


def count_rows(connection: Connection, table_name: str) -> int:
    """Return how many rows a table has, of which the schema is known to have it."""
    return connection.scalar(select(func.count()).select_from(table(quoted_name(table_name, quote=True)))) or 0


def _column_problems(policy: RowsPolicy, kinds: dict[str, TypeEngine[Any]]) -> list[Problem]:
    fields = {"date_column": policy.date_column} | {f"where.{name}": name for name in policy.where or {}}
    problems = [
        {"field": field, "message": f"{policy.table_name!r} has no column {name!r}{did_you_mean(name, kinds)}"}
        for field, name in fields.items()
        if name not in kinds
    ]
    if policy.date_column in kinds and not holds_moments(kinds[policy.date_column]):
        found = kinds[policy.date_column]
        problems.append({"field": "date_column", "message": f"{policy.date_column!r} holds no dates; it is {found!r}"})
    for name, value in (policy.where or {}).items():
        if name in kinds and not _comparable(kinds[name], value):
            message = f"{value!r:.60} cannot be compared with {name!r}; it is {kinds[name]!r}"
            problems.append({"field": f"where.{name}", "message": message})
    return problems


def _comparable(kind: TypeEngine[Any], value: object) -> bool:
    try:
        allowed = _ALLOWED.get(kind.python_type, ())
    except NotImplementedError:
        allowed = ()
    return all(item is None or isinstance(item, allowed) for item in (value if isinstance(value, list) else [value]))


def _fits(target: ColumnElement[Any], value: object) -> ColumnElement[bool]:
    if value is None:
        return target.is_(None)
    if not isinstance(value, list):
        return target == value
    listed = target.in_([item for item in value if item is not None])
    return or_(listed, target.is_(None)) if None in value else listed


def _blockers(inspector: Inspector, parent: TableClause, condemned: ColumnElement[bool]) -> dict[str, Exists]:
    blockers = {}
    for (_, child_name), keys in inspector.get_multi_foreign_keys().items():
        for key in keys:
            refers = (
                key["referred_table"] == parent.name and key["referred_schema"] is None and child_name != parent.name
            )
            action = str(key.get("options", {}).get("ondelete") or "NO ACTION").upper()
            if not refers or action not in {"NO ACTION", "RESTRICT"}:
                continue
            child = _clause(child_name, _column_types(inspector, child_name))
            pairs = zip(key["constrained_columns"], key["referred_columns"], strict=True)
            same = [child.c[own] == parent.c[other] for own, other in pairs]
            sentence = (
                f"rows of {child_name!r} ({', '.join(key['constrained_columns'])}) refer to rows that would go; "
                f"clean {child_name!r} first, or declare ON DELETE there"
            )
            blockers[sentence] = exists().select_from(child).select_from(parent).where(*same, condemned)
    return blockers


def _column_types(inspector: Inspector, name: str) -> dict[str, TypeEngine[Any]]:
    return {found["name"]: found["type"] for found in inspector.get_columns(name)}


def _clause(name: str, kinds: dict[str, TypeEngine[Any]]) -> TableClause:
    columns = [column(quoted_name(field, quote=True), kind) for field, kind in kinds.items()]
    return table(quoted_name(name, quote=True), *columns)
