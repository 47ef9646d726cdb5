"""Protections of nodes: who is alive, what time it is, and what becomes of the work of the dead."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection

import modules.core.scheduler.turn as turning
from benchmarks.torture.without.replacing import MANY, commit, swap
from framework.clock import SystemClock
from modules.core.scheduler import heartbeat, membership, placing, recovery
from modules.core.scheduler.store import endings, nodes, tasks


def fencing() -> None:
    """An ending is written wherever its row is; a node never hears that it was taken for dead."""
    end = "AND scheduler_executions.state"
    swap(endings, "END", lambda text: text.split(end)[0] + "RETURNING scheduler_executions.id")
    swap(turning, "keep_lease", lambda _: lambda *_: False)
    swap(nodes, "renew", lambda renew: lambda *arguments: renew(*arguments) or True)


def recovery_of_the_dead() -> None:
    """Nobody looks for dead nodes."""
    swap(recovery, "remove_dead_nodes", lambda _: lambda *_, **__: [])


def recovery_in_one_transaction() -> None:
    """A lost row is committed before its next attempt is there."""

    def new(repeat: Callable[..., Any]) -> Callable[..., Any]:
        def repeated(c: Connection, *rest: Any, **budgets: int) -> Any:
            commit(c)
            return repeat(c, *rest, **budgets)

        return repeated

    swap(placing, "repeat", new)


def at_most_once() -> None:
    """Recovery runs everything again."""

    def new(lock: Callable[..., Any]) -> Callable[..., Any]:
        def locked(c: Connection, task_id: str) -> Any:
            row = lock(c, task_id)
            if row is None:
                return None
            return SimpleNamespace(**{**row._mapping, "delivery": "at_least_once"})  # noqa: SLF001  # a public name

        return locked

    swap(tasks, "lock", new)


def crash_limit() -> None:
    """However often an execution kills its node, it is run again."""
    swap(recovery, "_recover", lambda recover: lambda c, row, now, _limit: recover(c, row, now, MANY))


def heartbeat_thread() -> None:
    """Only the event loop renews the lease."""
    swap(heartbeat.Heartbeat, "start", lambda _: lambda _: None)


def steady_judges() -> None:
    """A node that could not keep its own lease judges the others by theirs."""
    swap(membership.Membership, "is_steady", lambda _: lambda _: True)


def agreement_on_the_time() -> None:
    """No node corrects its clock by the database's."""
    swap(SystemClock, "correct", lambda _: lambda *_: None)


def steady_clock() -> None:
    """A corrected clock goes on with the machine's, however that is set."""
    gap = {"": timedelta(0)}
    swap(SystemClock, "now", lambda _: lambda clock: clock.machine_now() + gap[""])
    swap(SystemClock, "correct", lambda _: lambda _, by: gap.update({"": gap[""] + by}))
