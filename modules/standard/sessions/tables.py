"""The table of sessions; a token itself is never in it."""

from __future__ import annotations

from sqlalchemy import Column, Index, MetaData, Table, Text

from framework.database import UtcDateTime

metadata = MetaData()

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", Text, primary_key=True),  # SHA-256 of the token
    Column("user_id", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Index("ix_sessions_expires", "expires_at"),
)
