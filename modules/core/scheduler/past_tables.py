"""The table of what is over and explains the past: what was held back, and which nodes lived."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from sqlalchemy import Index, Table
from sqlalchemy.orm import Mapped, mapped_column

from modules.core.scheduler.tables import Base


class Span(Base):
    """A stretch `[since, until)` of something that is over: a pause of a scope, or the life of a node.

    `scope` is that of a pause, `task:` and a task's id, or `nodes:`; `reason` is a pause's, or the id of the node.
    """

    __tablename__ = "scheduler_spans"
    __table_args__ = (Index("ix_scheduler_spans_scope", "scope", "until"), Index("ix_scheduler_spans_until", "until"))

    id: Mapped[str] = mapped_column(primary_key=True)
    scope: Mapped[str]
    since: Mapped[datetime]
    until: Mapped[datetime]
    reason: Mapped[str | None]


spans = cast(Table, Span.__table__)
