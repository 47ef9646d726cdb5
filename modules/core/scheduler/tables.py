"""The tables of the scheduler: what is stored, and the constraints that make its guarantees true."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from sqlalchemy import Double, ForeignKey, Index, Table, Text, UniqueConstraint, desc, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from framework.database import UtcDateTime

PENDING = "state = 'pending'"
RUNNING = "state = 'running'"
OPEN = "state IN ('pending', 'running')"


def _partial(name: str, *columns: object, where: str, unique: bool = False) -> Index:
    """An index over the few rows that matter, so that history costs the hot road nothing."""
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))  # type: ignore[arg-type]  # names or clauses


class Base(DeclarativeBase):
    """Text columns are unbounded unless a rule of the contract bounds them; moments are aware UTC."""

    type_annotation_map = {str: Text(), datetime: UtcDateTime()}  # noqa: RUF012  # SQLAlchemy's own way


class ScheduledEvent(Base):
    """A task: a standing order. `trigger` is the truth about when; `next_execution` is the next nominal time."""

    __tablename__ = "scheduler_events"
    __table_args__ = (
        UniqueConstraint("module_id", "key", name="uq_scheduler_events_key"),
        _partial(
            "ix_scheduler_events_due", "next_execution", where="status = 'pending' AND next_execution IS NOT NULL"
        ),
        _partial("ix_scheduler_events_event", "event", where="event IS NOT NULL"),
        Index("ix_scheduler_events_created", "created_at", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    description: Mapped[str]
    module_id: Mapped[str]
    function_name: Mapped[str]
    parameters: Mapped[str]
    trigger: Mapped[str]
    timezone: Mapped[str]
    event: Mapped[str | None]
    recurring: Mapped[bool]
    interval_type: Mapped[str | None]
    interval_value: Mapped[float | None] = mapped_column(Double)
    next_execution: Mapped[datetime | None]
    status: Mapped[str]
    status_reason: Mapped[str | None]
    last_execution: Mapped[datetime | None]
    execution_count: Mapped[int]
    max_executions: Mapped[int | None]
    last_error: Mapped[str | None]
    key: Mapped[str | None]
    owner: Mapped[str]
    definition: Mapped[str]
    timing: Mapped[str]
    priority: Mapped[int]
    overlap: Mapped[str]
    max_instances: Mapped[int]
    delivery: Mapped[str]
    policies: Mapped[str]
    tags: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class EventExecution(Base):
    """One attempt to carry out an occurrence, or the record that it did not run. It only moves forward.

    `open_key` is held while the execution counts against the overlap limit of its task; `slots` is set where that key
    is taken when the execution is claimed rather than when it is inserted. `node_id` is the claim token: ids of nodes
    are never used twice, and a row is claimed at most once.
    """

    __tablename__ = "scheduler_executions"
    __table_args__ = (
        UniqueConstraint("event_id", "scheduled_for", "attempt", name="uq_scheduler_executions_occurrence"),
        UniqueConstraint("open_key", name="uq_scheduler_executions_open_key"),
        Index("ix_scheduler_executions_history", "event_id", "id"),
        _partial("ix_scheduler_executions_pending", desc("priority"), "due_at", "id", where=PENDING),
        _partial("ix_scheduler_executions_due", "due_at", where=PENDING),
        _partial("ix_scheduler_executions_running", "node_id", where=RUNNING),
        _partial("ix_scheduler_executions_open", "event_id", where=OPEN),
        _partial("ix_scheduler_executions_ended", "end_time", where="end_time IS NOT NULL"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(ForeignKey("scheduler_events.id", name="fk_scheduler_executions_event"))
    scheduled_for: Mapped[datetime]
    attempt: Mapped[int]
    state: Mapped[str]
    reason: Mapped[str | None]
    origin: Mapped[str]
    function_key: Mapped[str]
    priority: Mapped[int]
    due_at: Mapped[datetime]
    slots: Mapped[int | None]
    open_key: Mapped[str | None]
    node_id: Mapped[str | None]
    start_time: Mapped[datetime | None]
    end_time: Mapped[datetime | None]
    timed_out_at: Mapped[datetime | None]
    cancel_requested_at: Mapped[datetime | None]
    success: Mapped[bool | None]
    result: Mapped[str | None]
    error: Mapped[str | None]
    traceback: Mapped[str | None]
    progress: Mapped[str | None]
    payload: Mapped[str | None]
    missed_count: Mapped[int]
    missed_since: Mapped[datetime | None]
    retries_used: Mapped[int]
    crashes: Mapped[int]
    trace_session_id: Mapped[str | None]
    created_at: Mapped[datetime]


class Node(Base):
    """One running process: narrow, because its lease is written often."""

    __tablename__ = "scheduler_nodes"

    id: Mapped[str] = mapped_column(primary_key=True)
    host: Mapped[str]
    pid: Mapped[int]
    process_started: Mapped[str | None]
    started_at: Mapped[datetime]
    lease_until: Mapped[datetime]


class Pause(Base):
    """What an operator holds back: `*` for everything, else a module's id."""

    __tablename__ = "scheduler_pauses"

    scope: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str | None]
    since: Mapped[datetime]


class CleanupConfig(Base):
    """A retention policy that a module registered; its task owns the time."""

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
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class CleanupReport(Base):
    """What one run of a cleanup did, or would have done."""

    __tablename__ = "scheduler_cleanup_reports"
    __table_args__ = (Index("ix_scheduler_cleanup_reports_started", "cleanup_id", "started_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    cleanup_id: Mapped[str]
    started_at: Mapped[datetime]
    success: Mapped[bool]
    dry_run: Mapped[bool]
    report: Mapped[str]


events = cast(Table, ScheduledEvent.__table__)
executions = cast(Table, EventExecution.__table__)
nodes = cast(Table, Node.__table__)
pauses = cast(Table, Pause.__table__)
cleanups = cast(Table, CleanupConfig.__table__)
cleanup_reports = cast(Table, CleanupReport.__table__)
