"""Carries a choice of rows out, batch by batch, until all are gone or a budget ends the run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, literal, select

from framework.database import row_address
from framework.duration import in_words
from modules.core.scheduler.cleanup.batches import Act, Done, locked_batch
from modules.core.scheduler.cleanup.candidates import EXAMINED_WITH_GROUPS, candidates
from modules.core.scheduler.cleanup.choosing import Choice, walked_by
from modules.core.scheduler.cleanup.cursor import from_cursor, to_cursor
from modules.core.scheduler.cleanup.glimpse import Seen
from modules.core.scheduler.cleanup.guards import NO_CEILING, Ceiling
from modules.core.scheduler.cleanup.pace import Pace
from modules.core.scheduler.cleanup.report import Tally
from modules.core.scheduler.cleanup.sweeping import Sweep, Swept, can_be_swept
from modules.core.scheduler.cleanup.table_rows import Key
from modules.core.scheduler.cleanup.target import Target

_MOST_PARAMETERS = 30_000  # both databases take 32,766 in one statement


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much a run takes, and how much it may."""

    most: int | None = None
    """Rows after which it ends, and the next one goes on."""
    ceiling: Ceiling = NO_CEILING
    """What a guard allows; a run that comes to it while there is more has failed."""


def delete_rows(connection: Connection, target: Target, keys: Sequence[Key]) -> int:
    """Delete those of the rows that still go; return how many they were."""
    return connection.execute(delete(target.table).where(target.again(keys))).rowcount


