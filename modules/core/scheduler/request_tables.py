"""The table of requests over HTTP that were given a key."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from sqlalchemy import Index, Table
from sqlalchemy.orm import Mapped, mapped_column

from modules.core.scheduler.tables import Base


class Request(Base):
    """A request that is done at most once. Null until it has been answered: `status`, `headers` (JSON) and `body`."""

    __tablename__ = "scheduler_requests"
    __table_args__ = (Index("ix_scheduler_requests_begun", "begun_at"),)

    key: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]
    begun_at: Mapped[datetime]
    status: Mapped[int | None]
    headers: Mapped[str | None]
    body: Mapped[str | None]


requests = cast(Table, Request.__table__)
