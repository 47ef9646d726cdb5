"""Cleans the rows of a table: what a policy does not allow goes, in short transactions that check each row again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from framework.clock import Clock, SystemClock
from framework.database import Database
from modules.core.scheduler.cleanup.actions import Action, ActionError, Means
from modules.core.scheduler.cleanup.choosing import Choice, RefusedError, choose, walked_by
from modules.core.scheduler.cleanup.deleting import Bounds, Deletion, delete_rows
from modules.core.scheduler.cleanup.doing import action_of
from modules.core.scheduler.cleanup.fingerprint import Fingerprint, wanted
from modules.core.scheduler.cleanup.guards import GUARD_EXCEEDED, NO_CEILING, Ceiling, GuardExceededError
from modules.core.scheduler.cleanup.pace import Pace
from modules.core.scheduler.cleanup.partitions import drop_partitions
from modules.core.scheduler.cleanup.report import Report, Tally
from modules.core.scheduler.cleanup.rows_action import TRASH, WHOLE_PARTITIONS
from modules.core.scheduler.cleanup.rows_policy import RowsPolicy
from modules.core.scheduler.cleanup.schema import check_rows_policy
from modules.core.scheduler.cleanup.shrinking import shrink
from modules.core.scheduler.cleanup.trashing import emptying, filling

KEYS_AT_ONCE = 10_000


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
    ceiling: Ceiling = NO_CEILING,
    clock: Clock | None = None,
    means: Means | None = None,
    cursor: str | None = None,
) -> Report:
    """Do with the rows that the policy does not allow what its action says, or in a dry run count them.

    `now` is the moment at which rows are judged. The live schema is checked first. Candidates are read outside of any
    write transaction; each batch is one transaction that looks at those rows alone and checks every rule again. What
    the schema, the database or the disk refuses is an error of the report, and ends the run: batches before it stay
    done, its own is undone. A run that a budget ends says in the report's `cursor` where the next one goes on; at most
    `max_deletions` rows go, and never more than `max_rows_per_run`. One that comes to its `ceiling` while there is
    more fails with the code `GUARD_EXCEEDED`.
    """
    rails = (forbidden_tables, owned_tables, should_stop, max_deletions, ceiling)
    run = _Run(database, now, dry_run, *rails, clock or SystemClock(), means or Means(), Tally())
    await run.guarded(policy, cursor)
    if not dry_run:
        await run.give_back(policy)
    return run.tally.report(policy.kind, started_at=now, dry_run=dry_run)


@dataclass(frozen=True, slots=True)
class _Run:
    database: Database
    now: datetime
    dry_run: bool
    forbidden: Collection[str]
    owned: Collection[str] | None
    should_stop: Callable[[], bool]
    max_deletions: int | None
    ceiling: Ceiling
    clock: Clock
    means: Means
    tally: Tally

    async def guarded(self, policy: RowsPolicy, cursor: str | None) -> None:
        try:
            await self._carry_out(policy, cursor)
        except RefusedError as refusal:
            for sentence in refusal.sentences:
                self.tally.fail(sentence)
        except SQLAlchemyError as error:
            self.tally.fail(f"the database refused: {_cause(error)}")
        except (ActionError, OSError) as error:
            self.tally.fail(str(error))
        except GuardExceededError as error:
            self.tally.code = GUARD_EXCEEDED
            self.tally.fail(str(error))

    async def give_back(self, policy: RowsPolicy) -> None:
        """Let the file of the database become smaller, after rows were deleted."""
        if not self.tally.deleted or policy.action in WHOLE_PARTITIONS:
            return
        try:
            freed, note = await shrink(self.database, asked=policy.shrink)
        except SQLAlchemyError as error:
            self.tally.fail(f"the rows are gone, but the file could not be made smaller: {_cause(error)}")
            return
        self.tally.freed_bytes += freed
        self.tally.note = "; ".join(filter(None, (self.tally.note, note))) or None

    async def _carry_out(self, policy: RowsPolicy, cursor: str | None) -> None:
        if policy.action in WHOLE_PARTITIONS:
            await self._drop_partitions(policy)
            return
        has_trash = policy.trash_column is not None
        first = filling(policy) if has_trash else policy
        await self._go_through(first, action_of(policy, self.now, self.means), cursor)
        if has_trash:
            await self._empty_trash(policy)

    async def _go_through(self, policy: RowsPolicy, action: Action | None, cursor: str | None) -> None:
        most = min((each for each in (policy.max_rows_per_run, self.max_deletions) if each is not None), default=None)
        pace = Pace(self.database, self.clock, policy)
        rails = partial(choose, policy=policy, now=self.now, forbidden=self.forbidden, owned=self.owned)
        look = partial(rails, means=self.means, counting=self.dry_run, most=most, keyed=action is not None)
        choice = await pace.read(look)
        if self.dry_run:
            _foresee(choice, most, self.tally)
            if (fingerprint := wanted()) is not None and choice.target.key:
                await pace.read_once(partial(_take, fingerprint, choice, self.tally.matched))
            return
        try:
            act, bounds = action or delete_rows, Bounds(most, self.ceiling)
            await Deletion(choice, pace, self.tally, self.should_stop, act=act, bounds=bounds).carry_out(cursor)
        finally:
            if action is not None:
                self._tell_done(action)
                await asyncio.to_thread(action.finish)

    def _tell_done(self, action: Action) -> None:
        if self.tally.deleted:
            self.tally.done[action.done] += self.tally.deleted
        if not action.deletes:
            self.tally.deleted = 0

    async def _empty_trash(self, policy: RowsPolicy) -> None:
        rest = None if self.max_deletions is None else self.max_deletions - self.tally.matched
        if rest == 0:
            return
        gone = self.tally.report(policy.kind, started_at=self.now, dry_run=self.dry_run)
        second = replace(self, tally=Tally(), max_deletions=rest, ceiling=self.ceiling.less(gone))
        await second.guarded(emptying(policy), None)
        second.tally.kept.clear()  # live rows, which the first half has judged
        second.tally.examined = second.tally.matched
        if self.dry_run:
            verb = "go to the trash" if policy.action == TRASH else "go from outside of the trash"
            rows = "1 row" if self.tally.matched == 1 else f"{self.tally.matched} rows"
            told = f"{rows} would {verb}, and {second.tally.matched} be deleted from it"
            self.tally.note = "; ".join(filter(None, (self.tally.note, told)))
        self.tally.code = second.tally.code
        self.tally.add(second.tally.report(policy.kind, started_at=self.now, dry_run=self.dry_run))

    async def _drop_partitions(self, policy: RowsPolicy) -> None:
        rails = partial(check_rows_policy, policy=policy, forbidden_tables=self.forbidden, owned_tables=self.owned)
        if problems := await self.database.read(rails):
            raise RefusedError([f"{problem['field']}: {problem['message']}" for problem in problems])
        await drop_partitions(
            policy,
            self.tally,
            database=self.database,
            now=self.now,
            dry_run=self.dry_run,
            should_stop=self.should_stop,
            most=self.max_deletions,
            ceiling=self.ceiling,
        )


def _foresee(choice: Choice, most: int | None, tally: Tally) -> None:
    going = choice.counts.get(None, 0)
    tally.matched = going if most is None else min(going, most)
    tally.keep("budget", going - tally.matched)
    tally.cascades.update(choice.cascades)
    choice.tell(tally)


def _take(fingerprint: Fingerprint, choice: Choice, going: int, connection: Connection) -> None:
    rows, table = choice.target.rows, choice.target.table
    order = [rows.raw(table, name) for name in walked_by(choice.target)]
    query = select(*rows.key_columns(table)).where(choice.target.condemned).order_by(*order).limit(going)
    for row in connection.execute(query).yield_per(KEYS_AT_ONCE):
        fingerprint.add(f"{table.name}\0{tuple(row)!r}")


def _cause(error: SQLAlchemyError) -> str:
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().split("\n", 1)[0]
