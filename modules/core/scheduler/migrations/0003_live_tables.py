"""The tables for those who watch, and for those who look back, as they were at first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from framework.database import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the five tables."""
    _log_lines()
    _rollups()
    _spans()
    _known_failures()


def downgrade() -> None:
    """Drop them."""
    for name in ("known_failures", "spans", "rollup_position", "rollups", "log_lines"):
        op.drop_table(f"scheduler_{name}")


def _log_lines() -> None:
    op.create_table(
        "scheduler_log_lines",
        sa.Column("execution_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("logger", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("execution_id", "number"),
    )


def _rollups() -> None:
    op.create_table(
        "scheduler_rollups",
        sa.Column("step", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("executions", sa.Integer(), nullable=False),
        sa.Column("timed", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("longest", sa.Double(), nullable=False),
        sa.Column("late_seconds", sa.Double(), nullable=False),
        sa.Column("latest", sa.Double(), nullable=False),
        sa.Column("spread", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("step", "at", "state"),
    )
    op.create_table(
        "scheduler_rollup_position",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("end_time", UtcDateTime(), nullable=False),
        sa.Column("execution_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _spans() -> None:
    op.create_table(
        "scheduler_spans",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("id", "scope")),
        *(sa.Column(name, UtcDateTime(), nullable=False) for name in ("since", "until")),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_scheduler_spans_scope", "scheduler_spans", ["scope", "until"])
    op.create_index("ix_scheduler_spans_until", "scheduler_spans", ["until"])


def _known_failures() -> None:
    op.create_table(
        "scheduler_known_failures",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
