"""Ending: an outcome, its retry and the task's bookkeeping are written together, under fencing."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from framework.database import notify
from modules.core.scheduler import chaining, containing, placing
from modules.core.scheduler.execution import Outcome, Reason, State, success_of
from modules.core.scheduler.journal import Line
from modules.core.scheduler.policies import policies_of, stable_fraction
from modules.core.scheduler.settling import BY_LAST_ROW, close_damaged, settle
from modules.core.scheduler.store import endings as store
from modules.core.scheduler.store import executions, nodes, tasks
from modules.core.scheduler.tables import CHANNEL
from modules.core.scheduler.task import Status

log = logging.getLogger("modules.core.scheduler.executions")

# No fault of the function's: it runs again, at no cost.
CUT_OFF = (Reason.SHUTDOWN, Reason.NODE_LOST, Reason.EXECUTOR_UNREACHABLE)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=10), timedelta(minutes=5)  # until an executor is tried again
ENDED = (Status.COMPLETED, Status.FAILED, Status.CANCELLED)


@dataclass(slots=True, eq=False)
class Completion:
    """An ending that a function has written in a transaction of its own; `stands` once its commit has been seen."""

    stands: bool = False


@dataclass(frozen=True, slots=True)
class Ending:
    """How an execution of this node ended, after how many seconds; `reason` says why where the outcome does not.

    `started` is its start time, `may_repeat` whether the task's policy must be asked for another attempt, `completion`
    what its function has written about it before. `lines` are those log lines that are not stored yet, `pings` the
    URLs outside that are to hear of a success, and of a failure for good.
    """

    id: str
    task_id: str
    name: str
    outcome: Outcome
    reason: Reason | None
    progress: str | None
    seconds: float
    started: datetime
    may_repeat: bool = True
    module_id: str | None = None
    completion: Completion | None = None
    lines: Sequence[Line] = ()
    function_key: str | None = None
    pings: tuple[str | None, str | None] = (None, None)

    @property
    def stored(self) -> tuple[State, Reason | None, str | None]:
        """State, reason and error as the row has them: what a function completed stays so, whatever came after."""
        if self.completion is not None and self.completion.stands:
            return State.SUCCEEDED, None, None
        return self.outcome.state, self.reason, self.outcome.error


def may_repeat(row: Row[Any], outcome: Outcome, reason: Reason | None) -> bool:
    """Whether the policy of a row's task must be asked for another attempt, or looked at where it is damaged."""
    if reason in CUT_OFF:
        return True
    if outcome.state not in (State.FAILED, State.TIMED_OUT) or not outcome.retry:
        return False
    try:
        return bool(policies_of(row.policies).max_retries > row.retries_used)
    except ValueError:
        return True


def record(
    c: Connection,
    node_id: str,
    endings: Sequence[Ending],
    now: datetime,
    *,
    careful: bool = False,
    final: set[str] | None = None,
) -> list[str]:
    """Write the endings; return the ids that were refused because another node has taken them over.

    `final` is told the ids of those that are not tried again.
    """
    final = set() if final is None else final
    if not careful:
        return _record(c, node_id, endings, now, final, careful=False) if endings else []
    refused: list[str] = []
    containing.each(
        c,
        endings,
        lambda ending: refused.extend(_record(c, node_id, [ending], now, final, careful=True)),
        careful=True,
        set_aside=lambda ending, error: close_damaged(c, ending.id, now, str(error)),
    )
    return refused


def _record(
    c: Connection, node_id: str, endings: Sequence[Ending], now: datetime, final: set[str], *, careful: bool
) -> list[str]:
    ids = {ending.task_id for ending in endings}
    waiting = chaining.waiting(c, ids)
    store.lock_tasks(c, list(ids.union(waiting)))
    written = store.end(c, [_row(ending) for ending in endings], node_id, now)
    mine = endings if len(written) == len(endings) else [each for each in endings if each.id in written]
    last = {ending.task_id: ending for ending in mine if not ending.may_repeat}
    told = store.tell_tasks(c, [_told(ending) for ending in last.values()], now)
    for row in told:
        if row.next_execution is None and row.status not in ENDED:
            settle(c, row.id, now)
    for_good = [each.id for each in mine if not each.may_repeat or not _repeat_or_settle(c, each, now)]
    final.update(for_good)
    chaining.follow(c, waiting, for_good, now, careful=careful)
    executions.let_next(c, [limit_key for limit_key in written.values() if limit_key is not None])
    return [] if len(mine) == len(endings) else _refused(c, node_id, endings, written)


def _refused(c: Connection, node_id: str, endings: Sequence[Ending], written: Collection[str]) -> list[str]:
    """Return the ids of endings that were not written, but for those whose function has done so before."""
    unwritten = [ending for ending in endings if ending.id not in written]
    for ending in unwritten:
        if ending.completion is not None:
            ending.completion.stands = store.has_succeeded(c, ending.id, node_id)
    return [each.id for each in unwritten if each.completion is None or not each.completion.stands]


