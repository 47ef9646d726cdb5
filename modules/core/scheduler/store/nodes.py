"""Nodes and pauses in the database: who lives, and what is held back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from framework.database import for_update, skip_locked, upsert
from modules.core.scheduler.tables import nodes, pauses


def register(c: Connection, values: Mapping[str, Any]) -> None:
    """Insert a node that has just started."""
    c.execute(insert(nodes).values(values))


def renew(c: Connection, node_id: str, lease_until: datetime) -> bool:
    """Move this node's lease; False when another node has taken it for dead."""
    return c.execute(update(nodes).where(nodes.c.id == node_id).values(lease_until=lease_until)).rowcount == 1


def lease_of(c: Connection, node_id: str) -> datetime | None:
    """Return until when this node's lease holds, and let nobody remove it before the end; None: it is not known."""
    return c.execute(for_update(select(nodes.c.lease_until).where(nodes.c.id == node_id))).scalar()


def others(c: Connection, node_id: str) -> Sequence[Row[Any]]:
    """Return all other nodes, locked against others who look for dead ones."""
    return c.execute(skip_locked(select(nodes).where(nodes.c.id != node_id))).all()


def everyone(c: Connection) -> Sequence[Row[Any]]:
    """Return all nodes, oldest first."""
    return c.execute(select(nodes).order_by(nodes.c.started_at)).all()


def remove(c: Connection, ids: Collection[str]) -> None:
    """Forget nodes: what they ran is lost from now on."""
    c.execute(delete(nodes).where(nodes.c.id.in_(ids)))


def hold(c: Connection, scope: str, reason: str | None, now: datetime) -> None:
    """Hold back everything (`*`) or one module's tasks."""
    c.execute(upsert(pauses, ["scope"], ["reason", "since"]).values(scope=scope, reason=reason, since=now))


def release(c: Connection, scope: str) -> bool:
    """Let go what was held back; False when nothing was."""
    return c.execute(delete(pauses).where(pauses.c.scope == scope)).rowcount == 1


def held(c: Connection) -> Sequence[Row[Any]]:
    """Return what is held back."""
    return c.execute(select(pauses).order_by(pauses.c.scope)).all()
