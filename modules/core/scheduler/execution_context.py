"""What a running function may know about its execution, tell about it, and ask of it."""

from __future__ import annotations

import contextlib
import logging
import math
import sys
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, overload

from framework import strict_json
from modules.core.scheduler.bounded_text import storable
from modules.core.scheduler.journal import Journal, text_of, writing_to

if TYPE_CHECKING:
    from framework.context import AppContext
    from framework.database import AsyncJoinable, Joinable, SyncJoinable

MAX_MESSAGE = 200


class ExecutionCancelled(Exception):  # noqa: N818  # names what happened, like asyncio.CancelledError
    """Raised by `ExecutionContext.raise_if_cancelled()`; ends the execution as cancelled, without a retry."""


class ExecutionLost(Exception):  # noqa: N818  # names what happened, as above
    """Raised by `ExecutionContext.complete_in()`: the execution is not this node's to end, so its effect must not be.

    Let it leave the transaction, which rolls back. Where nobody else runs it, it runs again, at no cost of retries.
    """


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a function says it is: `fraction` from 0 to 1, `done` of `total` where it counts, a short message."""

    fraction: float
    done: float | None = None
    total: float | None = None
    message: str = ""

    def to_json(self) -> str:
        """Return `{"fraction", "done", "total", "message"}` as JSON text."""
        fields = {"fraction": self.fraction, "done": self.done, "total": self.total, "message": self.message}
        return strict_json.dumps(fields)


class ExecutionLogger(logging.LoggerAdapter[logging.Logger]):
    """A logger that adds the ids of the execution to every record, beside what the caller adds.

    What it is given is kept with the execution, from any thread, and also where nobody else wants records of the level.
    """

    def __init__(self, logger: logging.Logger, extra: Mapping[str, Any], journal: Journal | None) -> None:
        super().__init__(logger, extra)
        self._journal = journal

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        journal = self._journal
        if self.isEnabledFor(level):
            kwargs["stacklevel"] = kwargs.get("stacklevel", 1) + 1
            with contextlib.nullcontext() if journal is None else writing_to(journal):
                super().log(level, msg, *args, **kwargs)
        elif journal is not None and journal.takes(level):
            told = logging.LogRecord("", level, "", 0, msg, args, None)
            error = sys.exc_info() if kwargs.get("exc_info") is True else None
            journal.take(level, self.logger.name, text_of(told.getMessage, error))

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        kwargs["extra"] = {**(kwargs.get("extra") or {}), **(self.extra or {})}
        return msg, kwargs


@dataclass(slots=True, kw_only=True, eq=False)
class ExecutionContext:
    """The running execution, for a function with a parameter annotated `ExecutionContext`; usable from any thread.

    Moments are aware and in UTC. `attempt` counts from 1, `retries_used` only failed and timed out attempts.
    `missed_count` occurrences since `missed_since` are carried along by this one. `payload` is that of the event.
    """

    execution_id: str
    task_id: str
    task_name: str
    module_id: str
    function_name: str
    attempt: int
    retries_used: int
    scheduled_for: datetime
    started_at: datetime
    origin: str
    app_context: AppContext
    session_id: str
    missed_count: int = 0
    missed_since: datetime | None = None
    payload: Mapping[str, Any] | None = None
    journal: Journal | None = field(default=None, init=False, repr=False)
    """Where its log lines are kept; None away from the process that accounts for the execution."""
    _logger: ExecutionLogger | None = field(default=None, init=False, repr=False)
    in_thread: bool = field(default=False, init=False)
    """True while the function occupies a thread, which cannot be stopped from outside."""
    completes: Callable[[Joinable, object], Any] | None = field(default=None, init=False, repr=False)
    """Does what `complete_in` says; None away from the process that accounts for the execution."""
    _asked_to_stop: bool = field(default=False, init=False, repr=False)
    _progress: Progress | None = field(default=None, init=False, repr=False)

    @property
    def logger(self) -> ExecutionLogger:
        """A logger of the module whose records carry the ids of the execution."""
        if self._logger is None:
            names = ("execution_id", "task_id", "module_id", "function_name", "attempt", "session_id")
            extra = {name: getattr(self, name) for name in names}
            self._logger = ExecutionLogger(logging.getLogger(f"modules.{self.module_id}"), extra, self.journal)
        return self._logger

    @property
    def idempotency_key(self) -> str:
        """The same text on every attempt of the same occurrence, and on no other: `<task_id>:<moment in UTC>`."""
        moment = self.scheduled_for.astimezone(UTC).replace(tzinfo=None)
        return f"{self.task_id}:{moment.isoformat(timespec='microseconds')}Z"

    def progress(self, done: float, total: float | None = None, message: str = "") -> None:
        """Tell how far the function is: a fraction from 0 to 1, or `done` of `total`; only the newest is kept.

        It may be told as often as one likes: it is written about once a second, and at the end.

        Raises `ValueError` when a number is not finite.
        """
        if not all(math.isfinite(number) for number in (done, total or 0)):
            raise ValueError(f"progress is a fraction from 0 to 1 or a count of a total, not {done} of {total}")
        short = storable(message, MAX_MESSAGE)
        # One assignment, so that readers in other threads see all of it; JSON knows no Decimal and no numpy number.
        if total is None:
            self._progress = Progress(_between_0_and_1(done), message=short)
        else:
            fraction = _between_0_and_1(done / total) if total > 0 else 1.0
            self._progress = Progress(fraction, _plain(done), _plain(total), short)
        if self.journal is not None:
            self.journal.stir()

    @property
    def latest_progress(self) -> Progress | None:
        """The newest progress the function told, None before the first."""
        return self._progress

    @property
    def cancelled(self) -> bool:
        """True once the function has been asked to stop; a plain function in a thread looks here now and then."""
        return self._asked_to_stop

    def raise_if_cancelled(self) -> None:
        """Raise `ExecutionCancelled` once the function has been asked to stop."""
        if self.cancelled:
            raise ExecutionCancelled(f"execution {self.execution_id} was asked to stop")

    @overload
    def complete_in(self, session: AsyncJoinable, result: object = None) -> Awaitable[None]: ...
    @overload
    def complete_in(self, session: SyncJoinable, result: object = None) -> None: ...
    def complete_in(self, session: Joinable, result: object = None) -> Awaitable[None] | None:
        """End this execution as succeeded, with its result, in the transaction of a session or connection.

        What else is written in that transaction is committed exactly once, whatever dies when; nothing outside it is.
        Call it last, and commit: the row of the execution is locked until then. What the function does afterwards may
        run beside its next occurrence; should it fail, the execution stays succeeded. After a rollback it ends as ever.

        Raises `ExecutionLost` where another node has taken it over, or may have, `ExecutionCancelled` when its time is
        up, `RuntimeError` the second time and in another process. To be awaited where the session is async.
        """
        if self.completes is None:
            raise RuntimeError(
                "complete_in() works in the process of the node, not in one that it has started or sent the work to; "
                "register the function with the executor that is the default"
            )
        completion: Awaitable[None] | None = self.completes(session, result)
        return completion

    def cancel(self) -> None:
        """Ask the function to stop, from any thread; asking again changes nothing."""
        self._asked_to_stop = True


def _plain(number: float) -> float:
    return number if type(number) in (int, float) else float(number)


def _between_0_and_1(number: float) -> float:
    return min(max(float(number), 0.0), 1.0)
