"""The table of the audit: what operators have done."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from sqlalchemy import Index, Table
from sqlalchemy.orm import Mapped, mapped_column

from modules.core.scheduler.tables import Base


class AuditRow(Base):
    """One deed of an operator; `target` is the id of what it was done to. `before` and `after` are JSON."""

    __tablename__ = "scheduler_audit"
    __table_args__ = (
        Index("ix_scheduler_audit_at", "at", "id"),
        Index("ix_scheduler_audit_target", "target", "at", "id"),
        Index("ix_scheduler_audit_actor", "actor", "at", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    door: Mapped[str]
    action: Mapped[str]
    kind: Mapped[str]
    target: Mapped[str | None]
    name: Mapped[str | None]
    before: Mapped[str | None]
    after: Mapped[str | None]


audit = cast(Table, AuditRow.__table__)
