"""Executions as values: their states, the reasons beside them, and the outcome of a function."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum, auto
from typing import Any, NamedTuple

from framework import strict_json
from framework.duration import parse_duration
from framework.result import Error, Result, ResultError
from modules.core.scheduler.bounded_text import guarded, storable, storable_ends, storable_repr
from modules.core.scheduler.execution_context import ExecutionCancelled, ExecutionContext, ExecutionLost, Progress

__all__ = [
    "MAX_ERROR",
    "Closed",
    "DoNotRetry",
    "ExecutionCancelled",
    "ExecutionContext",
    "ExecutionLost",
    "Full",
    "Line",
    "OPEN",
    "Outcome",
    "Progress",
    "Reason",
    "RetryAfter",
    "State",
    "outcome_of_exception",
    "outcome_of_value",
    "success_of",
]

MAX_ERROR = 2_000
MAX_TRACEBACK = 8_000
MAX_NOTE = 200
LONGEST_RETRY_AFTER = timedelta(days=365)


class State(StrEnum):
    """Where an execution is; it only moves forward, from pending over running to one of the others."""

    PENDING = auto()
    RUNNING = auto()
    SUCCEEDED = auto()
    FAILED = auto()
    TIMED_OUT = auto()
    CANCELLED = auto()
    LOST = auto()
    SKIPPED = auto()
    MISSED = auto()


class Line(StrEnum):
    """Where a pending execution stands: in line, waiting for its time, or held for the reason beside it."""

    READY = auto()
    LATER = auto()
    HELD = auto()


class Full(StrEnum):
    """For what an execution has waited that stood in line: for room, in one of four senses."""

    SLOTS = auto()
    EVERYWHERE = auto()
    QUEUE = auto()
    DRAINING = auto()


OPEN = frozenset({State.PENDING, State.RUNNING})


def success_of(state: State) -> bool | None:
    """Return True for succeeded, False for failed, timed out and lost, None for all that neither worked nor broke."""
    if state == State.SUCCEEDED:
        return True
    return False if state in (State.FAILED, State.TIMED_OUT, State.LOST) else None


class Reason(StrEnum):
    """Why an execution, or a task, is as it is: stable codes, stored and shown."""

    OVERLAP = "OVERLAP"
    QUEUE_FULL = "QUEUE_FULL"
    SKIPPED_BY_REQUEST = "SKIPPED_BY_REQUEST"
    REPLACED = "REPLACED"
    MISFIRE_GRACE = "MISFIRE_GRACE"
    CATCH_UP_NONE = "CATCH_UP_NONE"
    CATCH_UP_LIMIT = "CATCH_UP_LIMIT"
    ENDED = "ENDED"
    FUNCTION_NOT_REGISTERED = "FUNCTION_NOT_REGISTERED"
    CRASH_LIMIT = "CRASH_LIMIT"
    SHUTDOWN = "SHUTDOWN"
    CANCELLED_BY_REQUEST = "CANCELLED_BY_REQUEST"
    TASK_CANCELLED = "TASK_CANCELLED"
    NODE_LOST = "NODE_LOST"
    TIMEOUT = "TIMEOUT"
    CORRUPT_DEFINITION = "CORRUPT_DEFINITION"
    CORRUPT_PARAMETERS = "CORRUPT_PARAMETERS"
    OPERATOR = "OPERATOR"
    NOT_DECLARED = "NOT_DECLARED"
    CALENDAR_EXCLUDES_ALL = "CALENDAR_EXCLUDES_ALL"
    NO_COINCIDENCE = "NO_COINCIDENCE"
    TASK_PAUSED = "TASK_PAUSED"
    PAUSED = "PAUSED"
    LIMIT = "LIMIT"
    RATE_LIMIT = "RATE_LIMIT"
    DEBOUNCE = "DEBOUNCE"
    EXECUTOR_UNREACHABLE = "EXECUTOR_UNREACHABLE"


class Closed(NamedTuple):
    """An execution that a transaction has closed, and not because its function had ended here."""

    task_id: str
    task_name: str
    module_id: str
    state: State
    error: str | None = None
    occurrences: int = 1


class DoNotRetry(Exception):  # noqa: N818  # an instruction to the scheduler, not a kind of error
    """Raised by a function: this failure is final, whatever the policy. A `Result.error` says `{"retry": False}`."""


class RetryAfter(Exception):  # noqa: N818  # an instruction to the scheduler, not a kind of error
    """Raised by a function: try again after this long, if retries are left. `Result.error` says `{"retry_after": 60}`.

    The delay is a timedelta, seconds or a text such as "5m"; raises `ValueError` for any other, or beyond a year.
    """

    def __init__(self, delay: timedelta | float | str, message: str = "") -> None:
        super().__init__(message)
        self.delay = _retry_delay(delay)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a function ended, ready to be stored: every text is bounded and acceptable to every database.

    `retry` says whether the task's policy may try again, `retry_after` when, where the function asked for a time.
    `cpu_seconds` and `memory_bytes`, the most that it held, are known where it had a process of its own; `reason` says
    why where the function had no part in it.
    """

    state: State
    result_json: str | None = None
    error: str | None = None
    error_type: str | None = None
    traceback: str | None = None
    retry: bool = True
    retry_after: timedelta | None = None
    cpu_seconds: float | None = None
    memory_bytes: int | None = None
    reason: Reason | None = None


