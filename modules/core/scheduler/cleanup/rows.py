"""Cleans the rows of a table: what a policy does not allow goes, in short transactions that check each row again."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from framework.clock import Clock, SystemClock
from framework.database import Database
from modules.core.scheduler.cleanup.choosing import Choice, RefusedError, choose
from modules.core.scheduler.cleanup.deleting import Act, Deletion, delete_rows
from modules.core.scheduler.cleanup.pace import Pace
from modules.core.scheduler.cleanup.report import Report, Tally
from modules.core.scheduler.cleanup.rows_policy import RowsPolicy


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
    clock: Clock | None = None,
    act: Act = delete_rows,
    cursor: str | None = None,
) -> Report:
    """Delete, or in a dry run count, the rows that the policy does not allow, `now` being the moment.

    The live schema is checked first. Candidates are read outside of any write transaction; each batch is one
    transaction that looks at those rows alone and checks every rule again. What the schema or the database refuses is
    an error of the report, and ends the run: batches before it stay done, its own is undone. A run that a budget ends
    says in the report's `cursor` where the next one goes on; at most `max_deletions` rows go, and never more than
    `max_rows_per_run`. An `act` other than `delete_rows` gets locked rows.
    """
    tally = Tally()
    most = min((each for each in (policy.max_rows_per_run, max_deletions) if each is not None), default=None)
    pace = Pace(database, clock or SystemClock(), policy)
    rails = partial(choose, policy=policy, now=now, forbidden=forbidden_tables, owned=owned_tables)
    look = partial(rails, counting=dry_run, most=most, keyed=act is not delete_rows)
    try:
        choice = await pace.read(look)
        if dry_run:
            _foresee(choice, most, tally)
        else:
            await Deletion(choice, pace, tally, should_stop, act=act, most=most).carry_out(cursor)
    except RefusedError as refusal:
        for sentence in refusal.sentences:
            tally.fail(sentence)
    except SQLAlchemyError as error:
        tally.fail(f"the database refused: {_cause(error)}")
    return tally.report(policy.kind, started_at=now, dry_run=dry_run)


def _foresee(choice: Choice, most: int | None, tally: Tally) -> None:
    going = choice.counts.get(None, 0)
    tally.matched = going if most is None else min(going, most)
    tally.keep("budget", going - tally.matched)
    tally.cascades.update(choice.cascades)
    choice.tell(tally)


def _cause(error: SQLAlchemyError) -> str:
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().split("\n", 1)[0]
