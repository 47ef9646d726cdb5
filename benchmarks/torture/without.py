"""Without: each protection of the product can be taken out of a process, to see that the checker misses it.

This file alone knows the product from inside. A protection is gone when the few lines that give it are replaced.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection

import modules.core.scheduler.turn as turning
from benchmarks.torture.forking import forking
from framework.clock import SystemClock
from framework.database.file import _Thread as SqliteThread
from modules.core.scheduler import ExecutionContext, firing, heartbeat, membership, placing, recovery, rooms, runner
from modules.core.scheduler.store import endings, line, nodes, tasks

MANY = 1_000


def remove(name: str) -> None:
    """Take one protection out of this process."""
    PROTECTIONS[name]()


def can_be_removed(name: str) -> bool:
    """Try it in a process of its own; False where the product has changed so that it must be done in another way."""
    process = forking().Process(target=remove, args=(name,))
    process.start()
    process.join()
    return process.exitcode == 0


def _replace(owner: Any, name: str, new: Callable[[Any], Any]) -> None:
    """Put what `new` makes of it in place of what has this name; raises where the name is gone or nothing changes."""
    before = getattr(owner, name)
    after = new(before)
    if after == before:
        raise LookupError(f"{name} is not what it was: the protection cannot be taken out like this any more")
    setattr(owner, name, after)


def fencing() -> None:
    """An ending is written wherever its row is; a node never hears that it was taken for dead."""
    end = "AND scheduler_executions.state"
    _replace(endings, "END", lambda text: text.split(end)[0] + "RETURNING scheduler_executions.id")
    _replace(turning, "keep_lease", lambda _: lambda *_: False)
    _replace(nodes, "renew", lambda renew: lambda *arguments: renew(*arguments) or True)


def recovery_of_the_dead() -> None:
    """Nobody looks for dead nodes."""
    _replace(recovery, "remove_dead_nodes", lambda _: lambda *_, **__: [])


def heartbeat_thread() -> None:
    """Only the event loop renews the lease."""
    _replace(heartbeat.Heartbeat, "start", lambda _: lambda _: None)


def claim_by_compare_and_set() -> None:
    """A claim reads first and writes later, without a lock and whatever has happened meanwhile."""
    for name in ("CANDIDATES", "HARMLESS", "AMONG"):
        _replace(line, name, lambda text: text.replace("FOR UPDATE OF x SKIP LOCKED", ""))
    _replace(line, "START", lambda text: text.replace("AND state = 'pending'", ""))


def uniqueness_of_occurrences() -> None:
    """Due tasks are not locked and not compared when they move on; the constraints are dropped from the tables."""
    compared = "AND next_execution = given.nominal AND status = 'pending'"
    _replace(tasks, "DUE", lambda text: text.replace("FOR UPDATE OF scheduler_events SKIP LOCKED", ""))
    _replace(tasks, "MOVE_ON", lambda text: text.replace(compared, ""))


def firing_in_one_transaction() -> None:
    """The execution is committed before the task moves on."""

    def new(place: Callable[..., Any]) -> Callable[..., Any]:
        def placed(c: Connection, *rest: Any) -> Any:
            started = place(c, *rest)
            _commit(c)
            return started

        return placed

    _replace(firing, "_place", new)


def recovery_in_one_transaction() -> None:
    """A lost row is committed before its next attempt is there."""

    def new(repeat: Callable[..., Any]) -> Callable[..., Any]:
        def repeated(c: Connection, *rest: Any, **budgets: int) -> Any:
            _commit(c)
            return repeat(c, *rest, **budgets)

        return repeated

    _replace(placing, "repeat", new)


def _commit(c: Connection) -> None:
    """Commit in the midst of a transaction of SQLite, and begin another."""
    raw: Any = c.connection.driver_connection
    raw.execute("COMMIT")
    raw.execute("BEGIN IMMEDIATE")


def undoing() -> None:
    """What a failed transaction has written so far is committed, on SQLite."""

    def kept(_: Any, raw: Any) -> None:
        if raw.in_transaction:
            raw.execute("COMMIT")

    _replace(SqliteThread, "_undo", lambda _: kept)


def effect_and_ending_in_one_transaction() -> None:
    """What a function wrote is committed; that it has ended is written later."""

    async def later(*_: Any) -> None:
        return None

    _replace(ExecutionContext, "complete_in", lambda _: later)


def at_most_once() -> None:
    """Recovery runs everything again."""

    def new(lock: Callable[..., Any]) -> Callable[..., Any]:
        def locked(c: Connection, task_id: str) -> Any:
            row = lock(c, task_id)
            if row is None:
                return None
            return SimpleNamespace(**{**row._mapping, "delivery": "at_least_once"})  # noqa: SLF001  # a public name

        return locked

    _replace(tasks, "lock", new)


def agreement_on_the_time() -> None:
    """No node corrects its clock by the database's."""
    _replace(SystemClock, "correct", lambda _: lambda *_: None)