def _row(ending: Ending) -> tuple[Any, ...]:
    outcome = ending.outcome
    return (
        ending.id,
        outcome.state.value,
        ending.reason,
        success_of(outcome.state),
        outcome.result_json,
        outcome.error,
        outcome.traceback,
        ending.progress,
        outcome.cpu_seconds,
        outcome.memory_bytes,
    )


def _told(ending: Ending) -> tuple[Any, ...]:
    outcome = ending.outcome
    succeeded = outcome.state is State.SUCCEEDED
    return ending.task_id, ending.id, ending.started, succeeded, outcome.error, BY_LAST_ROW[outcome.state].value


def _repeat_or_settle(c: Connection, ending: Ending, now: datetime) -> bool:
    """What an ending means for the task where its policy may want another attempt; tell whether there is one."""
    task, row, outcome = tasks.lock(c, ending.task_id), executions.find(c, ending.id), ending.outcome
    if task is None or row is None:
        return False
    changes: dict[str, Any] = {"last_execution": row.start_time}
    if outcome.error is not None:
        changes["last_error"] = outcome.error
    tasks.change(c, task.id, now, **changes)
    if task.status == Status.CANCELLED or not _runs_again(task, row, outcome, ending.reason):
        settle(c, task.id, now)
        return False
    if ending.reason in CUT_OFF:
        placing.repeat(c, row, now + _pause(row, ending.reason), now)
    else:
        placing.repeat(c, row, now + _delay(task, row, outcome), now, retries_used=row.retries_used + 1)
    return True


def _runs_again(task: Row[Any], row: Row[Any], outcome: Outcome, reason: Reason | None) -> bool:
    if reason is Reason.EXECUTOR_UNREACHABLE:  # it has not begun
        return True
    if task.delivery == "at_most_once":
        return False
    if reason in CUT_OFF:
        return True
    failed = outcome.state in (State.FAILED, State.TIMED_OUT)
    return failed and outcome.retry and _has_retries_left(task, row)


def _has_retries_left(task: Row[Any], row: Row[Any]) -> bool:
    try:
        return bool(row.retries_used < policies_of(task.policies).max_retries)
    except ValueError:  # damaged since it fired; the next firing sets the task aside
        return False


def _delay(task: Row[Any], row: Row[Any], outcome: Outcome) -> timedelta:
    if outcome.retry_after is not None:
        return outcome.retry_after
    return policies_of(task.policies).backoff(row.retries_used, 2 * stable_fraction(row.id) - 1)


def _pause(row: Row[Any], reason: Reason | None) -> timedelta:
    """Return how long what was cut off waits: longer each time where its executor is gone, else not at all."""
    if reason is not Reason.EXECUTOR_UNREACHABLE:
        return timedelta(0)
    times: int = row.attempt - 1 - row.retries_used - row.crashes  # that it was cut off before
    return min(FIRST_PAUSE * 2.0 ** min(times, 10), LONGEST_PAUSE)


def release_node(c: Connection, node_id: str, now: datetime) -> None:
    """Take this node out of service: what it still runs is closed as interrupted and available to others at once."""
    for row in sorted(executions.running_on(c, node_id), key=lambda row: row.event_id):
        task = tasks.lock(c, row.event_id)
        closed = executions.close(c, row, now, State.CANCELLED, Reason.SHUTDOWN, error="interrupted by a shutdown")
        if closed and task is not None and task.status != Status.CANCELLED and task.delivery != "at_most_once":
            placing.repeat(c, row, now, now)
        elif task is not None:
            settle(c, task.id, now)
            chaining.ended(c, task.id, [row.id] if closed else [], now)
    nodes.remove(c, [node_id], now)
    notify(c, CHANNEL, "")


def as_timed_out(outcome: Outcome, limit: float) -> Outcome:
    """What ended after its time was up counts as timed out, whatever it came to."""
    return replace(outcome, state=State.TIMED_OUT, result_json=None, error=f"timed out after {limit:g} s")


def log_endings(endings: Iterable[Ending], refused: Collection[str]) -> None:
    """Log one line for each ending, after it has been committed."""
    for ending in endings:
        ids, outcome = {"execution": ending.id}, ending.outcome
        if ending.id in refused:
            log.warning("%s: its ending was refused, it is no longer this node's", ending.name, extra=ids)
            continue
        if ending.completion is not None and ending.completion.stands and outcome.state is not State.SUCCEEDED:
            text = "%s had completed, and stays succeeded; afterwards it %s: %s"
            log.warning(text, ending.name, outcome.state, outcome.error, extra=ids)
            continue
        detail = f": {outcome.error}" if outcome.error else ""
        told = {
            "task_name": ending.name,
            "state": outcome.state.value,
            "seconds": ending.seconds,
            "error": outcome.error,
        }
        log.info("%s %s in %.3f s%s", ending.name, outcome.state, ending.seconds, detail, extra=ids | told)
