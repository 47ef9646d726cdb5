"""What stands around what wants to start: the line before it, those that are about to be fired, and the limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from modules.core.scheduler.catch_up import Run
from modules.core.scheduler.execution import Line
from modules.core.scheduler.explaining.facts import Facts, Subject
from modules.core.scheduler.explaining.limits import Limits, rate_of
from modules.core.scheduler.policies import policies_of
from modules.core.scheduler.store import evidence, executions, line

MOST_RATES = 8  # limits of those before it whose starts are counted; of others it is taken that they may start
LAST_ID = "\U0010ffff"  # sorts behind every id


@dataclass(frozen=True, slots=True)
class Foreseen:
    """The row that a task gets whose time has come, as far as it matters to those in line with it.

    `is_earlier` where it is fired before the subject, in the same turn; `takes_key` where it holds its limit from then.
    """

    id: str | None
    event_id: str
    name: str
    queue: str
    rank: float
    function_key: str
    limit_key: str | None
    slots: int | None
    origin: str
    module_id: str
    task_status: str
    policies: str
    is_ready: bool
    is_earlier: bool
    takes_key: bool


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around a subject: who is before it in line, who shares its limit, what the limits leave.

    `fired` are those that the next turn fires, `others` how many are in line in other queues.
    """

    before: Sequence[Row[Any]]
    fired: Sequence[Foreseen]
    others: int
    sharing: Sequence[Row[Any]]
    limits: Limits
    running: Sequence[Row[Any]]

    def before_in_line(self, subject: Subject) -> list[Any]:
        """Return all that will be before a subject in the line of its queue, first to last."""
        fired = [row for row in self.fired if row.is_ready and row.queue == subject.queue]
        is_new = subject.id is None
        fired = [
            row for row in fired if row.rank < subject.rank or (row.rank == subject.rank and row.is_earlier and is_new)
        ]
        rows: list[Any] = [*self.before, *fired]
        return sorted(rows, key=lambda row: row.rank)


def around(c: Connection, facts: Facts, subject: Subject) -> Around:
    """Read what stands around a subject, as the next turn would find it."""
    before = evidence.before(c, subject.queue, subject.rank, subject.id or LAST_ID, facts.now)
    sharing = [] if subject.limit_key is None else evidence.sharing(c, subject.limit_key)
    fired = [] if "*" in facts.pauses else _fired(c, facts, subject, len(sharing))
    limits = _limits(c, facts, subject, [*before, *fired])
    for row in fired:
        if row.takes_key and row.limit_key is not None:
            limits.take(row.limit_key)
    return Around(
        before=before,
        fired=fired,
        others=evidence.in_other_queues(c, subject.queue, facts.now) + _elsewhere(fired, subject),
        sharing=sharing,
        limits=limits,
        running=evidence.running_on(c, [node["id"] for node in facts.nodes]),
    )


def _elsewhere(fired: Iterable[Foreseen], subject: Subject) -> int:
    return sum(row.is_ready and row.queue != subject.queue for row in fired)


def _fired(c: Connection, facts: Facts, subject: Subject, sharing: int) -> list[Foreseen]:
    """Foresee what the next turn fires, in its order, but for the subject: what is left out gets no place in line."""
    tasks = sorted((task for task in evidence.due(c, facts.now) if task.id != subject.task.id), key=_age)
    opened = executions.open_of_all(c, [task.id for task in tasks]) if tasks else {}
    open_under = Counter({subject.limit_key: sharing})
    found = []
    for task in tasks:
        row = _foreseen(task, facts, subject)
        if row is None:
            continue  # it cannot be read, and is set aside
        if task.overlap == "skip":
            number = len(opened.get(task.id, ())) if task.concurrency_key is None else open_under[row.limit_key]
            if number >= task.max_instances:
                continue
        open_under[row.limit_key] += row.takes_key
        found.append(row)
    return found


def _foreseen(task: Row[Any], facts: Facts, subject: Subject) -> Foreseen | None:
    try:
        policies = policies_of(task.policies)
    except ValueError:
        return None
    row = Subject.of_due(task, policies, Run(task.next_execution), facts.now)
    names = ("id", "queue", "rank", "function_key", "limit_key", "slots", "origin")
    return Foreseen(
        event_id=task.id,
        name=task.name,
        module_id=task.module_id,
        task_status=task.status,
        policies=task.policies,
        is_ready=row.line == Line.READY,
        is_earlier=subject.id is None and _age(task) < _age(subject.task),
        takes_key=task.overlap == "skip" and task.concurrency_key is not None,
        **{name: getattr(row, name) for name in names},
    )


def _age(task: Row[Any]) -> tuple[Any, ...]:
    return task.next_execution, task.created_at, task.id


def _limits(c: Connection, facts: Facts, subject: Subject, before: Iterable[Row[Any] | Foreseen]) -> Limits:
    keyed = [row for row in before if row.limit_key is not None]
    keys: set[Any] = {row.limit_key for row in keyed} | (
        {subject.limit_key} if subject.limit_key is not None else set()
    )
    rates: dict[str, list[tuple[int, float]]] = {}
    mine = [(subject.limit_key, facts.policies.rate_limit)]
    for key, rate in [*mine, *((row.limit_key, rate_of(row)) for row in keyed)]:
        if key is not None and rate is not None and (key in rates or len(rates) < MOST_RATES):
            rates.setdefault(key, []).append(rate)
    starts = {key: _starts(c, key, given, facts.now) for key, given in rates.items()}
    return Limits(facts.now, line.running_keys(c, keys) if keys else set(), starts)


def _starts(c: Connection, limit_key: str, rates: Sequence[tuple[int, float]], now: datetime) -> list[datetime]:
    longest = timedelta(seconds=max(seconds for _, seconds in rates))
    return list(line.started_since(c, limit_key, now - longest, max(most for most, _ in rates)))
