"""Claiming: the first in line that may start now become this node's; who may not is taken out of the line."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from framework.database import try_locks
from modules.core.scheduler import containing, settling
from modules.core.scheduler.claims import Claimed, Claims, Room
from modules.core.scheduler.execution import Reason
from modules.core.scheduler.expiring import without_ended
from modules.core.scheduler.placing import keys_of
from modules.core.scheduler.policies import policies_of
from modules.core.scheduler.store import candidates as store
from modules.core.scheduler.store import executions, line
from modules.core.scheduler.task import Status

BATCH = 256  # rows of a further look
LOOKS = 4  # at a line whose first rows may not start
EVERYWHERE, QUEUE = "everywhere", "queue"


@dataclass(slots=True)
class _Sorted:
    """What one look at the line has come to."""

    claimed: list[Row[Any]] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)
    held: dict[Reason, list[str]] = field(default_factory=dict)
    full: set[str] = field(default_factory=set)  # limits
    put_off: list[tuple[str, datetime]] = field(default_factory=list)  # ids, and until when


def claim(c: Connection, claims: Claims, room: Room, paused: Collection[str], now: datetime) -> Claimed:
    """Take due executions for this node; what one node takes, no other node gets. `paused` are the scopes held back."""
    done = Claimed(takes_risk=claims.takes_risk)
    if room.free <= 0 or "*" in paused:
        return done
    free = _free_everywhere(c, claims, room.free)
    done.locked = free < 0
    in_line = claims.heads.look(c)
    done.left = _left(c, claims.at_once, in_line, done)
    for queue, share in _shares(in_line, room, paused):
        wanted = min(share, done.left.get(queue, share), free - len(done.rows))
        _from_queue(c, claims, room, queue, in_line[queue], wanted, paused, now, done)
    done.rests = claims.heads.rests()
    done.is_full_everywhere = 0 <= free <= len(done.rows) and free < room.free
    return done


def _shares(in_line: Collection[str], room: Room, paused: Collection[str]) -> list[tuple[str, int]]:
    """Return the queues to look into, of those in which anybody is in line, and how much of each may be taken."""
    known = dict.fromkeys(in_line, room.free) if room.queues is None else room.queues
    open_ones = [queue for queue in known if queue in in_line and f"queue:{queue}" not in paused]
    shares = [(queue, known[queue]) for queue in open_ones if known[queue] > 0]
    first = room.first % len(shares) if shares else 0
    return shares[first:] + shares[:first]


def _free_everywhere(c: Connection, claims: Claims, free: int) -> int:
    """Apply the limit over all nodes, counted from the rows that run; below nothing where another node counts."""
    if claims.everywhere is None:
        return free
    return min(free, claims.everywhere - executions.count_running(c)) if try_locks(c, [EVERYWHERE]) else -1


def _left(c: Connection, at_once: Mapping[str, int], in_line: Collection[str], done: Claimed) -> dict[str, int]:
    """Return how many more may run of each queue in line that has a limit, counted as in `_free_everywhere`."""
    limited = [queue for queue in in_line if queue in at_once]
    if not limited:
        return {}
    locked = try_locks(c, [f"{QUEUE}:{queue}" for queue in limited])
    running = line.running_by_queue(c)
    mine = [queue for queue in limited if f"{QUEUE}:{queue}" in locked]
    done.locked |= len(mine) < len(limited)
    return dict.fromkeys(limited, 0) | {queue: max(at_once[queue] - running.get(queue, 0), 0) for queue in mine}


def _from_queue(
    c: Connection,
    claims: Claims,
    room: Room,
    queue: str,
    waiting: set[str],
    free: int,
    paused: Collection[str],
    now: datetime,
    done: Claimed,
) -> None:
    """Claim up to `free` of a queue; after a look that found rows that may not start, look at more of them."""
    before, waited = len(done.rows), room.full_of(queue, now)
    for look in range(LOOKS):
        wanted = free - (len(done.rows) - before)
        if wanted <= 0:
            return
        most = min(wanted, room.batch) if look == 0 else BATCH
        rows = _sound(c, _first(c, claims, queue, waiting, most, done), now, careful=claims.careful)
        result = _sort(c, without_ended(c, rows, now, done), claims, paused, now, wanted, done)
        _write(c, result, {"node_id": claims.node_id, "session_id": claims.session_id, "now": now, **waited})
        done.rows += result.claimed
        if len(rows) < most or (look == 0 and len(result.claimed) == most):
            done.more |= len(result.claimed) == room.batch
            return
    done.more = True


def _first(
    c: Connection, claims: Claims, queue: str, waiting: set[str], most: int, done: Claimed
) -> Sequence[Row[Any]]:
    """Return the first in line that this node can run; `waiting` are the functions of all that are in line.

    Where it can run all, they stand at the head of the line. Else each function has a line of its own, and their heads
    are put together, so that it does not matter how many stand there for other nodes.
    """
    below = claims.last_chance if done.takes_risk else None
    mine, rank = waiting.intersection(claims.functions), claims.heads.rank(queue)
    if mine == waiting:
        rows = store.candidates(c, queue, mine, below, most, rank)
    else:
        seen = store.first_of(c, queue, mine, below, most + BATCH, rank)
        rows = store.candidates_among(c, seen, most)
        done.locked |= len(rows) < most and len(seen) == most + BATCH  # others have locked them; more may be behind
    claims.heads.saw(queue, rows)
    return rows


def _sort(
    c: Connection,
    rows: Sequence[Row[Any]],
    claims: Claims,
    paused: Collection[str],
    now: datetime,
    wanted: int,
    done: Claimed,
) -> _Sorted:
    """Say of each row whether it may start: not while its task, its module, its limit or its rate holds it."""
    result = _Sorted()
    limits = _Limits(c, [row for row in rows if row.limit_key is not None], now)
    for row in rows:
        is_risky = claims.last_chance is not None and row.crashes >= claims.last_chance
        reason = _held_by(row, paused)
        if reason is not None:
            result.held.setdefault(reason, []).append(row.id)
        elif is_risky and done.takes_risk:
            continue
        elif not limits.may_look_at(row):
            done.locked = True
        elif (until := limits.next_start(row)) is not None:
            result.put_off.append((row.id, until))
        elif not limits.has_key(row):
            result.held.setdefault(Reason.LIMIT, []).append(row.id)
            result.full.add(row.limit_key)
        elif len(result.claimed) < wanted:
            done.takes_risk |= is_risky
            limits.start(row, result.keys)
            result.claimed.append(row)
    return result


def _held_by(row: Row[Any], paused: Collection[str]) -> Reason | None:
    if row.task_status == Status.PAUSED and row.origin != "manual":
        return Reason.TASK_PAUSED
    return Reason.PAUSED if row.module_id in paused else None


def _write(c: Connection, done: _Sorted, of: Mapping[str, Any]) -> None:
    plain = [row.id for row in done.claimed if row.id not in done.keys]
    if plain:
        line.start(c, plain, **of)
    if done.keys:
        line.start_with_keys(c, done.keys, **of)
    for reason, ids in done.held.items():
        line.hold(c, ids, reason)
    if done.full:
        line.make_known(c, done.full)
    if done.put_off:
        line.put_off(c, done.put_off, Reason.RATE_LIMIT)


class _Limits:
    """What the limits of some rows leave room for, counted from the rows that hold their keys or have started."""

    def __init__(self, c: Connection, rows: Sequence[Row[Any]], now: datetime) -> None:
        self._c, self._now = c, now
        self._locked = try_locks(c, {row.limit_key for row in rows}) if rows else set()
        self._held = line.running_keys(c, self._locked) if any(row.slots is not None for row in rows) else set()
        self._starts: dict[str, list[datetime]] = {}

    def may_look_at(self, row: Row[Any]) -> bool:
        """Whether no other node is deciding about the row's limit at this moment."""
        return row.limit_key is None or row.limit_key in self._locked

    def has_key(self, row: Row[Any]) -> bool:
        """Whether an open key of the row's limit is free, if it needs one."""
        return row.slots is None or self._free_key(row) is not None

    def _free_key(self, row: Row[Any]) -> str | None:
        return next((key for key in keys_of(row.limit_key, row.slots) if key not in self._held), None)

    def next_start(self, row: Row[Any]) -> datetime | None:
        """Return when the row's rate lets it start, behind those before it that wait for the same; None: now."""
        rate = None if row.limit_key is None else _rate_of(row)
        if rate is None:
            return None
        count, seconds = rate
        since = self._now - timedelta(seconds=seconds)
        if row.limit_key not in self._starts:
            self._starts[row.limit_key] = list(line.started_since(self._c, row.limit_key, since, count))
        starts = self._starts[row.limit_key]
        if len(starts) < count:
            return None
        until = starts[count - 1] + timedelta(seconds=seconds)
        starts.insert(0, until)  # else all that wait would come back at once, again and again
        return until

    def start(self, row: Row[Any], keys: dict[str, str]) -> None:
        """Let this row start now: what it takes, the next ones do not get."""
        if row.slots is not None and (key := self._free_key(row)) is not None:
            self._held.add(key)
            keys[row.id] = key
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
        c, rows, check, careful=True, set_aside=lambda row, error: settling.close_damaged(c, row.id, now, str(error))
    )
    return sound
