"""One turn of the runner, one transaction: end what finished, fire what is due, claim up to the free slots."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from modules.core.scheduler import containing
from modules.core.scheduler.ending import Ending, record
from modules.core.scheduler.firing import fire_due
from modules.core.scheduler.placing import keys_of
from modules.core.scheduler.store import executions, nodes, tasks

BATCH = 256
LOCKED = timedelta(milliseconds=100)  # after which rows are looked at again whose task another node had locked


class NodeLostError(Exception):
    """Another node has taken this one for dead; what it runs is no longer its own."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a node brings to a turn; what becomes due after its `horizon` is left alone.

    An execution that has crashed `last_chance` times is set aside at its next crash (None: none has a second chance).
    A node runs one such at a time, or those that ran beside a deadly one would go with it; `takes_risk`: it runs one.
    """

    node_id: str
    session_id: str
    lease: timedelta
    functions: Collection[str]
    free: int
    endings: Sequence[Ending] = ()
    notes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    horizon: datetime | None = None
    last_chance: int | None = None
    takes_risk: bool = False
    careful: bool = False


@dataclass(frozen=True, slots=True)
class Turned:
    """What a turn did: refused endings, claimed rows, executions to stop, and when to look again."""

    claimed: Sequence[Row[Any]]
    refused: Sequence[str]
    to_cancel: Sequence[str]
    fired: int
    more: bool
    next_due: datetime | None

    @property
    def did_anything(self) -> bool:
        """Whether it fired or claimed anything, or has to go on at once."""
        return self.fired > 0 or bool(self.claimed) or self.more


NOTHING_AS_NODE_IS_LOST = Turned(claimed=(), refused=(), to_cancel=(), fired=0, more=True, next_due=None)


def turn(c: Connection, work: Work, now: datetime) -> Turned:
    """Carry out one turn; raises `NodeLostError`, writing nothing, when this node has been taken for dead."""
    keep_lease(c, work.node_id, now, work.lease)
    refused = record(c, work.node_id, work.endings, now, careful=work.careful)
    for execution_id, note in work.notes.items():
        executions.note(c, execution_id, work.node_id, **note)
    until = now if work.horizon is None else min(now, work.horizon)
    fired = fire_due(c, until, BATCH, careful=work.careful)
    if fired:
        executions.mark_unknown_functions(c, now, work.functions, fired)
    claimed, passed_over = _claim(c, work, until, now)
    moments = [tasks.next_due(c, now), executions.next_due(c, now)]
    if passed_over and not claimed:
        moments.append(now + LOCKED)
    return Turned(
        claimed=claimed,
        refused=refused,
        to_cancel=executions.cancel_requests(c, work.node_id),
        fired=fired,
        more=fired == BATCH or (passed_over and bool(claimed)),
        next_due=min((moment for moment in moments if moment is not None), default=None),
    )


def keep_lease(c: Connection, node_id: str, now: datetime, lease: timedelta) -> None:
    """Renew a lease that has less than half of its time left."""
    until = nodes.lease_of(c, node_id)
    if until is None:
        raise NodeLostError(node_id)
    if until - now < lease / 2:
        nodes.renew(c, node_id, now + lease)


def _claim(c: Connection, work: Work, until: datetime, now: datetime) -> tuple[list[Row[Any]], bool]:
    """Take due executions for this node; what one node takes, no other node gets. Also: were any passed over?"""
    if work.free <= 0:
        return [], False
    crashes_below = work.last_chance if work.takes_risk else None
    rows = _sound(c, executions.claimable(c, until, work.functions, min(work.free, BATCH), crashes_below), work, now)
    at_risk = [row.id for row in rows if work.last_chance is not None and row.crashes >= work.last_chance]
    keys = _free_keys(c, [row for row in rows if row.slots is not None])
    claimed, claims = [], []
    for row in rows:
        if row.id in at_risk[1:]:
            continue
        open_key = row.open_key
        if row.slots is not None:
            free = keys.get(row.event_id)
            if not free:
                continue
            open_key = free.pop(0)
        claimed.append(row)
        claims.append({"row_id": row.id, "open_key": open_key})
    executions.start(c, claims, work.node_id, work.session_id, now)
    return claimed, len(claimed) < len(rows)


def _sound(c: Connection, rows: Sequence[Row[Any]], work: Work, now: datetime) -> list[Row[Any]]:
    """Leave out, and close, rows whose numbers are none; looked for only after a turn has failed."""
    sound: list[Row[Any]] = []

    def check(row: Row[Any]) -> None:
        if work.careful:
            row.attempt + row.crashes + row.retries_used + (row.slots or 0)  # raises where one is no number
        sound.append(row)

    containing.each(
        c,
        rows,
        check,
        careful=work.careful,
        set_aside=lambda row, error: executions.close_damaged(c, row.id, now, str(error)),
    )
    return sound


def _free_keys(c: Connection, rows: Sequence[Row[Any]]) -> dict[str, list[str]]:
    """Return the open keys that are free, for tasks whose executions take one when claimed."""
    if not rows:
        return {}
    wanted = {row.event_id: row.slots for row in rows}
    locked = tasks.lock_free(c, wanted)
    held = executions.open_keys(c, locked)
    return {event: [key for key in keys_of(event, wanted[event]) if key not in held] for event in locked}
