"""Carries a choice of rows out, batch by batch, until all are gone or a budget ends the run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, delete, select, true, tuple_

from framework.database import for_update, row_address
from modules.core.scheduler.cleanup.choosing import Choice, walked_by
from modules.core.scheduler.cleanup.cursor import from_cursor, to_cursor
from modules.core.scheduler.cleanup.pace import Pace
from modules.core.scheduler.cleanup.references import Dependents
from modules.core.scheduler.cleanup.report import Tally
from modules.core.scheduler.cleanup.table_rows import Key
from modules.core.scheduler.cleanup.target import Target, limits

EXAMINED_PER_READ = 20_000
EXAMINED_WITH_GROUPS = 100_000  # each read numbers the rows of all groups
_MOST_PARAMETERS = 30_000  # both databases take 32,766 in one statement

Act = Callable[[Connection, Target, Sequence[Key]], int]
"""What is done with a batch of rows, by their keys, within its transaction; returns with how many it was done."""

Done = tuple[int, dict[str, int]]


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
        most: int | None,
    ) -> None:
        self._choice = choice
        self._target = choice.target
        self._pace = pace
        self._tally = tally
        self._should_stop = should_stop
        self._act = act
        self._most = most
        self._is_partial = False
        pace.bound(_MOST_PARAMETERS - _parameters(choice.target), each=2 * max(1, len(choice.target.key)))

    async def carry_out(self, cursor: str | None) -> None:
        """Delete what was chosen, from the place on where the last run stopped, if it was stopped."""
        try:
            await (self._by_key(cursor) if self._target.key else self._by_address())
        finally:
            self._choice.tell(self._tally)
            if self._is_partial and self._choice.counts:
                self._tally.keep("budget", max(0, self._choice.counts.get(None, 0) - self._tally.matched))

    async def _by_key(self, cursor: str | None) -> None:
        rows, table = self._target.rows, self._target.table
        names = walked_by(self._target)
        place = from_cursor(cursor, names, [rows.raw(table, name) for name in names])
        self._is_partial = place is not None
        while room := self._room(EXAMINED_WITH_GROUPS):
            keys, end = await self._pace.read(partial(_candidates, self._target, names, place, room))
            if not await self._delete(keys, names) or (not keys and self._is_over()):
                return
            if len(keys) == room:
                place = keys[-1]
            elif end is None:
                self._tally.cursor = None
                return
            else:
                place = end
                self._tally.cursor = to_cursor(names, end)

    async def _delete(self, candidates: Sequence[Key], names: Sequence[str]) -> bool:
        """Delete candidates, given in the order in which they are walked; False where the run ended before."""
        done = 0
        width = len(self._target.key)
        while done < len(candidates):
            if self._is_over():
                return False
            some = candidates[done : done + self._pace.size]
            keys = [each[-width:] for each in some]
            result = await self._pace.write(partial(self._batch, keys))
            if result is None:
                continue
            done += len(some)
            self._tally.cursor = to_cursor(names, some[-1])
            self._record(len(some), *result)
        return True

    def _batch(self, keys: Sequence[Key], connection: Connection) -> Done:
        dependents = self._choice.dependents
        if self._act is delete_rows and not dependents.going:
            return self._act(connection, self._target, keys), {}
        return _locked_batch(connection, self._target, dependents, keys, self._act)

    async def _by_address(self) -> None:
        while (room := self._room(self._pace.size)) and not self._is_over():
            deleted = await self._pace.write(partial(_delete_addressed, self._target, room))
            if deleted:
                self._record(deleted, deleted, {})
            if deleted is not None and deleted < room:
                return

    def _record(self, matched: int, deleted: int, cascades: dict[str, int]) -> None:
        self._tally.matched += matched
        self._tally.deleted += deleted
        self._tally.batches += 1
        self._tally.cascades.update(cascades)
        self._tally.skip("changed", matched - deleted)

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
            self._end(f"stopped after {self._target.policy.max_seconds:g} seconds; the next run goes on")
        else:
            return False
        return True

    def _end(self, note: str) -> None:
        self._is_partial = True
        self._tally.note = note


def _locked_batch(
    connection: Connection, target: Target, dependents: Dependents, keys: Sequence[Key], act: Act
) -> Done:
    columns = [target.rows.raw(target.table, name) for name in target.key]
    still = for_update(select(*columns).where(target.again(keys)), of=target.table)
    chosen = [tuple(row) for row in connection.execute(still)]
    if not chosen:
        return 0, {}
    undone = connection.begin_nested()
    cascades = dependents.delete(connection, target.rows.among(target.table, chosen))
    done = act(connection, target, chosen)
    if cascades and done < len(chosen):  # else rows would stay whose children are gone
        undone.rollback()
        return 0, {}
    undone.commit()
    return done, cascades


def _candidates(
    target: Target, names: Sequence[str], place: Key | None, room: int, connection: Connection
) -> tuple[list[Key], Key | None]:
    """Return condemned rows of the next stretch, in order, and where it ends; None at the end of the table.

    A stretch bounds what is looked at: rows that stay would else be read over and over.
    """
    policy, rows, table = target.policy, target.rows, target.table
    columns = [rows.raw(table, name) for name in names]
    order: Any = columns[0] if len(columns) == 1 else tuple_(*columns)
    after = true() if place is None else order > _comparable(place)
    by_date = names[0] == rows.date_column and rows.is_indexed
    within = limits(policy, rows, target.now) if by_date else true()
    groups = policy.keep_newest is not None and policy.keep_newest.per
    examined = EXAMINED_WITH_GROUPS if groups else EXAMINED_PER_READ
    stretch = select(*columns).where(within, after).order_by(*columns).offset(examined - 1).limit(1)
    end = connection.execute(stretch).first()
    upto = true() if end is None else order <= _comparable(tuple(end))
    found = select(*columns).where(target.condemned, after, upto).order_by(*columns).limit(room)
    return _fetch(found, connection), None if end is None else tuple(end)


def _fetch(statement: Select[Any], connection: Connection) -> list[Key]:
    return [tuple(row) for row in connection.execute(statement)]


def _comparable(place: Key) -> Any:
    return place[0] if len(place) == 1 else place


def _parameters(target: Target) -> int:
    keepers = len(target.tier_keepers)
    return keepers * (2 * len(target.key) + 1) + 100


def _delete_addressed(target: Target, limit: int, connection: Connection) -> int:
    address: ColumnElement[Any] = row_address(connection.dialect)
    some = select(address).select_from(target.table).where(target.condemned).limit(limit).correlate(None)
    return connection.execute(delete(target.table).where(address.in_(some), target.condemned)).rowcount
