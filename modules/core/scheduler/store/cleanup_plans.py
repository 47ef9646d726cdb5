"""Plans of cleanups in the database: what a preview counted, carried out at most once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from modules.core.scheduler.cleanup_tables import cleanup_plans, cleanups


def add(c: Connection, values: Mapping[str, Any]) -> None:
    """Insert one plan."""
    c.execute(insert(cleanup_plans).values(values))


def find(c: Connection, plan_id: str) -> Row[Any] | None:
    """Return the plan, or None."""
    return c.execute(select(cleanup_plans).where(cleanup_plans.c.id == plan_id)).one_or_none()


def use(c: Connection, plan_id: str, now: datetime) -> bool:
    """Mark a plan as applied; False where it was before, by whomever."""
    unused = (cleanup_plans.c.id == plan_id) & cleanup_plans.c.applied_at.is_(None)
    return c.execute(update(cleanup_plans).where(unused).values(applied_at=now)).rowcount == 1


def approve(c: Connection, cleanup_id: str, policy: str) -> None:
    """Note of a cleanup the digest of the policy that a person has looked at."""
    c.execute(update(cleanups).where(cleanups.c.id == cleanup_id).values(approved=policy))