class Deletion:
    """One run that deletes; its numbers go into the tally."""

    def __init__(
        self,
        choice: Choice,
        pace: Pace,
        tally: Tally,
        should_stop: Callable[[], bool],
        *,
        act: Act,
        bounds: Bounds,
    ) -> None:
        self._choice = choice
        self._target = choice.target
        self._pace = pace
        self._tally = tally
        self._should_stop = should_stop
        self._act = act
        self._most = bounds.most
        self._ceiling = bounds.ceiling
        self._is_partial = False
        self._seen = Seen(choice.target)
        pace.bound(_MOST_PARAMETERS - _parameters(choice.target), each=2 * max(1, len(choice.target.key)))

    async def carry_out(self, cursor: str | None) -> None:
        """Delete what was chosen, from the place on where the last run stopped, if it was stopped."""
        try:
            if not self._target.key:
                await self._by_address()
            elif self._act is delete_rows and can_be_swept(self._target, self._choice.dependents):
                await self._by_age(cursor)
            else:
                await self._by_key(cursor)
        finally:
            self._choice.tell(self._tally)
            self._seen.tell(self._tally)
            if self._is_partial and self._choice.counts:
                self._tally.keep("budget", max(0, self._choice.counts.get(None, 0) - self._tally.matched))

    async def _by_key(self, cursor: str | None) -> None:
        names, place = self._begin(cursor)
        while room := self._room(EXAMINED_WITH_GROUPS):
            keys, end = await self._pace.read(partial(candidates, self._target, names, place, room))
            if not await self._delete(keys, names) or (not keys and self._is_over()):
                return
            if len(keys) == room:
                place = keys[-1][: len(names)]
            elif end is None:
                self._tally.cursor = None
                return
            else:
                place = end
                self._tally.cursor = to_cursor(names, end)

    def _begin(self, cursor: str | None) -> tuple[tuple[str, ...], Key | None]:
        """Return by what rows are walked, and the place where the last run stopped, if it was stopped."""
        rows, table = self._target.rows, self._target.table
        names = walked_by(self._target)
        place = from_cursor(cursor, names, [rows.raw(table, name) for name in names])
        self._is_partial = place is not None
        return names, place

    async def _delete(self, found: Sequence[Key], names: Sequence[str]) -> bool:
        """Delete candidates, given in the order in which they are walked; False where the run ended before."""
        done = 0
        width = len(self._target.key)
        while done < len(found):
            if self._is_over():
                return False
            self._check(1, 0)
            room = self._ceiling.room(self._tally.deleted, self._tally.cascades.total())
            some = found[done : done + min(self._pace.size, self._pace.size if room is None else room)]
            keys = [each[len(names) - width : len(names)] for each in some]
            dates = [each[0 if names[0] == self._target.rows.date_column else -1] for each in some]
            result = await self._pace.write(partial(self._batch, keys))
            if result is None:
                continue
            done += len(some)
            self._tally.cursor = to_cursor(names, some[-1][: len(names)])
            self._seen.add(dates, keys)
            self._record(len(some), result)
        return True

    async def _by_age(self, cursor: str | None) -> None:
        """Delete without a look beforehand: each statement takes the oldest rows that there are beyond a place."""
        sweep = Sweep(self._target, cursor)
        self._is_partial = sweep.goes_on
        is_done = False
        try:
            is_done = await self._sweep(sweep)
        finally:
            self._tally.cursor = None if is_done else sweep.cursor

    async def _sweep(self, sweep: Sweep) -> bool:
        """Return whether all are gone."""
        while (room := self._room(self._pace.size)) and not self._is_over():
            if not sweep.is_bounded:
                await self._pace.read(sweep.bound)
            size = await self._may_go(room)
            gone = await self._pace.write(partial(sweep, size)) if size else Swept(0)
            if gone is None:
                continue
            is_more = size > 0 and sweep.go_on_behind(gone)
            if gone.count:
                self._seen.add([*(each[0] for each in gone.first), gone.newest], [each[1:] for each in gone.first])
                self._record(gone.count, Done(gone.count, {}))
            if not is_more or self._is_all_done():
                return True
        return self._is_all_done()

    def _batch(self, keys: Sequence[Key], connection: Connection) -> Done:
        dependents = self._choice.dependents
        if self._act is delete_rows and not dependents.going and self._target.policy.size_column is None:
            return Done(self._act(connection, self._target, keys), {})
        return locked_batch(connection, self._target, dependents, keys, self._act, self._check)

    async def _by_address(self) -> None:
        while (room := self._room(self._pace.size)) and not self._is_over():
            size = await self._may_go(room)
            deleted = await self._pace.write(partial(_delete_addressed, self._target, size)) if size else 0
            if deleted:
                self._record(deleted, Done(deleted, {}))
            if (deleted is not None and deleted < size) or not size:
                return

    def _check(self, own: int, along: int, size: int = 0) -> None:
        """Raise `GuardExceededError` where so many more, so many rows of other tables, or so many bytes may not go."""
        tally = self._tally
        self._ceiling.check(tally.deleted + own, tally.cascades.total() + along, tally.bytes + size)

    async def _may_go(self, size: int) -> int:
        """Return how many of the next rows may go: 0 where none is left; raises where a guard lets none go."""
        room = self._ceiling.room(self._tally.deleted, self._tally.cascades.total())
        if room == 0 and await self._pace.read(partial(_is_any_left, self._target)):
            self._check(1, 0)
        return size if room is None else min(size, room)

    def _record(self, matched: int, done: Done) -> None:
        self._tally.matched += matched
        self._tally.deleted += done.rows
        self._tally.bytes += done.bytes
        self._tally.batches += 1
        self._tally.cascades.update(done.cascades)
        self._tally.skip("changed", matched - done.rows)

    def _room(self, most: int) -> int:
        room = most if self._most is None else min(most, self._most - self._tally.matched)
        if room == 0 and self._is_all_done():
            self._tally.cursor = None
        elif room == 0:
            self._end(f"stopped after {self._most} rows; the next run goes on")
        return room

    def _is_all_done(self) -> bool:
        """Whether a run that began at the beginning has come to everything that was counted."""
        counts = self._choice.counts
        return bool(counts) and not self._is_partial and self._tally.matched >= counts.get(None, 0)

    def _is_over(self) -> bool:
        if self._should_stop():
            self._end("stopped on request; the next run goes on")
        elif self._pace.is_out_of_time:
            lasted = in_words(self._target.policy.max_seconds or timedelta(0))
            self._end(f"stopped after {lasted}; the next run goes on")
        else:
            return False
        return True

    def _end(self, note: str) -> None:
        self._is_partial = True
        self._tally.note = note


def _parameters(target: Target) -> int:
    keepers = len(target.tier_keepers)
    return keepers * (2 * len(target.key) + 1) + 100


def _delete_addressed(target: Target, limit: int, connection: Connection) -> int:
    address: ColumnElement[Any] = row_address(connection.dialect)
    some = select(address).select_from(target.table).where(target.condemned).limit(limit).correlate(None)
    return connection.execute(delete(target.table).where(address.in_(some), target.condemned)).rowcount


def _is_any_left(target: Target, connection: Connection) -> bool:
    return (
        connection.execute(select(literal(1)).select_from(target.table).where(target.condemned).limit(1)).first()
        is not None
    )
