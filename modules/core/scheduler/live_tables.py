"""The tables for those who watch: what was logged, and sums over what has ended."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from sqlalchemy import Double, Table
from sqlalchemy.orm import Mapped, mapped_column

from modules.core.scheduler.tables import Base


class LogLine(Base):
    """What was logged in the name of an execution; `number` counts from 1. It goes with its execution."""

    __tablename__ = "scheduler_log_lines"

    execution_id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    level: Mapped[str]
    logger: Mapped[str]
    message: Mapped[str]


class Rollup(Base):
    """Executions that ended in one state within `step` seconds from a moment; `spread` counts powers of durations."""

    __tablename__ = "scheduler_rollups"

    step: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(primary_key=True)
    executions: Mapped[int]
    timed: Mapped[int]
    seconds: Mapped[float] = mapped_column(Double)
    longest: Mapped[float] = mapped_column(Double)
    late_seconds: Mapped[float] = mapped_column(Double)
    latest: Mapped[float] = mapped_column(Double)
    spread: Mapped[str]


class RollupPosition(Base):
    """The last execution that is in the sums: one row."""

    __tablename__ = "scheduler_rollup_position"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    end_time: Mapped[datetime]
    execution_id: Mapped[str]


class KnownFailure(Base):
    """A failure that somebody has seen: it is not shown until it has happened after `until`."""

    __tablename__ = "scheduler_known_failures"

    id: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[datetime]


log_lines = cast(Table, LogLine.__table__)
rollups = cast(Table, Rollup.__table__)
rollup_position = cast(Table, RollupPosition.__table__)
known_failures = cast(Table, KnownFailure.__table__)
