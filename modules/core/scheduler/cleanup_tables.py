"""The tables of cleanups: policies, what each run did, and what all runs of a day did."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from sqlalchemy import BigInteger, Double, Index, Table, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from modules.core.scheduler.tables import Base


class CleanupConfig(Base):
    """A retention policy that a module registered; its task owns the time.

    `approved` is the digest of the policy of which a plan was last applied or confirmed.
    """

    __tablename__ = "scheduler_cleanup_config"
    __table_args__ = (UniqueConstraint("module_id", "cleanup_type", name="uq_scheduler_cleanup_config_type"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    module_id: Mapped[str]
    cleanup_type: Mapped[str]
    config: Mapped[str]
    enabled: Mapped[bool]
    last_run: Mapped[datetime | None]
    next_run: Mapped[datetime | None]
    task_id: Mapped[str]
    compliance: Mapped[str | None]
    approved: Mapped[str | None]
    cursor: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class CleanupReport(Base):
    """What one run of a cleanup did, or would have done."""

    __tablename__ = "scheduler_cleanup_reports"
    __table_args__ = (
        Index("ix_scheduler_cleanup_reports_of", "cleanup_id", "id"),
        Index("ix_scheduler_cleanup_reports_started", "started_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    cleanup_id: Mapped[str]
    started_at: Mapped[datetime]
    success: Mapped[bool]
    dry_run: Mapped[bool]
    report: Mapped[str]


class CleanupDay(Base):
    """What the runs of one cleanup did on one day, `YYYY-MM-DD` in UTC; dry runs count among `dry_runs` only."""

    __tablename__ = "scheduler_cleanup_days"

    cleanup_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[str] = mapped_column(primary_key=True)
    runs: Mapped[int]
    dry_runs: Mapped[int]
    failures: Mapped[int]
    matched: Mapped[int] = mapped_column(BigInteger)
    deleted: Mapped[int] = mapped_column(BigInteger)
    bytes: Mapped[int] = mapped_column(BigInteger)
    freed_bytes: Mapped[int] = mapped_column(BigInteger)
    seconds: Mapped[float] = mapped_column(Double)


class CleanupPlan(Base):
    """What a run would have done at `created_at` under the policy `config`; `applied_at` is set at most once."""

    __tablename__ = "scheduler_cleanup_plans"
    __table_args__ = (Index("ix_scheduler_cleanup_plans_created", "created_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    cleanup_id: Mapped[str]
    config: Mapped[str]
    plan: Mapped[str]
    created_at: Mapped[datetime]
    applied_at: Mapped[datetime | None]


cleanups = cast(Table, CleanupConfig.__table__)
cleanup_reports = cast(Table, CleanupReport.__table__)
cleanup_days = cast(Table, CleanupDay.__table__)
cleanup_plans = cast(Table, CleanupPlan.__table__)
