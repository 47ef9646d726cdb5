"""Which action a rows policy means, and what of it the live schema does not allow."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Boolean, Inspector, String
from sqlalchemy.engine.interfaces import ReflectedColumn

from framework.clock import new_id
from framework.errors import did_you_mean
from modules.core.scheduler.cleanup.actions import Action, Means
from modules.core.scheduler.cleanup.anonymising import PSEUDONYM_LENGTH, Anonymise
from modules.core.scheduler.cleanup.archive_file import ArchiveFile
from modules.core.scheduler.cleanup.archiving import ArchiveToFile, ArchiveToTable, head
from modules.core.scheduler.cleanup.comparing import comparable
from modules.core.scheduler.cleanup.foreign_keys import foreign_keys
from modules.core.scheduler.cleanup.moments import holds_moments
from modules.core.scheduler.cleanup.parsing import Problem
from modules.core.scheduler.cleanup.partitions import partition_problems
from modules.core.scheduler.cleanup.rows_action import ANONYMISE, ARCHIVE, PSEUDONYM, TRASH, WHOLE_PARTITIONS
from modules.core.scheduler.cleanup.rows_policy import RowsPolicy
from modules.core.scheduler.cleanup.trashing import Trash

Columns = dict[str, ReflectedColumn]


def action_of(policy: RowsPolicy, now: datetime, means: Means) -> Action | None:
    """Return what a run of a checked policy at this moment does with each batch; None where it deletes and no more."""
    if policy.action == ANONYMISE:
        return Anonymise(policy, now, means.pseudonym_key)
    if policy.action == TRASH and policy.trash_column is not None:
        return Trash(policy.trash_column, now)
    if policy.action != ARCHIVE:
        return None
    if policy.archive_to is not None and policy.archive_to.table is not None:
        return ArchiveToTable(policy.archive_to.table)
    name = f"{now:%Y%m%dT%H%M%SZ}-{new_id()[-8:]}"
    folder = archive_folder(policy, means)
    first = head(policy.table_name, now)
    return ArchiveToFile(ArchiveFile(means.roots, folder, name, first, compress=policy.compress))


def archive_folder(policy: RowsPolicy, means: Means) -> Path:
    """Return the folder of a policy's archive files: one for each table."""
    named = None if policy.archive_to is None else policy.archive_to.directory
    return (named or means.archive_folder or Path()) / (policy.database or "") / policy.table_name


def action_problems(inspector: Inspector, policy: RowsPolicy, means: Means) -> list[Problem]:
    """Return what of a policy's action does not fit the live schema or the settings; empty when all does."""
    columns = {column["name"]: column for column in inspector.get_columns(policy.table_name)}
    key = inspector.get_pk_constraint(policy.table_name)["constrained_columns"]
    if not key and (policy.action in (ARCHIVE, ANONYMISE, TRASH) or policy.trash_column is not None):
        return [_problem("action", f"{policy.table_name!r} has no primary key, by which {policy.action!r} tells rows")]
    trashed = list(_marker_problems("trash_column", policy.trash_column, policy, columns, boolean=False))
    if policy.action == ARCHIVE:
        return [*trashed, *_archive_problems(inspector, policy, columns)]
    if policy.action == ANONYMISE:
        return [*trashed, *_anonymise_problems(inspector, policy, columns, key, means)]
    if policy.action in WHOLE_PARTITIONS:
        return list(partition_problems(inspector, policy))
    return trashed


