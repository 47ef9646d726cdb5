"""Deletes the rows that a policy no longer allows, in short transactions that check each row again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, delete, func, select, tuple_
from sqlalchemy.exc import SQLAlchemyError

from framework.database import Database, row_address
from modules.core.scheduler.cleanup.report import Report, Tally
from modules.core.scheduler.cleanup.rows_policy import RowsPolicy
from modules.core.scheduler.cleanup.schema import Target, check_rows_policy, read_target

_KEYS_PER_READ = 10_000
_MOST_PARAMETERS = 30_000  # both databases take 32,766 in one statement

Key = tuple[Any, ...]


async def clean_rows(
    policy: RowsPolicy,
    *,
    database: Database,
    now: datetime,
    dry_run: bool,
    forbidden_tables: Collection[str] = (),
    owned_tables: Collection[str] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    max_deletions: int | None = None,
) -> Report:
    """Delete, or in a dry run count, the rows that are older than the policy allows, `now` being the moment.

    The live schema is checked first. Candidates are read outside of any write transaction; each batch of at most
    `policy.batch_size` rows is one transaction that looks at those rows alone and checks the condition again. What the
    schema or the database refuses is an error of the report, and ends the run: batches before it stay done, its own is
    undone.
    """
    run = _Run(policy, database, dry_run, should_stop, max_deletions)
    try:
        await run.clean(now, forbidden_tables, owned_tables)
    except _RefusedError as refusal:
        for sentence in refusal.sentences:
            run.tally.fail(sentence)
    except SQLAlchemyError as error:
        run.tally.fail(f"the database refused: {_cause(error)}")
    return run.tally.report(policy.kind, started_at=now, dry_run=dry_run)


class _RefusedError(Exception):
    """The policy does not fit the database; nothing was deleted."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__("; ".join(sentences))
        self.sentences = sentences


class _Run:
    def __init__(
        self,
        policy: RowsPolicy,
        database: Database,
        dry_run: bool,
        should_stop: Callable[[], bool],
        max_deletions: int | None,
    ) -> None:
        self.tally = Tally()
        self._policy = policy
        self._database = database
        self._dry_run = dry_run
        self._should_stop = should_stop
        self._max_deletions = max_deletions

    async def clean(self, now: datetime, forbidden: Collection[str], owned: Collection[str] | None) -> None:
        target = await self._database.read(lambda connection: self._prepare(connection, now, forbidden, owned))
        if self._dry_run:
            await self._count(target)
        elif target.key:
            await self._delete_by_key(target)
        else:
            await self._delete_by_address(target)

    def _prepare(
        self, connection: Connection, now: datetime, forbidden: Collection[str], owned: Collection[str] | None
    ) -> Target:
        problems = check_rows_policy(connection, self._policy, forbidden, owned)
        if problems:
            raise _RefusedError([f"{problem['field']}: {problem['message']}" for problem in problems])
        target = read_target(connection, self._policy, now)
        blocking = [sentence for sentence, blocked in target.blockers.items() if connection.scalar(select(blocked))]
        if blocking:
            raise _RefusedError(blocking)
        return target

    async def _count(self, target: Target) -> None:
        statement = select(func.count()).select_from(target.table).where(target.condemned)
        found = await self._database.read(lambda connection: connection.scalar(statement)) or 0
        self.tally.examined = found
        self.tally.matched = found if self._max_deletions is None else min(found, self._max_deletions)

    async def _delete_by_key(self, target: Target) -> None:
        last: Key | None = None
        size = min(self._policy.batch_size, _MOST_PARAMETERS // len(target.key))
        while wanted := self._room(_KEYS_PER_READ):
            keys = await self._database.read(partial(_fetch, _candidates(target, last, wanted)))
            for start in range(0, len(keys), size):
                if self._is_over():
                    return
                await self._delete_batch(target, keys[start : start + size])
            if len(keys) < wanted:
                return
            last = keys[-1]

    async def _delete_batch(self, target: Target, keys: Sequence[Key]) -> None:
        statement = delete(target.table).where(_key(target).in_(_values(keys)), target.condemned)
        deleted = await self._database.write(lambda connection: connection.execute(statement).rowcount)
        self._record(len(keys), deleted)

    async def _delete_by_address(self, target: Target) -> None:
        while (size := self._room(self._policy.batch_size)) and not self._is_over():
            deleted = await self._database.write(partial(_delete_addressed, target, size))
            if deleted:
                self._record(deleted, deleted)
            if deleted < size:
                return

    def _record(self, matched: int, deleted: int) -> None:
        self.tally.examined += matched
        self.tally.matched += matched
        self.tally.deleted += deleted
        self.tally.batches += 1
        self.tally.skip("changed", matched - deleted)

    def _room(self, most: int) -> int:
        if self._max_deletions is None:
            return most
        room = min(most, self._max_deletions - self.tally.matched)
        if room == 0:
            self.tally.note = f"stopped after {self._max_deletions} rows; the next run goes on"
        return room

    def _is_over(self) -> bool:
        if self._should_stop():
            self.tally.note = "stopped on request; the next run goes on"
            return True
        return False


def _key(target: Target) -> ColumnElement[Any]:
    columns = [target.table.c[name] for name in target.key]
    return columns[0] if len(columns) == 1 else tuple_(*columns)


def _values(keys: Sequence[Key]) -> list[Any]:
    return [key[0] if len(key) == 1 else key for key in keys]


def _candidates(target: Target, last: Key | None, limit: int) -> Select[Any]:
    columns = [target.table.c[name] for name in target.key]
    statement = select(*columns).where(target.condemned).order_by(*columns).limit(limit)
    return statement if last is None else statement.where(_key(target) > _values([last])[0])


def _fetch(statement: Select[Any], connection: Connection) -> list[Key]:
    return [tuple(row) for row in connection.execute(statement)]


def _delete_addressed(target: Target, limit: int, connection: Connection) -> int:
    address = row_address(connection.dialect)
    some = select(address).select_from(target.table).where(target.condemned).limit(limit).correlate(None)
    return connection.execute(delete(target.table).where(address.in_(some), target.condemned)).rowcount


def _cause(error: SQLAlchemyError) -> str:
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().split("\n", 1)[0]
