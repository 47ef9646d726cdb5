"""Imported by the process from which all others are forked: what an application imports late is here already."""

from __future__ import annotations

import aiosqlite  # noqa: F401
import alembic.command
import alembic.migration
import alembic.operations  # noqa: F401
import sqlalchemy.dialects.sqlite.aiosqlite

try:
    import asyncpg  # noqa: F401
    import sqlalchemy.dialects.postgresql.asyncpg  # noqa: F401
except ModuleNotFoundError:  # SQLite alone is tortured then
    pass
