"""The table of queues of which an operator lets only so many run at once."""

from __future__ import annotations

from typing import cast

from sqlalchemy import Table
from sqlalchemy.orm import Mapped, mapped_column

from modules.core.scheduler.tables import Base


class QueueLimit(Base):
    """How many executions of a queue may run `at_once`, on all nodes together; a queue without a row has no limit."""

    __tablename__ = "scheduler_queue_limits"

    queue: Mapped[str] = mapped_column(primary_key=True)
    at_once: Mapped[int]


queue_limits = cast(Table, QueueLimit.__table__)
