"""One turn of the runner, one transaction: end what finished, fire what is due, claim up to the free slots."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Row

from framework.database import notify, read_moment
from modules.core.scheduler import alerting
from modules.core.scheduler.alert_rules import AlertRule
from modules.core.scheduler.claiming import claim
from modules.core.scheduler.claims import Claims, Room
from modules.core.scheduler.ending import Ending, record
from modules.core.scheduler.execution import Closed, Full, Reason
from modules.core.scheduler.firing import Fired, fire_due
from modules.core.scheduler.heads import Heads
from modules.core.scheduler.store import executions, line, log_lines, nodes, notes, outlook, tasks
from modules.core.scheduler.store.notes import Told
from modules.core.scheduler.tables import CHANNEL

NOTHING_TOLD = Told()
LOCKED = timedelta(milliseconds=100)  # after which rows are looked at again whose limit another node had locked


class NodeLostError(Exception):
    """Another node has taken this one for dead; what it runs is no longer its own."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a node brings to a turn; what becomes due after its `horizon` is left alone.

    `told` is what is new about executions that run.

    `everywhere` is how many executions may run on all nodes together (None: no limit).
    An execution that has crashed `last_chance` times is set aside at its next crash (None: none has a second chance).
    A node runs one such at a time, or those that ran beside a deadly one would go with it; `takes_risk`: it runs one.
    """

    node_id: str
    session_id: str
    lease: timedelta
    functions: Collection[str]
    room: Room
    endings: Sequence[Ending] = ()
    told: Told = NOTHING_TOLD
    horizon: datetime | None = None
    last_chance: int | None = None
    takes_risk: bool = False
    everywhere: int | None = None
    careful: bool = False
    rules: Sequence[AlertRule] = ()
    heads: Heads = field(default_factory=Heads)


@dataclass(frozen=True, slots=True)
class Turned:
    """What a turn did at `moment`: refused endings, claimed rows, executions to stop, and when to look again.

    `closed` and `missed` are as firing has them; `alerted`: somebody is to hear of what went wrong.
    `full`: in which queues (None: in all) it could leave somebody in line, and for want of what.
    `final`: the endings that are not tried again.
    """

    moment: datetime
    claimed: Sequence[Row[Any]]
    refused: Sequence[str]
    to_cancel: Mapping[str, Reason]
    fired: int
    more: bool
    next_due: datetime | None
    draining_since: datetime | None = None
    closed: Sequence[Closed] = ()
    missed: int = 0
    alerted: bool = False
    final: Collection[str] = ()
    full: Mapping[str | None, Full] = field(default_factory=dict)

    @property
    def did_anything(self) -> bool:
        """Whether it fired or claimed anything, or has to go on at once."""
        return self.fired > 0 or bool(self.claimed) or self.more


NOTHING_AS_NODE_IS_LOST = Turned(
    moment=datetime.min.replace(tzinfo=UTC), claimed=(), refused=(), to_cancel={}, fired=0, more=True, next_due=None
)


def turn(c: Connection, work: Work, now: datetime) -> Turned:
    """Carry out one turn; raises `NodeLostError`, writing nothing, when this node has been taken for dead."""
    draining_since = keep_lease(c, work.node_id, now, work.lease)
    final: set[str] = set()
    refused = record(c, work.node_id, work.endings, now, careful=work.careful, final=final)
    if work.told.notes:
        notes.write(c, work.node_id, work.told.notes)
    if lines := [*work.told.lines, *chain.from_iterable(ending.lines for ending in work.endings)]:
        log_lines.add(c, lines)
    until = now if work.horizon is None else min(now, work.horizon)
    ahead = work.heads.times.look(c, work.node_id, now)
    fired, next_task = _fire(c, work, ahead.soonest, until, now)
    next_in_line = _promote(c, ahead.later, until, work.heads.times.since)
    paused = nodes.paused(c) if ahead.is_held else set()
    at_once = nodes.limits_of_queues(c) if ahead.is_limited else {}
    claimed = claim(c, _claims(work, at_once), Room(0) if draining_since else work.room, paused, now)
    moments = [next_task, next_in_line]
    if claimed.locked:
        moments.append(now + LOCKED)
    moments += [now + timedelta(seconds=rests) for rests in (claimed.rests, work.heads.times.rests()) if rests]
    if (fired.count and len(claimed.rows) >= work.room.free) or (at_once and work.endings):
        notify(c, CHANNEL, "")  # this node is full, or may not take what a limit has room for: others may
    return Turned(
        moment=now,
        claimed=claimed.rows,
        refused=refused,
        to_cancel=executions.cancel_requests(c, work.node_id) if ahead.is_asked else {},
        fired=fired.count,
        more=fired.count == work.room.batch or claimed.more,
        next_due=min((moment for moment in moments if moment is not None), default=None),
        draining_since=draining_since,
        closed=[*fired.closed, *claimed.closed],
        missed=fired.missed + sum(each.occurrences for each in claimed.closed),
        full={None: Full.DRAINING} if draining_since else work.room.full_with(claimed),
        final=final,
        alerted=bool(work.rules) and _alert(c, work, refused, final, [*fired.closed, *claimed.closed], now),
    )


def _alert(
    c: Connection, work: Work, refused: Collection[str], final: Collection[str], closed: Sequence[Closed], now: datetime
) -> bool:
    incidents = alerting.of_endings(work.endings, refused, final) + alerting.of_closed(closed)
    return alerting.note(c, work.rules, incidents, now)


def _fire(
    c: Connection, work: Work, soonest: datetime | None, until: datetime, now: datetime
) -> tuple[Fired, datetime | None]:
    """Fire what is due; return what came of it, and when the next task is due."""
    if soonest is None or soonest > now:
        return Fired(0), soonest
    fired = fire_due(c, until, work.room.batch, careful=work.careful, since=work.heads.times.since)
    if not fired.functions <= set(work.functions):
        line.hold_unknown(c, nodes.functions(c))
    return fired, tasks.next_due(c, now)


def _promote(c: Connection, soonest: datetime | None, until: datetime, since: datetime | None) -> datetime | None:
    """Put those in line whose time has come; return when the next one's comes."""
    if soonest is None or soonest > until:
        return soonest
    line.promote(c, until, since)
    return outlook.next_in_line(c, since)


def _claims(work: Work, at_once: Mapping[str, int]) -> Claims:
    return Claims(
        work.node_id,
        work.session_id,
        work.functions,
        work.last_chance,
        work.takes_risk,
        work.everywhere,
        work.careful,
        at_once,
        work.heads,
    )


def keep_lease(c: Connection, node_id: str, now: datetime, lease: timedelta) -> datetime | None:
    """Renew a lease that has less than half of its time left; return since when the node is to claim nothing more."""
    node = nodes.lease_of(c, node_id)
    if node is None:
        raise NodeLostError(node_id)
    until = read_moment(node.lease_until)
    if until is None or until - now < lease / 2:
        nodes.renew(c, node_id, now + lease)
    return read_moment(node.draining_since)
