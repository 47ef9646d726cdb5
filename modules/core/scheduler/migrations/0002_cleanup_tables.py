"""The tables of cleanups, and of requests over HTTP, as they were at first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from framework.database import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = ("cleanup_config", "cleanup_reports", "cleanup_days", "cleanup_plans", "requests")


def upgrade() -> None:
    """Create them."""
    _cleanup_config()
    _cleanup_reports()
    _cleanup_days()
    _cleanup_plans()
    _requests()


def downgrade() -> None:
    """Drop them."""
    for name in reversed(TABLES):
        op.drop_table(f"scheduler_{name}")


def _cleanup_config() -> None:
    op.create_table(
        "scheduler_cleanup_config",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("module_id", sa.Text(), nullable=False),
        sa.Column("cleanup_type", sa.Text(), nullable=False),
        sa.Column("config", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("last_run", UtcDateTime(), nullable=True),
        sa.Column("next_run", UtcDateTime(), nullable=True),
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.Column("compliance", sa.Text(), nullable=True),
        sa.Column("approved", sa.Text(), nullable=True),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("module_id", "cleanup_type", name="uq_scheduler_cleanup_config_type"),
    )


def _cleanup_reports() -> None:
    op.create_table(
        "scheduler_cleanup_reports",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("cleanup_id", sa.Text(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("success", sa.Boolean(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_scheduler_cleanup_reports_of", "scheduler_cleanup_reports", ["cleanup_id", "id"])
    op.create_index("ix_scheduler_cleanup_reports_started", "scheduler_cleanup_reports", ["started_at"])


def _cleanup_days() -> None:
    op.create_table(
        "scheduler_cleanup_days",
        sa.Column("cleanup_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("runs", sa.Integer(), nullable=False),
        sa.Column("dry_runs", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("matched", sa.BigInteger(), nullable=False),
        sa.Column("deleted", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("freed_bytes", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("cleanup_id", "day"),
    )


def _cleanup_plans() -> None:
    op.create_table(
        "scheduler_cleanup_plans",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("cleanup_id", sa.Text(), nullable=False),
        sa.Column("config", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("applied_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_scheduler_cleanup_plans_created", "scheduler_cleanup_plans", ["created_at"])


def _requests() -> None:
    op.create_table(
        "scheduler_requests",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("begun_at", UtcDateTime(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("headers", "body")),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("ix_scheduler_requests_begun", "scheduler_requests", ["begun_at"])
