"""Completing: a function writes its own ending, in the transaction that holds its effect."""

from __future__ import annotations

from collections.abc import Awaitable

from sqlalchemy import Connection

from framework.clock import Clock
from framework.database import Database, Joinable, OtherDatabaseError, join, refuse_other
from framework.result import Result
from modules.core.scheduler.ending import Ending, record
from modules.core.scheduler.execution import ExecutionLost, Outcome, State, outcome_of_value
from modules.core.scheduler.store import executions


def success_with(result: object) -> Outcome:
    """Return the outcome of a function that says itself that it has succeeded; raises `ValueError` for a refusal."""
    if isinstance(result, Result) and result.error is not None:
        raise ValueError(f"an execution completes with a success, not with {result!r}; return or raise a failure")
    return outcome_of_value(result)


def complete(session: Joinable, ending: Ending, database: Database, clock: Clock) -> Awaitable[None] | None:
    """Write the ending as part of the session's transaction; to be awaited where the session is async.

    Raises, having written nothing, `ExecutionLost` where it is not this node's to write any more, `RuntimeError` where
    it has been written, and `OtherDatabaseError` where the session leads elsewhere.
    """

    def work(c: Connection) -> None:
        refuse_other(c, database)
        _write(c, ending, clock)

    return join(session, work)


def _write(c: Connection, ending: Ending, clock: Clock) -> None:
    row = executions.find(c, ending.id)
    if row is None:
        raise OtherDatabaseError(f"execution {ending.id} is not in the database that this session leads to")
    if row.state == State.SUCCEEDED:
        raise RuntimeError(f"execution {ending.id} has completed already; complete_in() comes once, and last")
    # A row is claimed once: the node that it names is this one, or this one was under another id.
    if row.node_id is None or record(c, row.node_id, [ending], clock.now()):
        raise ExecutionLost(
            f"execution {ending.id} is {row.state} and not this node's to end any more; roll back: its effect "
            "belongs to whoever ends it"
        )
