"""Changing a task only as it was seen: who asks names its revision, and the transaction that changes it looks first."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from sqlalchemy import Connection

from modules.core.scheduler.bounded_text import MAX_ID, storable
from modules.core.scheduler.refusing import refuse
from modules.core.scheduler.store import tasks

_expected: ContextVar[tuple[str, Collection[int]] | None] = ContextVar("expected", default=None)


@contextmanager
def expecting(task_id: str, revisions: Collection[int] | None) -> Iterator[None]:
    """What is asked of the service inside is refused with `PRECONDITION_FAILED` unless the task has one of these.

    None expects nothing. A task that is not there is for whoever is asked to find out.
    """
    token = _expected.set(None if revisions is None else (task_id, revisions))
    try:
        yield
    finally:
        _expected.reset(token)


def check(c: Connection) -> None:
    """Refuse with `PRECONDITION_FAILED` where a task is not as the caller expects it; it is locked from here on."""
    expected = _expected.get()
    if expected is None:
        return
    task = tasks.lock(c, storable(expected[0], MAX_ID))
    if task is not None and task.revision not in expected[1]:
        problem = f"the task has been changed meanwhile: it is at revision {task.revision}; look at it again"
        refuse("PRECONDITION_FAILED", problem, revision=task.revision)
