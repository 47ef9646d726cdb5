"""How many statements reading takes: counted for whoever asks, and for nobody else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, event

T = TypeVar("T")


@dataclass
class Meter:
    """How many statements `Database.read` has executed so far."""

    statements: int = 0

    def counting(self, work: Callable[[Connection], T]) -> Callable[[Connection], T]:
        """Return the same work, counted."""

        def counted(c: Connection) -> T:
            event.listen(c, "before_cursor_execute", self._count)
            try:
                return work(c)
            finally:
                event.remove(c, "before_cursor_execute", self._count)

        return counted

    def _count(self, *_: Any) -> None:
        self.statements += 1


_meter: ContextVar[Meter | None] = ContextVar("meter", default=None)


def metered(work: Callable[[Connection], T]) -> Callable[[Connection], T]:
    """Return work that is counted where somebody asked for that."""
    meter = _meter.get()
    return work if meter is None else meter.counting(work)


def note_statement() -> None:
    """Count a statement that SQLAlchemy does not see."""
    meter = _meter.get()
    if meter is not None:
        meter.statements += 1


@contextmanager
def metering() -> Iterator[Meter]:
    """Count the statements with which is read inside."""
    meter = Meter()
    token = _meter.set(meter)
    try:
        yield meter
    finally:
        _meter.reset(token)
