"""Recovery: what a dead node ran is closed as lost and, where the task allows, run again."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row

from modules.core.scheduler import alerting, chaining, containing, placing, process
from modules.core.scheduler.alert_rules import AlertRule
from modules.core.scheduler.execution import Closed, Reason, State, success_of
from modules.core.scheduler.settling import close_damaged, settle
from modules.core.scheduler.store import cleanups, executions, line, nodes, outlook, tasks
from modules.core.scheduler.task import Status

BATCH = 500

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What the runner's upkeep needs to know."""

    node_id: str
    profile: Mapping[str, Any]
    functions: Collection[str]
    crash_limit: int
    carried: Collection[str] = ()
    careful: bool = False
    rules: Sequence[AlertRule] = ()
    is_steady: bool = True


class Kept(NamedTuple):
    """What an upkeep came to: whether dead nodes may have left more, which it found dead, and what they ran."""

    more: bool
    dead: Sequence[str]
    closed: Sequence[Closed] = ()


def upkeep(c: Connection, work: Upkeep, now: datetime) -> Kept:
    """Find what dead nodes left, and say on rows without a function why they wait.

    A task for this could lose itself, so it is a step of the runner.
    """
    nodes.describe(c, work.node_id, functions=work.functions, **work.profile)
    dead = remove_dead_nodes(c, work.node_id, now, by_lease=work.is_steady)
    if not outlook.is_anything_open(c):
        return Kept(more=False, dead=dead)
    lost = executions.lost(c, BATCH)
    closed: list[Closed] = []
    containing.each(
        c,
        sorted([*lost, *strays(c, work)], key=lambda row: row.event_id),
        lambda row: _recover(c, row, now, work.crash_limit, closed),
        careful=work.careful,
        set_aside=lambda row, error: close_damaged(c, row.id, now, str(error)),
    )
    known = nodes.functions(c)
    line.hold_unknown(c, known)
    there_are_more = line.release_over(c, known, BATCH)
    alerting.note(c, work.rules, alerting.of_closed(closed), now)  # last: it holds up nobody who holds other rows
    return Kept(there_are_more or len(lost) == BATCH, dead, closed)


def remove_dead_nodes(c: Connection, node_id: str, now: datetime, *, by_lease: bool = True) -> list[str]:
    """Forget nodes whose process on this host is gone, or whose lease has run out; return their ids.

    `by_lease`: False where this node could not keep its own: what held it up may have held up the others.
    """
    dead = [row.id for row in nodes.others(c, node_id) if process.is_gone(row) or (by_lease and _has_run_out(row, now))]
    if dead:
        nodes.remove(c, dead, now)
        log.warning("%d dead node(s) removed", len(dead), extra={"nodes": dead})
    return dead


def _has_run_out(node: Row[Any], now: datetime) -> bool:
    return node.lease_until is None or node.lease_until <= now


def strays(c: Connection, work: Upkeep) -> list[Row[Any]]:
    """Return rows that this node claimed and does not carry out: the answer to that commit never came."""
    return [row for row in executions.running_on(c, work.node_id) if row.id not in work.carried]


def _recover(c: Connection, row: Row[Any], now: datetime, crash_limit: int, told: list[Closed]) -> None:
    task = tasks.lock(c, row.event_id)
    crashes = row.crashes + 1
    set_aside = crashes >= crash_limit
    state = State.FAILED if set_aside else State.LOST
    reason = Reason.CRASH_LIMIT if set_aside else Reason.NODE_LOST
    error = f"its node died, {crashes} time(s) by now" if set_aside else "its node died, or knows nothing of it"
    closed = {"error": error, "success": success_of(state), "crashes": crashes}
    if not executions.close(c, row, now, state, reason, **closed) or task is None:
        return
    log.warning("%s closed as %s: %s", task.name, state, error, extra={"execution": row.id, "task": row.event_id})
    told.append(Closed(task.id, task.name, task.module_id, state, error))
    tasks.change(c, task.id, now, last_error=error, last_execution=row.start_time)
    if set_aside and task.recurring and task.status == Status.PENDING:
        tasks.change(c, task.id, now, status=Status.PAUSED, status_reason=Reason.CRASH_LIMIT)
        cleanups.keep_in_step(c, task)
    if set_aside or task.delivery == "at_most_once" or task.status == Status.CANCELLED:
        settle(c, task.id, now)
        chaining.ended(c, task.id, [row.id], now)
        return
    placing.repeat(c, row, now, now, crashes=crashes)
