"""How fast a run goes: batches of a target time, a pause between them, smaller and slower where others wait."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from framework.clock import Clock
from framework.database import (
    Database,
    bound_waiting,
    commits_of_others,
    is_lost,
    is_shared,
    is_transient,
    write_log_back,
)
from modules.core.scheduler.cleanup.courtesy import Courtesy
from modules.core.scheduler.cleanup.rows_policy import RowsPolicy

T = TypeVar("T")

LOCK_SECONDS = 2.0  # that a batch waits for rows that others hold locked
STATEMENT_SECONDS = 60.0  # that one of its statements may take
READ_SECONDS = 600.0  # that counting and looking for candidates may take
BUSY_ATTEMPTS = 5
BUSY_REST = 0.25  # seconds after the database was busy, at first
CROWDED = 0.1  # seconds of waiting for a turn that mean that others want to write
_MOST = 10_000


class Pace:
    """The size of the next batch, and the rest before it; times are measured on the clock."""

    def __init__(self, database: Database, clock: Clock, policy: RowsPolicy) -> None:
        self.size = policy.batch_size
        self._database = database
        self._clock = clock
        self._most = _MOST
        self._target = None if policy.batch_seconds is None else policy.batch_seconds.total_seconds()
        self._pause = 0.0 if policy.pause is None else policy.pause.total_seconds()
        self._ends = None if policy.max_seconds is None else clock.monotonic() + policy.max_seconds.total_seconds()
        self._rest = 0.0
        self._busy = 0
        self._courtesy = None if database.path is None else Courtesy(clock, partial(is_shared, database.path))

    def bound(self, parameters: int, *, each: int) -> None:
        """Let no batch need more parameters than a statement takes, `each` row so many."""
        self._most = max(1, min(_MOST, parameters // each))
        self.size = min(self.size, self._most)

    @property
    def is_out_of_time(self) -> bool:
        """Whether the run has lasted as long as it may."""
        return self._ends is not None and self._clock.monotonic() >= self._ends

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Do the work on one snapshot, for a bounded time; again, after a rest, where the connection was lost in it.

        So does a server end one whose process stood still, which on a busy machine is nobody's fault.
        """
        for lost in range(BUSY_ATTEMPTS - 1):
            try:
                return await self.read_once(work)
            except SQLAlchemyError as error:
                if not is_lost(error):
                    raise
            await self._clock.sleep(BUSY_REST * 2**lost)
        return await self.read_once(work)

    async def read_once(self, work: Callable[[Connection], T]) -> T:
        """Do work that cannot be done again, likewise."""
        return await self._database.read(partial(_bounded, READ_SECONDS, work))

    async def write(self, work: Callable[[Connection], T]) -> T | None:
        """Do the work in one transaction, after the rest that is due; None where the database was busy.

        Then the next batch is half as large, and the rest before it longer. Raises when that has not helped.
        """
        if self._rest:
            await self._leave_free()
        asked = self._clock.monotonic()
        spans: list[tuple[float, float]] = []
        try:
            result = await self._database.write(partial(self._measured, work, spans))
        except SQLAlchemyError as error:
            self._busy += 1
            if self._busy >= BUSY_ATTEMPTS or not is_transient(error):
                raise
            self.size = max(1, self.size // 2)
            self._rest = max(self._pause, BUSY_REST * 2 ** (self._busy - 1))
            return None
        self._busy = 0
        began, took = spans[-1]
        ended = self._clock.monotonic()
        self._adapt(took, waited=ended - asked - took, held=ended - began)
        return result

    async def _leave_free(self) -> None:
        """Rest, and write the log of a file back meanwhile: else whoever commits next pays for what the run wrote."""
        began = self._clock.monotonic()
        if self._courtesy is not None:
            await self._database.read(write_log_back)
        await self._clock.sleep(max(0.0, self._rest - (self._clock.monotonic() - began)))

    def _adapt(self, took: float, *, waited: float, held: float) -> None:
        if self._target is not None:
            factor = min(2.0, max(0.5, self._target / took)) if took > 0 else 2.0
            self.size = min(self._most, max(1, int(self.size * factor)))
        courtesy = 0.0 if self._courtesy is None else self._courtesy.rest(held)
        self._rest = max(self._pause, courtesy, took if waited > max(took, CROWDED) else 0.0)

    def _measured(self, work: Callable[[Connection], T], spans: list[tuple[float, float]], connection: Connection) -> T:
        began = self._clock.monotonic()
        if self._courtesy is not None:
            self._courtesy.notice(commits_of_others(connection))
        result = _bounded(STATEMENT_SECONDS, work, connection)
        spans.append((began, self._clock.monotonic() - began))
        return result


def _bounded(seconds: float, work: Callable[[Connection], T], connection: Connection) -> T:
    bound_waiting(connection, lock_seconds=LOCK_SECONDS, statement_seconds=seconds)
    return work(connection)
