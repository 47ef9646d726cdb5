"""The tables of the scheduler: what is stored, and the constraints that make its guarantees true."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from sqlalchemy import BigInteger, Double, Index, Table, Text, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from framework.database import UtcDateTime

CHANNEL = "chamberlain_scheduler"  # on which nodes hear that something may be due
READY = "state = 'pending' AND line = 'ready'"
LATER = "state = 'pending' AND line = 'later'"
HELD = "state = 'pending' AND line = 'held'"
RUNNING = "state = 'running'"
OPEN = "state IN ('pending', 'running')"
RARE_TASKS = "status = 'paused' OR status = 'failed' OR status = 'cancelled'"
RARE = " OR ".join(f"state = '{state}'" for state in ("failed", "timed_out", "cancelled", "lost", "skipped", "missed"))


def _partial(name: str, *columns: object, where: str, unique: bool = False) -> Index:
    """An index over the few rows that matter, so that history costs the hot road nothing."""
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))  # type: ignore[arg-type]  # names or clauses


class Base(DeclarativeBase):
    """Text columns are unbounded unless a rule of the contract bounds them; moments are aware UTC."""

    type_annotation_map = {str: Text(), datetime: UtcDateTime()}  # noqa: RUF012  # SQLAlchemy's own way


class ScheduledEvent(Base):
    """A task: a standing order. `trigger` is the truth about when; `next_execution` is the next nominal time.

    `event` is what it waits for; of the endings of tasks, `after_task` the id or key of the one that it waits for. Of
    the occurrence `expected_for` it is looked at `expected_at` whether it has succeeded.
    `created_by` names the operator who scheduled it; `revision` counts how often somebody has changed it. `changed_at`
    is when it last changed other than by running, `timed_since` when it was given the trigger that it has.
    """

    __tablename__ = "scheduler_events"
    __table_args__ = (
        _partial("uq_scheduler_events_key", "module_id", "key", where="key IS NOT NULL", unique=True),
        _partial(
            "ix_scheduler_events_due", "next_execution", where="status = 'pending' AND next_execution IS NOT NULL"
        ),
        _partial("ix_scheduler_events_event", "event", "after_task", where="status = 'pending' AND event IS NOT NULL"),
        _partial("ix_scheduler_events_calendars", "id", where="calendars IS NOT NULL"),
        Index("ix_scheduler_events_created", "created_at", "id"),
        Index("ix_scheduler_events_module", "module_id", "created_at", "id"),
        _partial("ix_scheduler_events_rare", "status", "created_at", "id", where=RARE_TASKS),
        _partial("ix_scheduler_events_expected", "expected_at", where="expected_at IS NOT NULL"),
        _partial("ix_scheduler_events_changed", "changed_at", "id", where="changed_at IS NOT NULL"),
        _partial("ix_scheduler_events_paused", "status", "updated_at", where="status = 'paused'"),
        _partial("ix_scheduler_events_declared", "declared_by", where="declared_by IS NOT NULL"),
        _partial("ix_scheduler_events_creator", "created_by", "status", where="created_by IS NOT NULL"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    description: Mapped[str]
    module_id: Mapped[str]
    function_name: Mapped[str]
    parameters: Mapped[str]
    trigger: Mapped[str]
    timed_since: Mapped[datetime]
    calendars: Mapped[str | None]
    timezone: Mapped[str]
    event: Mapped[str | None]
    after_task: Mapped[str | None]
    recurring: Mapped[bool]
    interval_type: Mapped[str | None]
    interval_value: Mapped[float | None] = mapped_column(Double)
    next_execution: Mapped[datetime | None]
    expected_for: Mapped[datetime | None]
    expected_at: Mapped[datetime | None]
    status: Mapped[str]
    status_reason: Mapped[str | None]
    last_execution: Mapped[datetime | None]
    execution_count: Mapped[int]
    max_executions: Mapped[int | None]
    last_error: Mapped[str | None]
    key: Mapped[str | None]
    owner: Mapped[str]
    declared_by: Mapped[str | None]
    declared_as: Mapped[str | None]
    created_by: Mapped[str | None]
    definition: Mapped[str]
    timing: Mapped[str]
    priority: Mapped[int]
    overlap: Mapped[str]
    max_instances: Mapped[int]
    delivery: Mapped[str]
    policies: Mapped[str]
    tags: Mapped[str]
    queue: Mapped[str]
    concurrency_key: Mapped[str | None]
    traceparent: Mapped[str | None]
    revision: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    changed_at: Mapped[datetime | None]


class EventExecution(Base):
    """One attempt to carry out an occurrence, or the record that it did not run. It only moves forward.

    A pending row stands in one `line`: `ready` to be claimed in the order of `rank`, `later` until `due_at`, or `held`
    for the `reason` beside it. `limit_key` names what it shares a limit with. `open_key` is held while the execution
    counts against that limit; `slots` is set where that key is taken when the execution is claimed rather than when it
    is inserted. `node_id` is the claim token: ids of nodes are never used twice, and a row is claimed at most once.
    `waited_for` has the words, with a blank between them, for all that has held it by now.
    """

    __tablename__ = "scheduler_executions"
    __table_args__ = (
        UniqueConstraint("event_id", "scheduled_for", "attempt", name="uq_scheduler_executions_occurrence"),
        _partial("uq_scheduler_executions_open_key", "open_key", where="open_key IS NOT NULL", unique=True),
        _partial("ix_scheduler_executions_ready", "queue", "rank", "id", where=READY),
        _partial("ix_scheduler_executions_ready_of", "queue", "function_key", "rank", "id", where=READY),
        _partial("ix_scheduler_executions_later", "due_at", where=LATER),
        _partial("ix_scheduler_executions_held", "reason", "limit_key", "rank", where=HELD),
        _partial("ix_scheduler_executions_running", "node_id", where=RUNNING),
        _partial("ix_scheduler_executions_cancel", "node_id", where=f"{RUNNING} AND cancel_requested_at IS NOT NULL"),
        _partial("ix_scheduler_executions_open", "event_id", where=OPEN),
        _partial("ix_scheduler_executions_limit", "limit_key", "start_time", where="limit_key IS NOT NULL"),
        _partial("ix_scheduler_executions_sharing", "limit_key", where=f"{OPEN} AND limit_key IS NOT NULL"),
        _partial("ix_scheduler_executions_ended", "end_time", "id", where="end_time IS NOT NULL"),
        _partial("ix_scheduler_executions_rare", "state", "end_time", "id", where=RARE),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[str]
    scheduled_for: Mapped[datetime]
    attempt: Mapped[int]
    state: Mapped[str]
    reason: Mapped[str | None]
    origin: Mapped[str]
    function_key: Mapped[str]
    queue: Mapped[str]
    priority: Mapped[int]
    line: Mapped[str]
    waited_for: Mapped[str | None]
    rank: Mapped[float] = mapped_column(Double)
    due_at: Mapped[datetime]
    limit_key: Mapped[str | None]
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
    cpu_seconds: Mapped[float | None] = mapped_column(Double)
    memory_bytes: Mapped[int | None] = mapped_column(BigInteger)
    trace_session_id: Mapped[str | None]
    traceparent: Mapped[str | None]
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
    draining_since: Mapped[datetime | None]


class NodeProfile(Base):
    """What a node is and can do, written when that changes: apart from the lease, which is written often."""

    __tablename__ = "scheduler_node_profiles"

    node_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[str]
    functions: Mapped[str]
    queues: Mapped[str]
    slots: Mapped[int]
    clock_offset: Mapped[float] = mapped_column(Double)  # seconds that its machine's clock is ahead of the database's


class Pause(Base):
    """What an operator holds back: `*` for everything, a module's id, or `queue:` and a queue's name."""

    __tablename__ = "scheduler_pauses"

    scope: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str | None]
    since: Mapped[datetime]


class Alert(Base):
    """What one rule has to tell: what `waiting` gathers until `next_at`, and what is being sent, by one node at a time.

    Both are JSON, null where there is nothing.
    """

    __tablename__ = "scheduler_alerts"

    rule: Mapped[str] = mapped_column(primary_key=True)
    waiting: Mapped[str | None]
    sending: Mapped[str | None]
    tries: Mapped[int]
    next_at: Mapped[datetime | None]
    claimed_until: Mapped[datetime | None]


class CalendarRow(Base):
    """A calendar as it was last registered; `definition` names no other one. Tasks carry what they were given of it."""

    __tablename__ = "scheduler_calendars"

    name: Mapped[str] = mapped_column(primary_key=True)
    module_id: Mapped[str]
    definition: Mapped[str]
    missing_since: Mapped[datetime | None]
    updated_at: Mapped[datetime]


events = cast(Table, ScheduledEvent.__table__)
executions = cast(Table, EventExecution.__table__)
nodes = cast(Table, Node.__table__)
profiles = cast(Table, NodeProfile.__table__)
pauses = cast(Table, Pause.__table__)
calendars = cast(Table, CalendarRow.__table__)
alerts = cast(Table, Alert.__table__)
