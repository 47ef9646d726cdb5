"""All SQL of the inbox."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, exists, select

from framework.database import insert_ignore
from modules.standard.inbox.tables import inbox_records


def add_records(c: Connection, content_hash: str, file_name: str, records: Sequence[str], now: datetime) -> int:
    """Store the records of a file, unless its content is there already; return how many came in."""
    is_known = exists().where(inbox_records.c.content_hash == content_hash)
    if not records or c.execute(select(is_known)).scalar_one():
        return 0
    file = {"content_hash": content_hash, "file_name": file_name, "ingested_at": now}
    rows = [{**file, "position": position, "record": record} for position, record in enumerate(records, start=1)]
    c.execute(insert_ignore(inbox_records), rows)  # another node may have been faster since the look above
    return len(records)
