"""Sessions: who holds this token, until it expires or is revoked."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select

from framework import Clock, Database, Result
from modules.standard.sessions.tables import sessions

TOKEN_BYTES = 32  # 256 random bits: a token cannot be guessed, so a plain hash of it is enough


@dataclass(frozen=True, slots=True)
class Session:
    """Who a session belongs to, and until when (aware, in UTC)."""

    user_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class NewSession(Session):
    """A session with its token, which is told this once and kept nowhere; its repr does not show it."""

    token: str = field(repr=False)


class Sessions:
    """The service `standard.sessions.service`."""

    def __init__(self, database: Database, clock: Clock, lifetime: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._lifetime = lifetime

    async def create(self, user_id: str, lifetime: timedelta | None = None) -> NewSession:
        """Begin a session of a user; it lasts as long as the settings say, or `lifetime`."""
        now = self._clock.now()
        created = NewSession(user_id, now + (lifetime or self._lifetime), secrets.token_urlsafe(TOKEN_BYTES))
        row = {"token_hash": _hash(created.token), "user_id": user_id}
        times = {"created_at": now, "expires_at": created.expires_at}
        await self._database.write(lambda c: c.execute(insert(sessions), row | times))
        return created

    async def find(self, token: str) -> Result[Session]:
        """Return the session of a token; `SESSION_NOT_FOUND` when there is none, or none any more."""
        is_valid = (sessions.c.token_hash == _hash(token)) & (sessions.c.expires_at > self._clock.now())
        wanted = select(sessions.c.user_id, sessions.c.expires_at).where(is_valid)
        row = await self._database.read(lambda c: c.execute(wanted).one_or_none())
        if row is None:
            return Result.error("SESSION_NOT_FOUND", "there is no such session, or it has expired")
        return Result.success(Session(row.user_id, row.expires_at))

    async def revoke(self, token: str) -> bool:
        """End a session now; True when there was one."""
        ended = delete(sessions).where(sessions.c.token_hash == _hash(token))
        return await self._database.write(lambda c: c.execute(ended).rowcount) == 1


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
