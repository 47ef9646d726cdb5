"""A rows policy held against the live schema: SQLite would read a misspelt column as a text, and delete every row."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import Any

from sqlalchemy import Connection, Inspector, Integer, Numeric, TableClause, func, inspect, select, table
from sqlalchemy.sql import quoted_name
from sqlalchemy.types import TypeEngine

from framework.database import delete_triggers, has_addresses
from framework.errors import did_you_mean
from modules.core.scheduler.cleanup.actions import Means
from modules.core.scheduler.cleanup.comparing import comparable
from modules.core.scheduler.cleanup.doing import action_problems
from modules.core.scheduler.cleanup.moments import holds_moments
from modules.core.scheduler.cleanup.names import is_protected
from modules.core.scheduler.cleanup.parsing import Problem
from modules.core.scheduler.cleanup.references import Dependents, find_dependents, find_references, has_index
from modules.core.scheduler.cleanup.related import column_types, related_problems
from modules.core.scheduler.cleanup.rows_action import ANONYMISE, TRASH
from modules.core.scheduler.cleanup.rows_policy import RowsPolicy
from modules.core.scheduler.cleanup.table_rows import TableRows, clause


def check_rows_policy(
    connection: Connection,
    policy: RowsPolicy,
    forbidden_tables: Collection[str] = (),
    owned_tables: Collection[str] | None = None,
    means: Means | None = None,
) -> list[Problem]:
    """Return what of the policy does not fit the live schema, as `{"field", "message"}`; empty when all does.

    `owned_tables` are those that the registering module has declared as its own; None means that none were asked for.
    """
    inspector = inspect(connection)
    name = policy.table_name
    if refusal := _refusal(name, forbidden_tables, owned_tables):
        return [{"field": "table_name", "message": refusal}]
    archive = None if policy.archive_to is None else policy.archive_to.table
    if archive is not None and (refusal := _refusal(archive, forbidden_tables, owned_tables)):
        return [{"field": "archive_to.table", "message": refusal}]
    tables = inspector.get_table_names()
    if name not in tables:
        return [{"field": "table_name", "message": f"there is no table {name!r}{did_you_mean(name, tables)}"}]
    problems = _column_problems(policy, column_types(inspector, name))
    needs_key = policy.ranks or policy.children == "delete" or policy.size_column is not None
    if needs_key and not inspector.get_pk_constraint(name)["constrained_columns"]:
        message = f"{name!r} has no primary key, by which rules other than an age tell rows"
        problems.append({"field": "table_name", "message": message})
    problems += related_problems(inspector, policy, partial(_refusal, forbidden=forbidden_tables, owned=owned_tables))
    problems += _children_problems(read_dependents(inspector, policy), forbidden_tables, owned_tables)
    return problems + action_problems(inspector, policy, means or Means())


def weak_spots(connection: Connection, policy: RowsPolicy) -> list[Problem]:
    """Return what makes a checked policy slow or blind, each with `severity` `warning`: missing indexes, triggers."""
    inspector = inspect(connection)
    dependents = read_dependents(inspector, policy)
    found = [{"field": "children", "message": sentence} for sentence in dependents.unindexed]
    if not has_index(inspector, policy.table_name, [policy.date_column]):
        message = f"no index of {policy.table_name!r} begins with {policy.date_column}: every run reads the whole table"
        found.append({"field": "date_column", "message": message})
    per = [] if policy.keep_newest is None else policy.keep_newest.per
    if per and not has_index(inspector, policy.table_name, per):
        message = f"no index of {policy.table_name!r} begins with {', '.join(per)}: every batch reads the whole table"
        found.append({"field": "keep_newest", "message": message})
    trash = policy.trash_column
    if trash is not None and not has_index(inspector, policy.table_name, [trash]):
        message = f"no index of {policy.table_name!r} begins with {trash}: emptying the trash reads the whole table"
        found.append({"field": "trash_column", "message": message})
    if triggers := delete_triggers(connection, policy.table_name):
        message = f"what the triggers of {policy.table_name!r} do is neither counted nor guarded: {', '.join(triggers)}"
        found.append({"field": "table_name", "message": message})
    return [{**problem, "severity": "warning"} for problem in found]


def read_rows(connection: Connection, inspector: Inspector, policy: RowsPolicy) -> TableRows:
    """Return the rows of a checked policy's table."""
    name = policy.table_name
    return TableRows(
        table=clause(name, column_types(inspector, name)),
        key=tuple(inspector.get_pk_constraint(name)["constrained_columns"]),
        date_column=policy.date_column,
        where=policy.where or {},
        nullable=frozenset(each["name"] for each in inspector.get_columns(name) if each["nullable"]),
        dialect=inspector.dialect,
        is_indexed=has_index(inspector, name, [policy.date_column]),
        has_group_index=policy.keep_newest is not None and has_index(inspector, name, policy.keep_newest.per),
        has_addresses=has_addresses(connection, name),
        related=tuple(
            (own, clause(rule.table_name, column_types(inspector, rule.table_name)), rule)
            for own, rule in (policy.where_in or {}).items()
        ),
    )


