"""Names of tables and columns that a policy may use: plain ones, so that quoting them is all there is to do."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_PROTECTED = re.compile(r"(sqlite_|pg_|alembic_version|scheduler_)", re.IGNORECASE)


def _to_identifier(name: str) -> str:
    if not _IDENTIFIER.fullmatch(name):
        raise ValueError(f"{name!r:.80} is not a plain name: letters, digits and '_', at most 63, no digit first")
    return name


def is_protected(name: str) -> bool:
    """Return whether a table belongs to the database or to the scheduler."""
    return _PROTECTED.match(name) is not None


def _to_table(name: str) -> str:
    if is_protected(name):
        raise ValueError(f"{name!r} belongs to the database or to the scheduler and is never cleaned this way")
    return name


Identifier = Annotated[str, AfterValidator(_to_identifier)]
TableName = Annotated[Identifier, AfterValidator(_to_table)]