def outcome_of_value(value: object) -> Outcome:
    """Return the outcome of a function that returned: a Result, a JSON value or None; of any other, a note of it."""
    if not isinstance(value, Result):
        return Outcome(State.SUCCEEDED, _result_json(value))
    if value.error is not None:
        return _outcome_of_error(value.error)
    return Outcome(State.SUCCEEDED, _result_json(value.data))


def outcome_of_exception(error: BaseException) -> Outcome:
    """Return the outcome of a function that raised; SystemExit and KeyboardInterrupt are failures like any other."""
    trace = guarded(lambda: storable_ends("".join(traceback.format_exception(error)), MAX_TRACEBACK), "unreadable")
    kind = storable(type(error).__qualname__, MAX_NOTE)
    message = guarded(lambda: str(error), "its message cannot be read")
    text = storable(f"{kind}: {message}" if message else kind, MAX_ERROR)
    match error:
        case ExecutionCancelled() | ExecutionLost():
            return Outcome(State.CANCELLED, error=text, error_type=kind, retry=False)
        case DoNotRetry():
            return Outcome(State.FAILED, None, text, kind, trace, retry=False)
        case RetryAfter():
            return Outcome(State.FAILED, None, text, kind, trace, retry_after=error.delay)
        case ResultError():
            return _outcome_of_error(error.error, trace)
        case _:
            return Outcome(State.FAILED, None, text, kind, trace)


def _outcome_of_error(error: Error, trace: str | None = None) -> Outcome:
    details = error.details if isinstance(error.details, Mapping) else {}
    text = guarded(lambda: f"{error.code}: {error.message}", "ERROR: its message cannot be read")
    kind = storable(guarded(lambda: str(error.code), "ERROR"), MAX_NOTE)
    return Outcome(
        State.FAILED,
        error=storable(text, MAX_ERROR),
        error_type=kind,
        traceback=trace,
        retry=details.get("retry") is not False,
        retry_after=_asked_delay(details.get("retry_after")),
    )


def _asked_delay(value: Any) -> timedelta | None:
    """What a `Result.error` asks for; a delay that cannot be read leaves the time to the task's policy."""
    try:
        return None if value is None else _retry_delay(value)
    except ValueError:
        return None


def _retry_delay(value: object) -> timedelta:
    delay = parse_duration(value)
    if delay > LONGEST_RETRY_AFTER:
        raise ValueError(f"a retry can be put off for at most {LONGEST_RETRY_AFTER.days} days")
    return delay


def _result_json(value: object) -> str | None:
    if value is None:
        return None
    try:
        return strict_json.dumps(value)
    except strict_json.JsonError as error:
        reason = str(error)
    except BaseException as error:  # noqa: BLE001  # foreign code: a value's own methods may raise anything
        reason = f"reading it raised {type(error).__qualname__}"
    note = {
        "note": storable(f"the result could not be stored as JSON: {reason}", MAX_NOTE),
        "type": storable(type(value).__qualname__, MAX_NOTE),
        "repr": storable_repr(value, MAX_NOTE),
    }
    return strict_json.dumps(note)
