"""Nodes, pauses and limits of queues in the database: who lives, and what is held back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from framework import strict_json
from framework.database import run, skip_locked, upsert
from modules.core.scheduler.limit_tables import queue_limits
from modules.core.scheduler.store import spans
from modules.core.scheduler.store.executions import is_running
from modules.core.scheduler.tables import executions, nodes, pauses, profiles

LEASE_OF = "SELECT lease_until, draining_since FROM scheduler_nodes WHERE id = :node_id FOR UPDATE"
# While a table is small, PostgreSQL keeps a plan that reads the whole of it, and goes on so when it is large.
BY_INDEX = LEASE_OF.replace(
    "SELECT", "SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true),"
)
RENEW = "UPDATE scheduler_nodes SET lease_until = :lease_until WHERE id = :node_id RETURNING id"
PAUSED = "SELECT scope FROM scheduler_pauses"
LIMITS = "SELECT queue, at_once FROM scheduler_queue_limits"
DESCRIBED = (
    "SELECT version, functions, queues, slots, clock_offset FROM scheduler_node_profiles WHERE node_id = :node_id"
)
WANDERS = 0.5  # seconds by which a clock's offset may be measured otherwise without being written down anew
ANY_OTHER = "SELECT 1 FROM scheduler_nodes WHERE id <> :node_id LIMIT 1"


def register(c: Connection, values: Mapping[str, Any]) -> None:
    """Insert a node that has just started."""
    c.execute(insert(nodes).values(values))


def renew(c: Connection, node_id: str, lease_until: datetime) -> bool:
    """Move this node's lease; False when another node has taken it for dead."""
    return run(c, RENEW, node_id=node_id, lease_until=lease_until).one_or_none() is not None


def lease_of(c: Connection, node_id: str) -> Any:
    """Return this node's lease and whether it drains, and let nobody remove it before the end; None: not known.

    From here to the end of its transaction, PostgreSQL reads no whole table for which it has an index.
    """
    return run(c, BY_INDEX if c.dialect.name == "postgresql" else LEASE_OF, node_id=node_id).one_or_none()


def describe(c: Connection, node_id: str, *, functions: Iterable[str], **profile: Any) -> None:
    """Write down what a node is and can do, a profile as `profile_of` makes it, where that is not what stands there."""
    values = {**profile, "functions": strict_json.dumps(sorted(functions))}
    written = run(c, DESCRIBED, node_id=node_id).one_or_none()
    if written is not None and abs(written.clock_offset - values["clock_offset"]) < WANDERS:
        values["clock_offset"] = written.clock_offset
    if written is None or any(getattr(written, name) != value for name, value in values.items()):
        c.execute(upsert(profiles, ["node_id"], list(values)).values(values | {"node_id": node_id}))


def functions(c: Connection) -> set[str]:
    """Return the functions that any node has."""
    known: set[str] = set()
    for text in c.execute(select(profiles.c.functions).join(nodes, nodes.c.id == profiles.c.node_id)).scalars():
        known.update(strict_json.loads(text))
    return known


def drain(c: Connection, node_id: str, since: datetime | None) -> bool:
    """Let a node claim nothing more (None: let it claim again); False when there is no such node."""
    return c.execute(update(nodes).where(nodes.c.id == node_id).values(draining_since=since)).rowcount == 1


def others(c: Connection, node_id: str) -> Sequence[Row[Any]]:
    """Return all other nodes, locked against others who look for dead ones."""
    if run(c, ANY_OTHER, node_id=node_id).one_or_none() is None:
        return []
    return c.execute(skip_locked(select(nodes).where(nodes.c.id != node_id))).all()


def everyone(c: Connection) -> Sequence[Row[Any]]:
    """Return all nodes with what they are and can do, oldest first."""
    told = [column for column in profiles.columns if column.name != "node_id"]
    query = select(nodes, *told).outerjoin(profiles, profiles.c.node_id == nodes.c.id)
    return c.execute(query.order_by(nodes.c.started_at)).all()


def running(c: Connection) -> dict[str, int]:
    """Return how many executions each node runs that runs any."""
    query = select(executions.c.node_id, func.count()).where(is_running).group_by(executions.c.node_id)
    return {row[0]: row[1] for row in c.execute(query)}


def remove(c: Connection, ids: Collection[str], now: datetime) -> None:
    """Forget nodes, but for when they lived: what they ran is lost from now on."""
    for row in c.execute(select(nodes).where(nodes.c.id.in_(ids))).all():
        until = min(row.lease_until or now, now)
        spans.add(c, spans.NODES, row.started_at or until, until, row.id)
    c.execute(delete(nodes).where(nodes.c.id.in_(ids)))
    c.execute(delete(profiles).where(profiles.c.node_id.in_(ids)))


def hold(c: Connection, scope: str, reason: str | None, now: datetime) -> None:
    """Hold back everything (`*`) or one module's tasks."""
    c.execute(upsert(pauses, ["scope"], ["reason", "since"]).values(scope=scope, reason=reason, since=now))


def release(c: Connection, scope: str, now: datetime) -> bool:
    """Let go what was held back, and write down that it was; False when nothing was."""
    gone = delete(pauses).where(pauses.c.scope == scope).returning(pauses.c.since, pauses.c.reason)
    held = c.execute(gone).one_or_none()
    if held is not None:
        spans.add(c, scope, held.since, now, held.reason)
    return held is not None


def paused(c: Connection) -> set[str]:
    """Return the scopes that are held back."""
    return set(run(c, PAUSED).scalars())


def held(c: Connection) -> Sequence[Row[Any]]:
    """Return what is held back."""
    return c.execute(select(pauses).order_by(pauses.c.scope)).all()


def limit_queue(c: Connection, queue: str, at_once: int | None) -> None:
    """Let no more than so many of a queue run at once, on all nodes together; None: as many as there are slots."""
    if at_once is None:
        c.execute(delete(queue_limits).where(queue_limits.c.queue == queue))
    else:
        c.execute(upsert(queue_limits, ["queue"], ["at_once"]).values(queue=queue, at_once=at_once))


def limits_of_queues(c: Connection) -> dict[str, int]:
    """Return how many of each queue may run at once that has a limit."""
    return {row.queue: row.at_once for row in run(c, LIMITS).rows}
