"""Requests that are done at most once: the same key brings the same answer, for a day and on every node."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection

from framework import strict_json
from framework.context import AppContext
from framework.result import Result, ResultError
from modules.core.scheduler.refusing import refuse
from modules.core.scheduler.store import requests

LONGEST = 255  # characters of a key
KEPT_FOR = timedelta(days=1)
GIVEN_UP_AFTER = timedelta(minutes=10)


class Begun(NamedTuple):
    """A request that is to be carried out now."""

    key: str
    at: datetime


class Answered(NamedTuple):
    """What a request was answered when it was carried out."""

    status: int
    headers: dict[str, str]
    body: str


class Once:
    """Remembers requests by key. Methods are async."""

    def __init__(self, app_context: AppContext) -> None:
        self._database = app_context.database
        self._clock = app_context.clock

    async def begin(self, identity: str, key: str, digest: str) -> Result[Begun | Answered]:
        """Begin a request of this caller, or return what it was answered; `digest` stands for what it asks.

        `INVALID_IDEMPOTENCY_KEY`; `IDEMPOTENCY_KEY_REUSED` where another request had the key, `IDEMPOTENCY_IN_PROGRESS`
        while that same request is carried out: one that was not answered within ten minutes is taken for cut off, and
        begins anew.
        """
        if not 1 <= len(key) <= LONGEST or not key.isprintable():
            return Result.error("INVALID_IDEMPOTENCY_KEY", f"a key has 1 to {LONGEST} printable characters")
        own = hashlib.sha256(f"{identity}\n{key}".encode()).hexdigest()  # each caller has keys of their own
        try:
            begun = partial(_begin, key=own, digest=digest, now=self._clock.now())
            return Result.success(await self._database.write(begun))
        except ResultError as refusal:
            return Result(error=refusal.error)

    async def answered(self, begun: Begun, answer: Answered) -> None:
        """Keep the answer of a request."""
        kept = {**answer._asdict(), "headers": strict_json.dumps(answer.headers)}
        await self._database.write(lambda c: requests.answer(c, begun.key, begun.at, **kept))

    async def refused(self, begun: Begun) -> None:
        """Forget a request that was refused or failed: asked again it is carried out again."""
        await self._database.write(lambda c: requests.forget(c, begun.key, begun.at))


def _begin(c: Connection, *, key: str, digest: str, now: datetime) -> Begun | Answered:
    requests.forget_old(c, now - KEPT_FOR)
    if requests.begin(c, key, digest, now):
        return Begun(key, now)
    known = requests.lock(c, key)
    if known is None or known.digest != digest:
        refuse("IDEMPOTENCY_KEY_REUSED", "another request had this Idempotency-Key; make a new one for every request")
    if known.status is not None:
        return Answered(known.status, strict_json.loads(known.headers), known.body)
    if now - known.begun_at < GIVEN_UP_AFTER:
        refuse("IDEMPOTENCY_IN_PROGRESS", "this very request is being carried out; ask again in a moment")
    requests.begin_anew(c, key, now)
    return Begun(key, now)
