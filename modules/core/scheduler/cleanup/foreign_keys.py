"""Foreign keys as the database has them now; SQLite's own account of them, where reflection knows less."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Inspector

from framework.database import SQLITE

_Told = Mapping[tuple[str, tuple[str, ...]], str]


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """Columns of a child table that refer to columns of a parent table, each name as the tables themselves have it."""

    child: str
    columns: tuple[str, ...]
    parent: str
    referred: tuple[str, ...]
    action: str
    """What the database does when the parent's row goes, in capitals, such as `CASCADE`."""


def foreign_keys(inspector: Inspector) -> Iterator[ForeignKey]:
    """Yield the foreign keys of all tables to tables of the same schema.

    SQLite takes a parent's name in any case, and reflection does not see `ON DELETE` that stands beside a column.
    """
    is_loose = inspector.dialect.name == SQLITE
    tables = {name.lower(): name for name in inspector.get_table_names()} if is_loose else {}
    for (_, child), keys in inspector.get_multi_foreign_keys().items():
        told = _told(inspector, child) if is_loose and keys else {}
        for key in keys:
            if key["referred_schema"] is not None:
                continue
            columns, parent = tuple(key["constrained_columns"]), key["referred_table"]
            declared = str(key.get("options", {}).get("ondelete") or "NO ACTION").upper()
            action = told.get((parent.lower(), columns), declared)
            referred = tuple(key["referred_columns"])
            if parent.lower() in tables:
                parent = tables[parent.lower()]
                names = {each["name"].lower(): each["name"] for each in inspector.get_columns(parent)}
                referred = tuple(names.get(name.lower(), name) for name in referred)
            yield ForeignKey(child, columns, parent, referred, action)


def _told(inspector: Inspector, child: str) -> _Told:
    quoted = inspector.dialect.identifier_preparer.quote_identifier(child)
    with inspector._operation_context() as connection:  # noqa: SLF001
        rows = connection.exec_driver_sql(f"PRAGMA foreign_key_list({quoted})").mappings().all()
    found: dict[int, tuple[str, list[str], str]] = {}
    for row in sorted(rows, key=lambda row: (row["id"], row["seq"])):
        found.setdefault(row["id"], (row["table"].lower(), [], row["on_delete"].upper()))[1].append(row["from"])
    return {(parent, tuple(columns)): action for parent, columns, action in found.values()}
