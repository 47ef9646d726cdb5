"""The table of tokens; a secret itself is never in it."""

from __future__ import annotations

from sqlalchemy import Column, Index, MetaData, Table, Text, text

from framework.database import UtcDateTime

metadata = MetaData()
VALID = text("revoked_at IS NULL")

tokens = Table(
    "access_tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("scopes", Text, nullable=False),  # words with a space between them
    Column("secret_hash", Text, nullable=False),  # SHA-256 of the secret
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("last_used_at", UtcDateTime, nullable=True),
    Column("expires_at", UtcDateTime, nullable=True),
    Column("revoked_at", UtcDateTime, nullable=True),
    Column("revoked_by", Text, nullable=True),
    Index("uq_access_tokens_name", "name", unique=True, sqlite_where=VALID, postgresql_where=VALID),
)
