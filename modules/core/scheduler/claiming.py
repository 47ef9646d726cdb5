"""Claiming: the first in line that may start now become this node's; who may not is taken out of the line."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from framework.database import try_locks
from modules.core.scheduler import containing
from modules.core.scheduler.execution import Reason
from modules.core.scheduler.placing import keys_of
from modules.core.scheduler.store import executions, line, nodes
from modules.core.scheduler.task import Status, policies_of

BATCH = 256  # rows of one look at the line
LOOKS = 4  # at a line whose first rows may not start


@dataclass(frozen=True, slots=True)
class Room:
    """How much a node can take on: `free` in all; in each queue that it serves, or in any where that is None.

    Queues are lines beside each other: a node begins with another one each time, at the place `first`.
    """

    free: int
    queues: Mapping[str, int] | None = None
    first: int = 0


@dataclass(frozen=True, slots=True)
class Claims:
    """Who claims, and what: `crashes_below` leaves out what may be deadly while one such runs already."""

    node_id: str
    session_id: str
    functions: Collection[str]
    last_chance: int | None
    takes_risk: bool
    everywhere: int | None
    careful: bool


@dataclass(slots=True)
class _Sorted:
    """What one look at the line has come to."""

    claimed: list[Row[Any]] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)
    held: dict[Reason, list[str]] = field(default_factory=dict)
    put_off: list[tuple[str, datetime]] = field(default_factory=list)
    passed_over: bool = False


def claim(c: Connection, claims: Claims, room: Room, now: datetime) -> tuple[list[Row[Any]], bool]:
    """Take due executions for this node; what one node takes, no other node gets. Also: were any passed over?"""
    paused = nodes.paused(c)
    if "*" in paused or room.free <= 0:
        return [], False
    free = _free_everywhere(c, claims, room.free)
    claimed: list[Row[Any]] = []
    passed_over = free < room.free
    for queue, share in _shares(c, room, paused):
        taken, over = _from_queue(c, claims, queue, min(share, free - len(claimed)), paused, now)
        claimed += taken
        passed_over |= over
        if len(claimed) >= free:
            break
    return claimed, passed_over


def _shares(c: Connection, room: Room, paused: Collection[str]) -> list[tuple[str, int]]:
    """Return the queues to look into, and how much of each may be taken."""
    known = dict.fromkeys(line.queues(c), room.free) if room.queues is None else room.queues
    shares = [(queue, share) for queue, share in known.items() if share > 0 and f"queue:{queue}" not in paused]
    first = room.first % len(shares) if shares else 0
    return shares[first:] + shares[:first]


def _free_everywhere(c: Connection, claims: Claims, free: int) -> int:
    """Apply the limit over all nodes, counted from the rows that run."""
    if claims.everywhere is None:
        return free
    if not try_locks(c, ["everywhere"]):
        return 0
    return max(min(free, claims.everywhere - executions.count_running(c)), 0)


def _from_queue(
    c: Connection, claims: Claims, queue: str, free: int, paused: Collection[str], now: datetime
) -> tuple[list[Row[Any]], bool]:
    claimed: list[Row[Any]] = []
    crashes_below = claims.last_chance if claims.takes_risk else None
    passed_over = False
    for _ in range(LOOKS):
        wanted = min(free - len(claimed), BATCH)
        if wanted <= 0:
            break
        rows = _sound(
            c, line.candidates(c, queue, claims.functions, crashes_below, wanted), now, careful=claims.careful
        )
        result = _sort(c, rows, claims, paused, now)
        _write(c, result, claims, now)
        claimed += result.claimed
        passed_over |= result.passed_over
        if len(rows) < wanted or len(result.claimed) == len(rows):
            break
    return claimed, passed_over


def _sort(c: Connection, rows: Sequence[Row[Any]], claims: Claims, paused: Collection[str], now: datetime) -> _Sorted:
    """Say of each row whether it may start: not while its task, its module, its limit or its rate holds it."""
    done = _Sorted()
    limits = _Limits(c, [row for row in rows if row.limit_key is not None], now)
    risky = claims.takes_risk
    for row in rows:
        is_risky = claims.last_chance is not None and row.crashes >= claims.last_chance
        reason = _held_by(row, paused)
        if reason is not None:
            done.held.setdefault(reason, []).append(row.id)
        elif (is_risky and risky) or not limits.may_look_at(row):
            done.passed_over = True
        elif (until := limits.next_start(row)) is not None:
            done.put_off.append((row.id, until))
        elif not limits.take_key(row, done.keys):
            done.held.setdefault(Reason.LIMIT, []).append(row.id)
        else:
            risky |= is_risky
            limits.started(row)
            done.claimed.append(row)
    return done


def _held_by(row: Row[Any], paused: Collection[str]) -> Reason | None:
    if row.task_status == Status.PAUSED and row.origin != "manual":
        return Reason.TASK_PAUSED
    return Reason.PAUSED if row.module_id in paused else None


def _write(c: Connection, done: _Sorted, claims: Claims, now: datetime) -> None:
    plain = [row.id for row in done.claimed if row.id not in done.keys]
    if plain:
        line.start(c, plain, claims.node_id, claims.session_id, now)
    if done.keys:
        line.start_with_keys(c, done.keys, claims.node_id, claims.session_id, now)
    for reason, ids in done.held.items():
        line.hold(c, ids, reason)
    for execution_id, until in done.put_off:
        line.put_off(c, [execution_id], until, Reason.RATE_LIMIT)


class _Limits:
    """What the limits of some rows leave room for, counted from the rows that hold their keys or have started."""

    def __init__(self, c: Connection, rows: Sequence[Row[Any]], now: datetime) -> None:
        self._c = c
        self._now = now
        self._locked = try_locks(c, {row.limit_key for row in rows}) if rows else set()
        self._held = line.running_keys(c, self._locked) if any(row.slots is not None for row in rows) else set()
        self._starts: dict[str, list[datetime]] = {}

    def may_look_at(self, row: Row[Any]) -> bool:
        """Whether no other node is deciding about the row's limit at this moment."""
        return row.limit_key is None or row.limit_key in self._locked

    def take_key(self, row: Row[Any], keys: dict[str, str]) -> bool:
        """Take a free open key of the row's limit, if it needs one; False where none is free."""
        if row.slots is None:
            return True
        key = next((key for key in keys_of(row.limit_key, row.slots) if key not in self._held), None)
        if key is not None:
            self._held.add(key)
            keys[row.id] = key
        return key is not None

    def next_start(self, row: Row[Any]) -> datetime | None:
        """Return when the row's rate lets it start; None when it does now."""
        rate = None if row.limit_key is None else _rate_of(row)
        if rate is None:
            return None
        count, seconds = rate
        since = self._now - timedelta(seconds=seconds)
        if row.limit_key not in self._starts:
            self._starts[row.limit_key] = list(line.started_since(self._c, row.limit_key, since, count))
        starts = self._starts[row.limit_key]
        return None if len(starts) < count else starts[count - 1] + timedelta(seconds=seconds)

    def started(self, row: Row[Any]) -> None:
        """This row starts now."""
        if row.limit_key in self._starts:
            self._starts[row.limit_key].insert(0, self._now)


def _rate_of(row: Row[Any]) -> tuple[int, float] | None:
    try:
        return policies_of(row.policies).rate_limit
    except ValueError:  # damaged since it fired; the next firing sets the task aside
        return None


def _sound(c: Connection, rows: Sequence[Row[Any]], now: datetime, *, careful: bool) -> list[Row[Any]]:
    """Leave out, and close, rows whose numbers are none; looked for only after a turn has failed."""
    if not careful:
        return list(rows)
    sound: list[Row[Any]] = []

    def check(row: Row[Any]) -> None:
        row.attempt + row.crashes + row.retries_used + (row.slots or 0)  # raises where one is no number
        sound.append(row)

    containing.each(
        c,
        rows,
        check,
        careful=True,
        set_aside=lambda row, error: executions.close_damaged(c, row.id, now, str(error)),
    )
    return sound