def steady_clock() -> None:
    """A corrected clock goes on with the machine's, however that is set."""
    gap = {"": timedelta(0)}
    _replace(SystemClock, "now", lambda _: lambda clock: clock.machine_now() + gap[""])
    _replace(SystemClock, "correct", lambda _: lambda _, by: gap.update({"": gap[""] + by}))


def stored_times() -> None:
    """The next time is counted from the clock, on SQLite: what has fired fires again when the clock is set back."""
    back = """UPDATE scheduler_events SET next_execution = ? WHERE recurring AND status = 'pending'
        AND module_id = 'torture' AND julianday(next_execution) > julianday(?, '1.5 seconds')"""

    def new(fire_due: Callable[..., Any]) -> Callable[..., Any]:
        def fired(c: Connection, now: datetime, *rest: Any, **options: Any) -> Any:
            text = now.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
            c.exec_driver_sql(back, (text, text))
            return fire_due(c, now, *rest, **options)

        return fired

    _replace(turning, "fire_due", new)


def crash_limit() -> None:
    """However often an execution kills its node, it is run again."""
    _replace(recovery, "_recover", lambda recover: lambda c, row, now, _limit: recover(c, row, now, MANY))


def loops_that_survive() -> None:
    """An error of the database ends the loop that met it."""

    async def repeated(
        step: Callable[[], Awaitable[float | None]], *, clock: Any, wake: asyncio.Event, **_options: Any
    ) -> None:
        while (seconds := await step()) is not None:
            await clock.wait(wake, min(seconds, 1.0))
            wake.clear()

    for owner in (runner, heartbeat):
        _replace(owner, "repeat", lambda _: repeated)


def handing_back() -> None:
    """A stop writes nothing about what it cuts off."""

    async def leave(self: Any) -> None:
        self._crew.abandon_all()
        self._node.end()

    def new(stop: Callable[..., Any]) -> Callable[..., Any]:
        async def stopped(self: Any) -> None:
            self._crew.abandon_all()
            await stop(self)

        return stopped

    _replace(runner.Runner, "_leave", lambda _: leave)
    _replace(runner.Runner, "stop", new)


def steady_judges() -> None:
    """A node that could not keep its own lease judges the others by theirs."""
    _replace(membership.Membership, "is_steady", lambda _: lambda _: True)


def limit_of_a_node() -> None:
    """A node claims whatever is due."""

    def new(room: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *arguments, **options: replace(room(*arguments, **options), free=MANY)

    _replace(rooms.Rooms, "room", new)


PROTECTIONS: dict[str, Callable[[], None]] = {
    each.__name__.replace("_", " "): each
    for each in (
        fencing,
        recovery_of_the_dead,
        heartbeat_thread,
        claim_by_compare_and_set,
        uniqueness_of_occurrences,
        firing_in_one_transaction,
        recovery_in_one_transaction,
        undoing,
        effect_and_ending_in_one_transaction,
        at_most_once,
        agreement_on_the_time,
        steady_clock,
        stored_times,
        crash_limit,
        loops_that_survive,
        handing_back,
        steady_judges,
        limit_of_a_node,
    )
}
