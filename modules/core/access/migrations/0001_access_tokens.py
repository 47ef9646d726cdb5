"""The table of tokens, as it was at first."""

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
        "access_tokens",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("last_used_at", UtcDateTime(), nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    valid = sa.text("revoked_at IS NULL")
    op.create_index(
        "uq_access_tokens_name", "access_tokens", ["name"], unique=True, sqlite_where=valid, postgresql_where=valid
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("access_tokens")
