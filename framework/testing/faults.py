"""Faults of a database, on purpose: at one step, at random by a seed, or for good, as when the process dies."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy.exc import OperationalError

from framework.database import Database
from framework.testing.statements import watched

NO_STEPS = ("BEGIN", "ROLLBACK")  # of readers, and after a fault


class Crashed(BaseException):  # names what happened; no `except Exception` may go on after it
    """The process died, as far as the database can tell: nothing that was not committed arrives."""


def locked() -> Exception:
    """Return what a locked database raises: the same work may succeed later."""
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = sqlite3.SQLITE_BUSY
    return OperationalError("a statement", None, error)


class Faults:
    """Which steps fail; a step is a statement or a commit of a writer. `steps` counts them, `struck` those that failed.

    Use the class methods to make one, and `striking(database)` to let it strike.
    """

    def __init__(self, error_at: Callable[[int], BaseException | None]) -> None:
        self.steps = 0
        self.struck = 0
        self._error_at = error_at

    @classmethod
    def once(cls, at: int, error: BaseException | None = None) -> Faults:
        """Fail at the n-th step only, counted from 1; by default as a locked database does."""
        return cls(lambda step: (error or locked()) if step == at else None)

    @classmethod
    def at_random(cls, seed: int, rate: float) -> Faults:
        """Fail at this share of the steps, from 0 to 1; the same seed fails at the same steps."""
        chance = random.Random(seed)  # noqa: S311  # a test that can be repeated, no secret
        return cls(lambda _: locked() if chance.random() < rate else None)

    @classmethod
    def crash(cls, at: int = 1) -> Faults:
        """Raise `Crashed` at the n-th step, counted from 1, and at every one after it."""
        return cls(lambda step: Crashed(f"at step {step}") if step >= at else None)

    @contextmanager
    def striking(self, database: Database) -> Iterator[Faults]:
        """Let the faults strike what is asked of this database meanwhile."""
        with watched(database, self._see):
            yield self

    def _see(self, statement: str, _parameters: object) -> None:
        if statement.startswith(NO_STEPS):
            return
        self.steps += 1
        error = self._error_at(self.steps)
        if error is not None:
            self.struck += 1
            raise error
