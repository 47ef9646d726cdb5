"""The table of ingested records, as it was at first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from framework.database import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "inbox_records",
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("ingested_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("content_hash", "position"),
    )
    op.create_index("ix_inbox_records_ingested", "inbox_records", ["ingested_at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("inbox_records")
