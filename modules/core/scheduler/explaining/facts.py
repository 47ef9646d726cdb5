"""What is known at one moment about a task, the nodes, and the line: read once, so that the gates are pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from modules.core.scheduler.catch_up import Run
from modules.core.scheduler.execution import Line
from modules.core.scheduler.explaining.words import Words
from modules.core.scheduler.firing import starts_by
from modules.core.scheduler.placing import function_key, limit_key_of, rank_of
from modules.core.scheduler.policies import Policies
from modules.core.scheduler.status import nodes_now
from modules.core.scheduler.store import evidence, nodes
from modules.core.scheduler.trigger import RESERVED

ENDINGS: dict[str | None, str] = {f"{RESERVED}succeeded": "success", f"{RESERVED}failed": "failure"}
MOST_RATES = 8  # limits of those before it whose starts are counted; of others it is taken that they may start
LAST_ID = "\U0010ffff"  # sorts behind every id


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the settings of this process say that holds for all: executions at once, and crashes of one."""

    everywhere: int | None
    crash_limit: int
    history: timedelta
    lease: timedelta


@dataclass(frozen=True, slots=True)
class Facts:
    """A task at the moment `now`, what is held back by scope, limits by queue, the nodes, and what runs on them."""

    now: datetime
    words: Words
    bounds: Bounds
    task: Row[Any]
    policies: Policies
    pauses: Mapping[str, Row[Any]]
    limits: Mapping[str, int]
    nodes: Sequence[Mapping[str, Any]]
    usage: Sequence[Any]
    opened: Sequence[Row[Any]]

    def used(self, node_id: str, queue: str) -> int:
        """Return how many executions of a queue a node runs."""
        return sum(row.running for row in self.usage if (row.node_id, row.queue) == (node_id, queue))

    def most_crashes(self, node_id: str) -> int:
        """Return the most crashes of anything that a node runs."""
        return max((row.crashes for row in self.usage if row.node_id == node_id), default=0)

    @property
    def is_due(self) -> bool:
        """Whether the next time of the task has come and a turn may fire it."""
        return self.task.next_execution is not None and bool(self.task.next_execution <= self.now)

    @property
    def event_text(self) -> str:
        """What sets the task off, beside its times."""
        if self.task.after_task is not None:
            what = ENDINGS.get(self.task.event, "ending")
            return f"the {what} of task {self.task.after_task!r} sets it off"
        return f"the event {self.task.event!r} sets it off"

    @property
    def running_everywhere(self) -> int:
        """How many executions run on all nodes."""
        return sum(row.running for row in self.usage)

    def running_in(self, queue: str) -> int:
        """How many executions of a queue run on all nodes."""
        return sum(row.running for row in self.usage if row.queue == queue)

    def most_starts(self, queue: str, free: int) -> int:
        """Return how many of a queue may start where that many slots are free: the limits over all nodes applied."""
        if self.bounds.everywhere is not None:
            free = min(free, self.bounds.everywhere - self.running_everywhere)
        if queue in self.limits:
            free = min(free, self.limits[queue] - self.running_in(queue))
        return max(free, 0)


@dataclass(frozen=True, slots=True)
class Subject:
    """What wants to start: a pending row, or (`id` None) the one that a due task is about to get."""

    id: str | None
    task: Row[Any]
    function_key: str
    queue: str
    rank: float
    line: str
    reason: str | None
    due_at: datetime
    origin: str
    attempt: int
    retries_used: int
    crashes: int
    limit_key: str | None
    slots: int | None
    one_at_a_time: bool = False

    @classmethod
    def of_row(cls, row: Row[Any], task: Row[Any]) -> Subject:
        """Take a pending row."""
        names = ["id", "function_key", "queue", "rank", "line", "reason", "due_at", "origin", "attempt"]
        names += ["retries_used", "crashes", "limit_key", "slots"]
        return cls(task=task, **{name: getattr(row, name) for name in names})

    @classmethod
    def of_due(cls, task: Row[Any], policies: Policies, run: Run, now: datetime) -> Subject:
        """Foresee the row of an occurrence that is due and has not been fired yet."""
        due_at = max(now, policies.jittered(task.id, run.scheduled_for, _starts_by(task, policies)))
        takes_key_late = run.one_at_a_time or task.overlap in ("queue", "replace")
        shares = takes_key_late or policies.rate_limit is not None or task.concurrency_key is not None
        return cls(
            id=None,
            task=task,
            function_key=function_key(task.module_id, task.function_name),
            queue=task.queue,
            rank=rank_of(due_at, task.priority),
            line=Line.LATER if due_at > now else Line.READY,
            reason=None,
            due_at=due_at,
            origin="schedule",
            attempt=1,
            retries_used=0,
            crashes=0,
            limit_key=limit_key_of(task) if shares else None,
            slots=(1 if run.one_at_a_time else task.max_instances) if takes_key_late else None,
            one_at_a_time=run.one_at_a_time,
        )


def _starts_by(task: Row[Any], policies: Policies) -> datetime | None:
    try:
        return starts_by(task, policies)
    except ValueError:  # the next turn sets it aside
        return None


def facts_of(c: Connection, task: Row[Any], policies: Policies, now: datetime, bounds: Bounds) -> Facts:
    """Read what is known of a task and of the nodes."""
    return Facts(
        now=now,
        words=Words.of(task.timezone, now),
        bounds=bounds,
        task=task,
        policies=policies,
        pauses={row.scope: row for row in nodes.held(c)},
        limits=nodes.limits_of_queues(c),
        nodes=nodes_now(c, now),
        usage=evidence.usage(c),
        opened=evidence.opened(c, task.id),
    )
