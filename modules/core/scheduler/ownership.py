"""Which module a table belongs to: declared, and asked before rows of it are cleaned."""

from __future__ import annotations

from modules.core.scheduler.bounded_text import MAX_ID, storable
from modules.core.scheduler.cleanup import Problem, RowsPolicy


class TableTaken(ValueError):  # noqa: N818  # named after what is the case
    """Another module has declared the table as its own."""


class TableOwners:
    """The tables that modules have declared, by database. Names are compared without regard to case.

    `owned_only`: rows of a table that nobody has declared are not cleaned either.
    """

    def __init__(self, *, owned_only: bool) -> None:
        self._owned_only = owned_only
        self._owners: dict[tuple[str | None, str], str] = {}

    def declare(self, module_id: str, *names: str, database: str | None = None) -> None:
        """Note that tables belong to a module; again changes nothing. Raises `TableTaken`, and notes none of them."""
        for name in names:
            owner = self._owners.get((database, name.casefold()), module_id)
            if owner != module_id:
                raise TableTaken(f"the table {storable(name, MAX_ID)!r} belongs to {owner}")
        self._owners |= {(database, name.casefold()): module_id for name in names}

    def tables_of(self, module_id: str, database: str | None = None) -> list[str]:
        """Return the tables that a module has declared, sorted, in lower case."""
        return sorted(name for (where, name), owner in self._owners.items() if (where, owner) == (database, module_id))

    def bounds(self, module_id: str, database: str | None = None) -> tuple[frozenset[str], frozenset[str] | None]:
        """Return the tables of which no cleanup of a module deletes rows, and those of which alone it does, or None.

        In lower case. They hold for the tables that refer to a policy's own as well.
        """
        others = (name for (where, name), owner in self._owners.items() if where == database and owner != module_id)
        owned = frozenset(self.tables_of(module_id, database)) if self._owned_only else None
        return frozenset(others), owned

    def problem(self, module_id: str, policy: RowsPolicy) -> Problem | None:
        """Return why a module may not clean the table of a policy, or None."""
        name = policy.table_name
        owner = self._owners.get((policy.database, name.casefold()))
        if owner == module_id or (owner is None and not self._owned_only):
            return None
        why = f"it belongs to {owner}" if owner else "no module has declared it: `declare_tables`"
        return {"field": "table_name", "message": f"{module_id} may not clean {name!r}: {why}"}
