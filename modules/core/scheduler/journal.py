"""What an execution tells while it runs: the lines that are logged in its name, and that there is news of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from framework.clock import Clock
from modules.core.scheduler.bounded_text import guarded, storable

MAX_MESSAGE = 8_000
MAX_LOGGER = 200
TAIL = 10  # one in so many of the lines that are kept are the last ones


class Line(NamedTuple):
    """One line, as it is stored; `number` counts from 1 within the execution."""

    execution_id: str
    number: int
    at: datetime
    level: str
    logger: str
    message: str


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is kept of one execution: lines of at least this level, at most so many, and so many bytes of them."""

    level: int
    lines: int
    size: int


class Journal:
    """The lines of one execution, which any thread may write and the event loop takes away to be stored.

    Of more lines than the bounds allow, the first and the last are kept. `on_news` is called on the loop, once until
    `hear` is called. `scrub` takes away what must not be shown.
    """

    def __init__(self, execution_id: str, clock: Clock, bounds: Bounds | None, on_news: Callable[[str], None]) -> None:
        self.id = execution_id
        self.scrub: Callable[[str], str | None] | None = None
        self._clock = clock
        self._bounds = bounds
        self._on_news = on_news
        self._loop = asyncio.get_running_loop()
        self._has_told = self._is_closed = self._is_full = False
        self._count = self._gone = self._tail_size = 0
        self._room = 0 if bounds is None else bounds.size - bounds.size // TAIL
        self._waiting: list[Line] = []
        self._tail: deque[Line] | None = None

    def takes(self, level: int) -> bool:
        """Whether lines of this level are kept."""
        return self._bounds is not None and level >= self._bounds.level and not self._is_closed

    def take(self, level: int, logger: str, text: str) -> None:
        """Keep a line, as far as there is room."""
        message = storable(self._scrubbed(text), MAX_MESSAGE)
        named = (logging.getLevelName(level).lower(), storable(logger, MAX_LOGGER))
        with _turn:
            if self._is_closed or self._bounds is None:
                return
            self._count += 1
            self._keep(Line(self.id, self._count, self._clock.now(), *named, message), self._bounds)
        self.stir()

    def stir(self) -> None:
        """There is news: a line, or progress."""
        if self._has_told:
            return
        self._has_told = True
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody hears of it any more
            self._loop.call_soon_threadsafe(self._on_news, self.id)

    def hear(self) -> Sequence[Line]:
        """Return the lines that wait to be stored, and let the next news be told; `stored` takes them away."""
        self._has_told = False
        with _turn:
            return tuple(self._waiting)

    def stored(self, count: int) -> None:
        """So many of the lines that waited are stored."""
        with _turn:
            del self._waiting[:count]

    def close(self) -> Sequence[Line]:
        """Take no more lines; return those that are not stored yet, the last ones among them."""
        if not self._count:
            self._is_closed = True
            return ()
        with _turn:
            self._is_closed = True
            tail = list(self._tail or ())
            return [*self._waiting, *self._gap(tail), *tail]

    def _scrubbed(self, text: str) -> str:
        return text if self.scrub is None else self.scrub(text) or ""

    def _keep(self, line: Line, bounds: Bounds) -> None:
        size = len(line.message.encode())
        self._is_full = self._is_full or line.number > bounds.lines - bounds.lines // TAIL or size > self._room
        if not self._is_full:
            self._room -= size
            self._waiting.append(line)
            return
        if self._tail is None:
            self._tail = deque()
        self._tail.append(line)
        self._tail_size += size
        while len(self._tail) > bounds.lines // TAIL or self._tail_size > bounds.size // TAIL:
            self._tail_size -= len(self._tail.popleft().message.encode())
            self._gone += 1

    def _gap(self, tail: Sequence[Line]) -> list[Line]:
        """Return the line that stands for those that were left out, where there are any."""
        if not self._gone or self._bounds is None:
            return []
        number = tail[0].number - 1 if tail else self._count
        kept = f"at most {self._bounds.lines:,} lines and {self._bounds.size:,} bytes of an execution are kept"
        told = f"{self._gone:,} line(s) are left out here: {kept}"
        return [Line(self.id, number, self._clock.now(), "warning", __name__, told)]


_turn = threading.Lock()  # one for all journals: held for an instant, and a lock for each would cost every execution
_current: ContextVar[Journal | None] = ContextVar("journal", default=None)


def write_to(journal: Journal) -> None:
    """What is logged from here on in this context, and in what is started there, is logged in this execution's name."""
    _current.set(journal)


@contextmanager
def writing_to(journal: Journal) -> Iterator[None]:
    """The same of what is logged inside."""
    token = _current.set(journal)
    try:
        yield
    finally:
        _current.reset(token)


def listen_in() -> None:
    """See every log record of this process from now on, where it is made; those outside of executions are left alone.

    A handler would be seen by `logging.basicConfig()`, which then does nothing, and lost when handlers are replaced.
    """
    make = logging.getLogRecordFactory()
    if isinstance(make, _ListeningFactory):
        return
    logging.setLogRecordFactory(_ListeningFactory(make))


class _ListeningFactory:
    def __init__(self, make: Callable[..., logging.LogRecord]) -> None:
        self._make = make

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record = self._make(*args, **kwargs)
        journal = _current.get()
        if journal is not None and record.name and journal.takes(record.levelno):
            journal.take(record.levelno, record.name, text_of(record.getMessage, record.exc_info))
        return record


def text_of(message: Callable[[], str], exc_info: Any) -> str:
    """Return what a record says, with its traceback; foreign code has a part in it, and may raise anything."""
    text = guarded(message, "its message cannot be formatted")
    if not isinstance(exc_info, tuple) or exc_info[0] is None:
        return text
    trace = guarded(lambda: logging.Formatter().formatException(exc_info), "its traceback cannot be read")
    return f"{text}\n{trace}"
