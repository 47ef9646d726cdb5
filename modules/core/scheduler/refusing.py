"""Refusals: of a config as a Result; within a transaction raised as `ResultError`, which rolls back what was done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NoReturn, TypeVar

from framework.result import Error, Result, ResultError
from modules.core.scheduler.execution import Reason
from modules.core.scheduler.trigger import TriggerError
from modules.core.scheduler.trigger.reading import moment

T = TypeVar("T")


def refuse(code: str, message: str, **details: Any) -> NoReturn:
    """Refuse; the transaction is rolled back, and the caller is answered with this error."""
    raise ResultError(Error(code, message, details or None))


def invalid(problems: Sequence[Any]) -> Result[Any]:
    """Return `INVALID_CONFIG` with every offending `{"field", "message"}` in `details["problems"]`."""
    told = "; ".join(_sentence(problem["field"], problem["message"]) for problem in problems)
    return Result.error("INVALID_CONFIG", told[:2_000], {"problems": list(problems)})


def too_few(count: int) -> Result[Any]:
    """Return the refusal of a `count` of things to be shown that is below 1."""
    return invalid([{"field": "count", "message": f"this is at least 1, not {count}"}])


def _sentence(field: str, message: str) -> str:
    """Name the field, unless the message begins with it."""
    return message if message.startswith(f"{field} ") else f"{field}: {message}"


def asked_moment(value: object, zone: str, field: str) -> datetime:
    """Return what a caller gave as a datetime or ISO 8601 text, in UTC; a naive one is read in the zone.

    Refuses with `INVALID_CONFIG`, naming the field.
    """
    try:
        return moment(value, zone, field)
    except TriggerError as error:
        invalid([{"field": error.field, "message": str(error)}]).unwrap()
        raise


def readable(read: Callable[[str], T], text: str) -> T:
    """Return what a stored text says, or refuse with `CORRUPT_DEFINITION`."""
    try:
        return read(text)
    except ValueError as error:
        refuse(Reason.CORRUPT_DEFINITION, f"the task's stored definition cannot be read: {error}")
