"""Which revision a folder of Alembic files ends at, read from them without Alembic, which takes long to import."""

from __future__ import annotations

import ast
import re
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, column, inspect, select, table

NAMES = {"revision", "down_revision"}
FUNCTION = re.compile(rb"^(?:@|def |class |async def )", re.MULTILINE)
_parsing = threading.Lock()  # CPython 3.11 counts the depth of what several threads parse together, and gives up


def stands_at_head(connection: Connection, version_table: str, folder: Path) -> bool:
    """Whether the tables are at the one newest revision of the folder; False also where only Alembic could tell."""
    head = _head(folder)
    if head is None or not inspect(connection).has_table(version_table):
        return False
    return list(connection.execute(select(column("version_num")).select_from(table(version_table))).scalars()) == [head]


def _head(folder: Path) -> str | None:
    """Return the revision that no other one follows; None where there are several, or what they are is computed."""
    revisions: set[Any] = set()
    followed: set[Any] = set()
    for path in folder.glob("*.py"):
        if path.name == "__init__.py":
            continue
        try:
            said = _assigned(path)
            revisions.add(said["revision"])
        except (KeyError, SyntaxError, ValueError):
            return None
        before = said.get("down_revision")
        followed.update(before if isinstance(before, (tuple, list)) else (before,))
    heads = revisions - followed
    return heads.pop() if len(heads) == 1 else None


def _assigned(path: Path) -> dict[str, Any]:
    """Return what a file assigns to `revision` and `down_revision`; raises ValueError where those are no constants.

    They stand before the functions, of which most of a file consists: all of it is parsed only where they do not.
    """
    source = path.read_bytes()
    with suppress(SyntaxError):
        said = _constants(FUNCTION.split(source, maxsplit=1)[0])
        if said.keys() == NAMES:
            return said
    return _constants(source)


def _constants(source: bytes) -> dict[str, Any]:
    said: dict[str, Any] = {}
    with _parsing:
        statements = ast.parse(source).body
    for statement in statements:
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        for target in targets:
            if isinstance(target, (ast.Name, ast.Tuple)):
                names = [each.id for each in getattr(target, "elts", [target]) if isinstance(each, ast.Name)]
                if NAMES & set(names):
                    value = ast.literal_eval(getattr(statement, "value", None) or ast.Constant(None))
                    said.update(zip(names, value if isinstance(target, ast.Tuple) else (value,), strict=True))
    return said
