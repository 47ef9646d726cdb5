"""The table of ingested records; its key is what keeps the same content from coming in twice."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, MetaData, Table, Text

from framework.database import UtcDateTime

metadata = MetaData()

inbox_records = Table(
    "inbox_records",
    metadata,
    Column("content_hash", Text, primary_key=True),  # SHA-256 of the whole file
    Column("position", Integer, primary_key=True),  # of the record in its file, from 1
    Column("file_name", Text, nullable=False),
    Column("record", Text, nullable=False),  # a JSON object
    Column("ingested_at", UtcDateTime, nullable=False),
    Index("ix_inbox_records_ingested", "ingested_at"),
)
