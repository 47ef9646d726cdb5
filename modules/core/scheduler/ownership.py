"""Which module a table belongs to: declared, and asked before rows of it are cleaned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from framework.context import AppContext
from framework.database.location import locate, path_of
from framework.settings import FrameworkSettings
from modules.core.scheduler.bounded_text import MAX_ID, storable
from modules.core.scheduler.cleanup import Problem, RowsPolicy


class TableTaken(ValueError):  # noqa: N818  # named after what is the case
    """Another module has declared the table as its own."""


def same_databases(settings: FrameworkSettings) -> dict[str | None, str | None]:
    """Return under which name each configured database is known first; None is the application's own."""
    first: dict[tuple[object, ...], str | None] = {_place(settings.database_url): None}
    return {name: first.setdefault(_place(url), name) for name, url in sorted(settings.databases.items())}


def _place(address: str) -> tuple[object, ...]:
    url = locate(address)
    path = path_of(url)
    return (url.host, url.port or 5432, url.database) if path is None else (path.resolve(),)


class TableOwners:
    """The tables that modules have declared, by database. Names are compared without regard to case.

    `owned_only`: rows of a table that nobody has declared are not cleaned either. `same` names the databases that are
    another one under a second name.
    """

    def __init__(self, *, owned_only: bool, same: Mapping[str | None, str | None] | None = None) -> None:
        self._owned_only = owned_only
        self._same = same or {}
        self._owners: dict[tuple[str | None, str], str] = {}

    @classmethod
    def of(cls, app_context: AppContext, *, owned_only: bool) -> Self:
        """Return the owners of tables in the databases of an application."""
        return cls(owned_only=owned_only, same=same_databases(app_context.settings(FrameworkSettings)))

    def declare(self, module_id: str, *names: str, database: str | None = None) -> None:
        """Note that tables belong to a module; again changes nothing. Raises `TableTaken`, and notes none of them."""
        database = self._same.get(database, database)
        for name in names:
            owner = self._owners.get((database, name.casefold()), module_id)
            if owner != module_id:
                raise TableTaken(f"the table {storable(name, MAX_ID)!r} belongs to {owner}")
        self._owners |= {(database, name.casefold()): module_id for name in names}

    def tables_of(self, module_id: str, database: str | None = None) -> list[str]:
        """Return the tables that a module has declared, sorted, in lower case."""
        mine = (self._same.get(database, database), module_id)
        return sorted(name for (where, name), owner in self._owners.items() if (where, owner) == mine)

    def bounds(self, module_id: str, database: str | None = None) -> tuple[frozenset[str], frozenset[str] | None]:
        """Return the tables of which no cleanup of a module deletes rows, and those of which alone it does, or None.

        In lower case. They hold for the tables that refer to a policy's own as well.
        """
        database = self._same.get(database, database)
        others = (name for (where, name), owner in self._owners.items() if where == database and owner != module_id)
        owned = frozenset(self.tables_of(module_id, database)) if self._owned_only else None
        return frozenset(others), owned

    def problem(self, module_id: str, policy: RowsPolicy) -> Problem | None:
        """Return why a module may not clean the table of a policy, or None."""
        name = policy.table_name
        database = self._same.get(policy.database, policy.database)
        owner = self._owners.get((database, name.casefold()))
        if owner == module_id or (owner is None and not self._owned_only):
            return None
        why = f"it belongs to {owner}" if owner else "no module has declared it: `declare_tables`"
        return {"field": "table_name", "message": f"{module_id} may not clean {name!r}: {why}"}
