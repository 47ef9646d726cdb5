"""Protections of the road from due to done: firing, claiming, ending."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

import modules.core.scheduler.turn as turning
from benchmarks.torture.without.replacing import MANY, commit, swap
from modules.core.scheduler import ExecutionContext, firing, rooms
from modules.core.scheduler.store import candidates, line, tasks


def claim_by_compare_and_set() -> None:
    """A claim reads first and writes later, without a lock and whatever has happened meanwhile."""
    for name in ("CANDIDATES", "HARMLESS", "AMONG"):
        swap(candidates, name, lambda text: text.replace("FOR UPDATE OF x SKIP LOCKED", ""))
    swap(line, "START", lambda text: text.replace("AND state || '' = 'pending'", ""))


def uniqueness_of_occurrences() -> None:
    """Due tasks are not locked and not compared when they move on; the constraints are dropped from the tables."""
    compared = "AND next_execution = given.nominal AND status || '' = 'pending'"
    swap(tasks, "DUE", lambda text: text.replace("FOR UPDATE OF scheduler_events SKIP LOCKED", ""))
    swap(tasks, "MOVE_ON", lambda text: text.replace(compared, ""))


def firing_in_one_transaction() -> None:
    """The execution is committed before the task moves on."""

    def new(place: Callable[..., Any]) -> Callable[..., Any]:
        def placed(c: Connection, *rest: Any) -> Any:
            started = place(c, *rest)
            commit(c)
            return started

        return placed

    swap(firing, "_place", new)


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

    swap(turning, "fire_due", new)


def effect_and_ending_in_one_transaction() -> None:
    """What a function wrote is committed; that it has ended is written later."""

    async def later(*_: Any) -> None:
        return None

    swap(ExecutionContext, "complete_in", lambda _: later)


def limit_of_a_node() -> None:
    """A node claims whatever is due."""

    def new(room: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *arguments, **options: replace(room(*arguments, **options), free=MANY)

    swap(rooms.Rooms, "room", new)