def _archive_problems(inspector: Inspector, policy: RowsPolicy, columns: Columns) -> Iterator[Problem]:
    if policy.children == "delete":
        yield _problem("children", "rows that refer would be deleted along and would not be archived")
    for child in _cascading(inspector, policy.table_name):
        yield _problem("action", f"rows of {child!r} would go along by ON DELETE and would not be archived")
    if policy.archive_to is None or policy.archive_to.table is None:
        return
    name, tables = policy.archive_to.table, inspector.get_table_names()
    if name not in tables or name == policy.table_name:
        yield _problem("archive_to.table", f"there is no other table {name!r}{did_you_mean(name, tables)}")
        return
    there = {column["name"]: column for column in inspector.get_columns(name)}
    for column in columns.values():
        if column["name"] not in there:
            yield _problem("archive_to.table", f"{name!r} has no column {column['name']!r}")
        elif repr(there[column["name"]]["type"]) != repr(column["type"]):
            kinds = f"{there[column['name']]['type']!r}, not {column['type']!r}"
            yield _problem("archive_to.table", f"the column {column['name']!r} of {name!r} is {kinds}")


def _cascading(inspector: Inspector, parent: str) -> Iterator[str]:
    for key in foreign_keys(inspector):
        if key.parent == parent and key.action not in {"NO ACTION", "RESTRICT"}:
            yield key.child


def _anonymise_problems(
    inspector: Inspector, policy: RowsPolicy, columns: Columns, key: list[str], means: Means
) -> Iterator[Problem]:
    wanted = policy.anonymise or {}
    for name, value in wanted.items():
        sentence = _unfit(policy.table_name, name, value, columns, key)
        if sentence is not None:
            yield _problem(f"anonymise.{name}", sentence)
    constants = {name for name, value in wanted.items() if value not in (None, PSEUDONYM)}
    for unique in _unique(inspector, policy.table_name):
        if unique <= constants:
            yield _problem("anonymise", f"{', '.join(sorted(unique))} is unique: no two rows can have the same value")
    if PSEUDONYM in wanted.values() and means.pseudonym_key is None:
        yield _problem("anonymise", "pseudonyms need the setting housekeeper_pseudonym_key")
    if policy.done_column is not None:
        yield from _marker_problems("done_column", policy.done_column, policy, columns, boolean=True)


def _unfit(table: str, name: str, value: Any, columns: Columns, key: list[str]) -> str | None:
    if name not in columns:
        return f"{table!r} has no column {name!r}{did_you_mean(name, columns)}"
    kind = columns[name]["type"]
    if name in key or columns[name].get("computed"):
        return f"{name!r} is part of the primary key, or computed, and cannot be changed"
    if value is None:
        return None if columns[name]["nullable"] else f"{name!r} cannot be null"
    if not comparable(kind, value) or (value == PSEUDONYM and not isinstance(kind, String)):
        return f"{name!r} cannot be {value!r:.60}; it is {kind!r}"
    room = getattr(kind, "length", None)
    needed = PSEUDONYM_LENGTH if value == PSEUDONYM else len(str(value))
    return None if room is None or needed <= room else f"{name!r} takes {room} characters, and {needed} are needed"


def _unique(inspector: Inspector, table: str) -> Iterator[set[str]]:
    for constraint in inspector.get_unique_constraints(table):
        yield set(constraint["column_names"])
    for index in inspector.get_indexes(table):
        if index.get("unique"):
            yield {name or "" for name in index["column_names"]}


def _marker_problems(
    field: str, name: str | None, policy: RowsPolicy, columns: Columns, *, boolean: bool
) -> Iterator[Problem]:
    if name is None:
        return
    if name not in columns:
        yield _problem(field, f"{policy.table_name!r} has no column {name!r}{did_you_mean(name, columns)}")
        return
    column = columns[name]
    is_boolean = boolean and isinstance(column["type"], Boolean)
    if name == policy.date_column or (policy.where or {}).get(name) is not None or name in (policy.where_in or {}):
        yield _problem(field, f"{name!r} is also date_column or in where")
    elif not is_boolean and (not holds_moments(column["type"]) or not column["nullable"]):
        yield _problem(field, f"{name!r} must be a date that may be null; it is {column['type']!r}")


def _problem(field: str, message: str) -> Problem:
    return {"field": field, "message": message}
