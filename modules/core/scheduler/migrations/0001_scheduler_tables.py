"""The tables of the scheduler, as they were at first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from framework.database import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = ("events", "executions", "nodes", "node_profiles", "pauses", "queue_limits", "calendars", "audit", "alerts")


def upgrade() -> None:
    """Create the tables."""
    _events()
    _executions()
    _nodes()
    _pauses()
    _calendars()
    _audit()
    _alerts()


def _partial(
    name: str, columns: list[str], where: str, *, table: str = "scheduler_events", unique: bool = False
) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


def downgrade() -> None:
    """Drop them, children first."""
    for name in reversed(TABLES):
        op.drop_table(f"scheduler_{name}")


def _events() -> None:
    op.create_table(
        "scheduler_events",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("module_id", sa.Text(), nullable=False),
        sa.Column("function_name", sa.Text(), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("trigger", sa.Text(), nullable=False),
        sa.Column("timed_since", UtcDateTime(), nullable=False),
        sa.Column("calendars", sa.Text(), nullable=True),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=True),
        sa.Column("after_task", sa.Text(), nullable=True),
        sa.Column("recurring", sa.Boolean(), nullable=False),
        sa.Column("interval_type", sa.Text(), nullable=True),
        sa.Column("interval_value", sa.Double(), nullable=True),
        sa.Column("next_execution", UtcDateTime(), nullable=True),
        sa.Column("expected_for", UtcDateTime(), nullable=True),
        sa.Column("expected_at", UtcDateTime(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("status_reason", sa.Text(), nullable=True),
        sa.Column("last_execution", UtcDateTime(), nullable=True),
        sa.Column("execution_count", sa.Integer(), nullable=False),
        sa.Column("max_executions", sa.Integer(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("declared_by", sa.Text()),
        sa.Column("declared_as", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=True),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("timing", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("overlap", sa.Text(), nullable=False),
        sa.Column("max_instances", sa.Integer(), nullable=False),
        sa.Column("delivery", sa.Text(), nullable=False),
        sa.Column("policies", sa.Text(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("concurrency_key", sa.Text(), nullable=True),
        sa.Column("traceparent", sa.Text(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    _partial("ix_scheduler_events_calendars", ["id"], "calendars IS NOT NULL")
    _partial("ix_scheduler_events_creator", ["created_by", "status"], "created_by IS NOT NULL")
    op.create_index("ix_scheduler_events_created", "scheduler_events", ["created_at", "id"])
    _partial("ix_scheduler_events_changed", ["changed_at", "id"], "changed_at IS NOT NULL")
    _partial("ix_scheduler_events_declared", ["declared_by"], "declared_by IS NOT NULL", table="scheduler_events")
    _partial("ix_scheduler_events_due", ["next_execution"], "status = 'pending' AND next_execution IS NOT NULL")
    _partial("ix_scheduler_events_expected", ["expected_at"], "expected_at IS NOT NULL")
    _partial("ix_scheduler_events_event", ["event", "after_task"], "status = 'pending' AND event IS NOT NULL")
    op.create_index("ix_scheduler_events_module", "scheduler_events", ["module_id", "created_at", "id"])
    rare = "status = 'paused' OR status = 'failed' OR status = 'cancelled'"
    _partial("ix_scheduler_events_rare", ["status", "created_at", "id"], rare)
    _partial("ix_scheduler_events_paused", ["status", "updated_at"], "status = 'paused'")
    _partial("uq_scheduler_events_key", ["module_id", "key"], "key IS NOT NULL", unique=True)


def _executions() -> None:
    op.create_table(
        "scheduler_executions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("scheduled_for", UtcDateTime(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("function_key", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("waited_for", sa.Text(), nullable=True),
        sa.Column("rank", sa.Double(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("limit_key", sa.Text(), nullable=True),
        sa.Column("slots", sa.Integer(), nullable=True),
        sa.Column("open_key", sa.Text(), nullable=True),
        sa.Column("node_id", sa.Text(), nullable=True),
        sa.Column("start_time", UtcDateTime(), nullable=True),
        sa.Column("end_time", UtcDateTime(), nullable=True),
        sa.Column("timed_out_at", UtcDateTime(), nullable=True),
        sa.Column("cancel_requested_at", UtcDateTime(), nullable=True),
        sa.Column("success", sa.Boolean(), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("traceback", sa.Text(), nullable=True),
        sa.Column("progress", sa.Text(), nullable=True),
        sa.Column("payload", sa.Text(), nullable=True),
        sa.Column("missed_count", sa.Integer(), nullable=False),
        sa.Column("missed_since", UtcDateTime(), nullable=True),
        sa.Column("retries_used", sa.Integer(), nullable=False),
        sa.Column("crashes", sa.Integer(), nullable=False),
        sa.Column("cpu_seconds", sa.Double(), nullable=True),
        sa.Column("memory_bytes", sa.BigInteger(), nullable=True),
        sa.Column("trace_session_id", sa.Text(), nullable=True),
        sa.Column("traceparent", sa.Text(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("event_id", "scheduled_for", "attempt", name="uq_scheduler_executions_occurrence"),
    )
    table = "scheduler_executions"
    ready, later, held = (f"state = 'pending' AND line = '{line}'" for line in ("ready", "later", "held"))
    _partial("ix_scheduler_executions_ready", ["queue", "rank", "id"], ready, table=table)
    _partial("ix_scheduler_executions_ready_of", ["queue", "function_key", "rank", "id"], ready, table=table)
    _partial("ix_scheduler_executions_later", ["due_at"], later, table=table)
    _partial("ix_scheduler_executions_held", ["reason", "limit_key", "rank"], held, table=table)
    running = "state = 'running'"
    _partial("ix_scheduler_executions_running", ["node_id"], running, table=table)
    asked = f"{running} AND cancel_requested_at IS NOT NULL"
    _partial("ix_scheduler_executions_cancel", ["node_id"], asked, table=table)
    _partial("ix_scheduler_executions_open", ["event_id"], "state IN ('pending', 'running')", table=table)
    _partial("ix_scheduler_executions_limit", ["limit_key", "start_time"], "limit_key IS NOT NULL", table=table)
    sharing = "state IN ('pending', 'running') AND limit_key IS NOT NULL"
    _partial("ix_scheduler_executions_sharing", ["limit_key"], sharing, table=table)
    _partial("ix_scheduler_executions_ended", ["end_time", "id"], "end_time IS NOT NULL", table=table)
    rare = " OR ".join(
        f"state = '{state}'" for state in ("failed", "timed_out", "cancelled", "lost", "skipped", "missed")
    )
    _partial("ix_scheduler_executions_rare", ["state", "end_time", "id"], rare, table=table)
    _partial("uq_scheduler_executions_open_key", ["open_key"], "open_key IS NOT NULL", table=table, unique=True)


def _nodes() -> None:
    op.create_table(
        "scheduler_nodes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("process_started", sa.Text(), nullable=True),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("lease_until", UtcDateTime(), nullable=False),
        sa.Column("draining_since", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "scheduler_node_profiles",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("node_id", "version", "functions", "queues")),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("clock_offset", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("node_id"),
    )


def _pauses() -> None:
    op.create_table(
        "scheduler_pauses",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("scope"),
    )
    op.create_table(
        "scheduler_queue_limits",
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("at_once", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("queue"),
    )


def _calendars() -> None:
    op.create_table(
        "scheduler_calendars",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("module_id", sa.Text(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("missing_since", UtcDateTime(), nullable=True),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _audit() -> None:
    op.create_table(
        "scheduler_audit",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("door", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_scheduler_audit_at", "scheduler_audit", ["at", "id"])
    op.create_index("ix_scheduler_audit_target", "scheduler_audit", ["target", "at", "id"])
    op.create_index("ix_scheduler_audit_actor", "scheduler_audit", ["actor", "at", "id"])


def _alerts() -> None:
    op.create_table(
        "scheduler_alerts",
        sa.Column("rule", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("waiting", "sending")),
        sa.Column("tries", sa.Integer(), nullable=False),
        *(sa.Column(name, UtcDateTime(), nullable=True) for name in ("next_at", "claimed_until")),
        sa.PrimaryKeyConstraint("rule"),
    )