def read_dependents(inspector: Inspector, policy: RowsPolicy, root: TableClause | None = None) -> Dependents:
    """Return what refers to the rows of a policy's table, which `root` stands for in statements."""
    if root is None:
        root = clause(policy.table_name, column_types(inspector, policy.table_name))
    key = inspector.get_pk_constraint(policy.table_name)["constrained_columns"]
    rows_stay = policy.action in (ANONYMISE, TRASH)  # and with them those that refer to them
    references = [] if rows_stay else find_references(inspector)
    return find_dependents(root, key, references, delete_children=policy.children == "delete")


def _refusal(name: str, forbidden: Collection[str], owned: Collection[str] | None) -> str | None:
    if name.lower() in {each.lower() for each in forbidden}:
        return f"the table {name!r} is not cleaned this way"
    if owned is not None and name.lower() not in {each.lower() for each in owned}:
        return f"the table {name!r} does not belong to the module"
    return None


def _children_problems(
    dependents: Dependents, forbidden: Collection[str], owned: Collection[str] | None
) -> list[Problem]:
    problems = [{"field": "children", "message": message} for message in dependents.problems]
    for name in dict.fromkeys(path[-1].child.name for path in dependents.going):
        refusal = _refusal(name, forbidden, owned)
        if is_protected(name):
            refusal = f"the table {name!r} belongs to the database or to the scheduler and is never cleaned this way"
        if refusal:
            problems.append({"field": "children", "message": refusal})
    return problems


def count_rows(connection: Connection, table_name: str) -> int:
    """Return how many rows a table has, of which the schema is known to have it."""
    return connection.scalar(select(func.count()).select_from(table(quoted_name(table_name, quote=True)))) or 0


def _column_problems(policy: RowsPolicy, kinds: dict[str, TypeEngine[Any]]) -> list[Problem]:
    problems = [
        {"field": field, "message": f"{policy.table_name!r} has no column {name!r}{did_you_mean(name, kinds)}"}
        for field, name in policy.columns.items()
        if name not in kinds
    ]
    if policy.date_column in kinds and not holds_moments(kinds[policy.date_column]):
        found = kinds[policy.date_column]
        problems.append({"field": "date_column", "message": f"{policy.date_column!r} holds no dates; it is {found!r}"})
    size = policy.size_column
    if size in kinds and not isinstance(kinds[size], Integer | Numeric):
        problems.append({"field": "size_column", "message": f"{size!r} holds no numbers; it is {kinds[size]!r}"})
    for field, name, value in policy.compared:
        if name in kinds and not comparable(kinds[name], value):
            message = f"{value!r:.60} cannot be compared with {name!r}; it is {kinds[name]!r}"
            problems.append({"field": field, "message": message})
    return problems
