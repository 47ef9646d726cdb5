"""Refusals within a transaction: raised as `ResultError`, so that what was done so far is rolled back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from framework.result import Error, ResultError
from modules.core.scheduler.execution import Reason

T = TypeVar("T")


def refuse(code: str, message: str, **details: Any) -> NoReturn:
    """Refuse; the transaction is rolled back, and the caller is answered with this error."""
    raise ResultError(Error(code, message, details or None))


def readable(read: Callable[[str], T], text: str) -> T:
    """Return what a stored text says, or refuse with `CORRUPT_DEFINITION`."""
    try:
        return read(text)
    except ValueError as error:
        refuse(Reason.CORRUPT_DEFINITION, f"the task's stored definition cannot be read: {error}")
