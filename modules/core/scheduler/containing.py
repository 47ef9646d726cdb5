"""Containing: one row that cannot be handled is set aside, and hides nothing behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from sqlalchemy import Connection

from framework.database import is_transient

T = TypeVar("T")


def each(
    c: Connection,
    rows: Iterable[T],
    step: Callable[[T], object],
    *,
    careful: bool,
    set_aside: Callable[[T, Exception], object],
) -> None:
    """Do the step for each row of a transaction.

    Where a transaction has failed, the next is `careful`: each row has a savepoint of its own, and one whose step
    raises is undone and set aside. Savepoints cost, so a transaction is careful only then.
    """
    for row in rows:
        if not careful:
            step(row)
            continue
        try:
            with c.begin_nested():
                step(row)
        except Exception as error:
            if is_transient(error):
                raise
            set_aside(row, error)
