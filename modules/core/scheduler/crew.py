"""The executions that this node carries out right now, and the endings that wait for the next turn."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from framework.caller import CODE, calling
from framework.clock import Clock
from framework.context import AppContext
from modules.core.scheduler import tracing
from modules.core.scheduler.carrying import Carrying
from modules.core.scheduler.ending import Ending
from modules.core.scheduler.execution import Reason
from modules.core.scheduler.executors import Executors
from modules.core.scheduler.functions import FunctionRegistry
from modules.core.scheduler.journal import Bounds, Journal, listen_in
from modules.core.scheduler.news import News
from modules.core.scheduler.settings import SchedulerSettings
from modules.core.scheduler.store.notes import Note, Told
from modules.core.scheduler.tally import Tally

log = logging.getLogger("modules.core.scheduler.executions")


SLICE = 64  # functions started before the event loop gets to do something else
SETTLING = 3  # rounds of the event loop in which a function that awaits nothing ends, and is heard of


class Crew:
    """Starts claimed rows, watches their time, and collects how they end; `on_end` is called after each ending."""

    def __init__(
        self,
        app_context: AppContext,
        functions: FunctionRegistry,
        executors: Executors,
        settings: SchedulerSettings,
        on_end: Callable[[], None],
        tally: Tally,
    ) -> None:
        self._app_context = app_context
        self._functions = functions
        self._executors = executors
        self._timeout = settings.execution_timeout.total_seconds()
        self._bounds = bounds_of(settings)
        self._on_end = on_end
        self._tally = tally
        self._running: dict[str, Carrying] = {}
        self._endings: dict[str, Ending] = {}
        self._news = News(app_context.clock, on_end)
        self._idle = asyncio.Event()
        self._of_queue: Counter[str] = Counter()
        self._to_start: deque[tuple[Carrying, datetime]] = deque()
        self._is_starting = False

    def __len__(self) -> int:
        return len(self._running)

    @property
    def has_endings(self) -> bool:
        """Whether endings wait to be written."""
        return bool(self._endings)

    def start(self, rows: Iterable[Row[Any]], started: datetime) -> None:
        """Start the functions of rows that were claimed at a moment, a few at a time, so that the loop stays live."""
        is_traced = tracing.tracer() is not None
        for row in rows:
            function = self._functions.find(*row.function_key.split(":", 1))
            if function is None:  # only rows of registered functions are claimed, and none goes once tasks are run
                raise LookupError(f"{row.function_key} is not registered")
            journal = Journal(row.id, self._app_context.clock, self._bounds, self._news.heard)
            carrying = Carrying(row, function, self._app_context, self._executors, journal)
            carrying.is_traced = is_traced
            self._running[row.id] = carrying
            self._of_queue[row.queue] += 1
            self._to_start.append((carrying, started))
        if self._to_start and not self._is_starting:
            self._is_starting = True
            self._start_some()

    def _start_some(self) -> None:
        with calling(CODE):  # whoever has set them off
            for _ in range(min(SLICE, len(self._to_start))):
                carrying, started = self._to_start.popleft()
                carrying.start(started=started, default_timeout=self._timeout, on_end=self._ended)
                if carrying.delay is not None:
                    self._tally.started(carrying.delay)
        loop = asyncio.get_running_loop()
        if self._to_start:
            loop.call_soon(self._start_some)
        else:
            loop.call_soon(self._tell_endings, SETTLING)

    def _tell_endings(self, rounds: int) -> None:
        """Tell of those that ended at once, some rounds of the loop after the last start, so that they go together."""
        if self._to_start:  # more have come meanwhile
            self._start_some()
        elif rounds:
            asyncio.get_running_loop().call_soon(self._tell_endings, rounds - 1)
        else:
            self._is_starting = False
            self._on_end()  # also where none has ended: what was started late has a time limit that nobody looked at

    def _ended(self, carrying: Carrying) -> None:
        if self._running.pop(carrying.id, None) is not None:
            self._of_queue[carrying.queue] -= 1
        if carrying.ending is not None and not carrying.disowned:
            self._endings[carrying.id] = carrying.ending
        if not self._running:
            self._idle.set()
        if not self._is_starting:  # else those that are about to start may end as quickly, and travel along
            self._on_end()

    def running_of(self, queue: str) -> int:
        """Return how many executions of a queue run."""
        return self._of_queue[queue]

    def has_crashed(self, times: int) -> bool:
        """Whether an execution runs that has crashed so often already."""
        return any(carrying.crashes >= times for carrying in self._running.values())

    def expire(self, clock: Clock) -> None:
        """Tell those whose time is up to stop."""
        moment = clock.monotonic()
        for carrying in self._running.values():
            if carrying.timed_out_at is None and carrying.deadline <= moment:
                carrying.time_out(clock.now())
                self._news.is_urgent(carrying.id)

    def next_deadline(self) -> float | None:
        """Return the monotonic moment at which the next time limit ends."""
        return min((each.deadline for each in self._running.values() if each.timed_out_at is None), default=None)

    def take_endings(self) -> Sequence[Ending]:
        """Hand over the endings; `give_back` returns them when they could not be written."""
        endings, self._endings = self._endings, {}
        return list(endings.values())

    def give_back(self, endings: Iterable[Ending]) -> None:
        """Keep endings for the next turn."""
        self._endings = {each.id: each for each in endings} | self._endings

    def news(self) -> Told:
        """Return what is to be written of running executions; `noted` says that it is."""
        told = [self._running[each] for each in self._news.take() if each in self._running]
        mine = [carrying for carrying in told if not carrying.disowned]
        notes = [(carrying, carrying.note()) for carrying in mine]
        lines = [line for carrying in mine for line in carrying.journal.hear()]
        return Told([note for carrying, note in notes if note != (carrying.noted or Note(note.id))], lines)

    def noted(self, told: Told) -> None:
        """What `news` returned last has been written."""
        self._news.written()
        for note in told.notes:
            carrying = self._running.get(note.id)
            if carrying is None:
                continue
            if carrying.is_completing:  # it may have been locked and left out
                carrying.journal.stir()
            else:
                carrying.noted = note
        for execution_id, count in Counter(line.execution_id for line in told.lines).items():
            if execution_id in self._running:
                self._running[execution_id].journal.stored(count)

    def ids(self) -> frozenset[str]:
        """Return the executions that this node accounts for: those that run, and those whose ending waits."""
        return frozenset(self._running) | frozenset(self._endings)

    def cancel(self, reasons: Mapping[str, Reason]) -> None:
        """Ask these to stop, because somebody wants it, or because another one takes their place."""
        for execution_id, reason in reasons.items():
            if execution_id in self._running:
                self._running[execution_id].stop(reason)

    def cancel_all(self) -> None:
        """Ask all to stop, because this node stops."""
        for carrying in list(self._running.values()):
            carrying.stop(Reason.SHUTDOWN)

    def disown_all(self) -> None:
        """All is in other hands: tell every function to stop, and write no ending."""
        self._endings.clear()
        for carrying in list(self._running.values()):
            carrying.disown()

    def abandon_all(self) -> None:
        """Stop waiting for what does not stop; its rows are released, not ended."""
        self._news.close()
        for carrying in list(self._running.values()):
            log.warning("%s does not stop and is abandoned", carrying.name, extra={"execution": carrying.id})
            carrying.disowned = True
            carrying.abandon()

    async def wait_until_idle(self, clock: Clock, seconds: float) -> None:
        """Wait until nothing runs, at most so many seconds."""
        if self._running:
            self._idle.clear()
            await clock.wait(self._idle, seconds)


def bounds_of(settings: SchedulerSettings) -> Bounds | None:
    """Return what is kept of the log lines of an execution, None where nothing is; if anything, begin to listen."""
    if settings.execution_log_level == "off":
        return None
    listen_in()
    level = logging.getLevelNamesMapping()[settings.execution_log_level.upper()]
    return Bounds(level, settings.execution_log_lines, settings.execution_log_bytes)
