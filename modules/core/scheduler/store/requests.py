"""Requests that were given a key: begun at most once, answered, forgotten after a day."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from framework.database import for_update, insert_ignore
from modules.core.scheduler.request_tables import requests


def begin(c: Connection, key: str, digest: str, now: datetime) -> bool:
    """Insert a request; False where there is one of this key."""
    values = {"key": key, "digest": digest, "begun_at": now, "status": None, "headers": None, "body": None}
    return c.execute(insert_ignore(requests).values(values)).rowcount == 1


def lock(c: Connection, key: str) -> Row[Any] | None:
    """Return the request of this key, locked until the transaction ends, or None."""
    return c.execute(for_update(select(requests).where(requests.c.key == key))).one_or_none()


def answer(c: Connection, key: str, begun_at: datetime, **answered: Any) -> None:
    """Keep what a request was answered (`status`, `headers`, `body`), unless somebody has begun it anew."""
    mine = (requests.c.key == key) & (requests.c.begun_at == begun_at)
    c.execute(update(requests).where(mine).values(answered))


def begin_anew(c: Connection, key: str, now: datetime) -> None:
    """Let a request that was never answered begin once more."""
    c.execute(update(requests).where(requests.c.key == key).values(begun_at=now))


def forget(c: Connection, key: str, begun_at: datetime) -> None:
    """Delete a request that came to nothing."""
    c.execute(delete(requests).where(requests.c.key == key, requests.c.begun_at == begun_at))


def forget_old(c: Connection, before: datetime) -> None:
    """Delete what was begun before the moment."""
    c.execute(delete(requests).where(requests.c.begun_at < before))
