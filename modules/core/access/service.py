"""AccessService: who a token is, and the tokens that there are."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from framework.audit import Deed, record
from framework.caller import Caller, Door, Scope, caller
from framework.context import AppContext
from framework.database import for_update, is_unique_violation
from framework.result import Result
from modules.core.access.tables import tokens
from modules.core.access.tokens import Token, checked, state_of, view

log = logging.getLogger(__name__)

REMEMBERED = 2.0  # seconds for which what was looked up holds: so long lives a token that another process has revoked
MOST_REMEMBERED = 1_000
USE_NOTED_EVERY = timedelta(minutes=1)

Answer = Result[dict[str, Any]]


@dataclass(slots=True)
class _Known:
    row: Row[Any] | None
    until: float
    used_at: datetime | None


class AccessService:
    """Tokens, checked, made, listed and revoked; `verify` and `any_exist` cost no query when they are asked often."""

    def __init__(self, app_context: AppContext) -> None:
        self._app_context = app_context
        self._database, self._clock = app_context.database, app_context.clock
        self._known: dict[str, _Known] = {}
        self._exists: tuple[bool, float] = (False, float("-inf"))
        self._notes: set[asyncio.Task[None]] = set()

    async def verify(self, token: str, door: Door = Door.API) -> Caller | None:
        """Return who comes in with a token; None where it is none, unknown, wrong, expired or revoked."""
        given = Token.read(token)
        if given is None:
            return None
        known = await self._look_up(given.id)
        if known.row is None or not given.is_that_of(known.row):
            return None
        now = self._clock.now()
        if state_of(known.row, now) != "active":
            return None
        self._note_use(known, now)
        scopes = frozenset(Scope(scope) for scope in known.row.scopes.split())
        return Caller(known.row.name, door, scopes, identity=f"token:{known.row.id}")

    async def any_exist(self) -> bool:
        """Tell whether there is a token with which somebody could come in."""
        exists, until = self._exists
        if self._clock.monotonic() >= until:
            now = self._clock.now()
            valid = tokens.c.revoked_at.is_(None) & or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > now)
            found = select(tokens.c.id).where(valid).limit(1)
            exists = await self._database.read(lambda c: c.execute(found).first()) is not None
            self._exists = exists, self._clock.monotonic() + REMEMBERED
        return exists

    async def create(self, name: str, scopes: Sequence[str], expires_in: object = None) -> Answer:
        """Make a token and return it as it is listed, and once, as `token`, with its secret.

        `expires_in` is a duration, a number of it in days. `INVALID_CONFIG` names what is wrong in
        `details["problems"]`; `ALREADY_EXISTS` where a token of this name is not revoked.
        """
        now, lasting, problems = self._clock.now(), *checked(name, scopes, expires_in)
        if problems:
            told = "; ".join(f"{problem['field']}: {problem['message']}" for problem in problems)
            return Result.error("INVALID_CONFIG", told, {"problems": problems})
        made = Token.new()
        values = {
            "id": made.id,
            "name": name,
            "scopes": " ".join(sorted(set(scopes))),
            "secret_hash": made.secret_hash,
            "created_at": now,
            "created_by": caller().name,
            "expires_at": None if lasting is None else now + lasting,
        }
        try:
            shown = await self._database.write(partial(self._add, values=values, now=now))
        except IntegrityError as error:
            if not is_unique_violation(error):
                raise
            return Result.error("ALREADY_EXISTS", f"there is a token {name!r}; revoke it first, or take another name")
        self._forget(made.id)
        return Result.success(shown | {"token": made.text})

    async def list(self) -> Result[list[dict[str, Any]]]:
        """Return all tokens, those that are over too, in the order in which they were made; never a secret.

        `{"id", "name", "scopes", "state", "created_at", "created_by", "last_used_at", "expires_at", "revoked_at",
        "revoked_by"}`; `state` is active, expired or revoked, `last_used_at` true to the minute.
        """
        wanted = select(tokens).order_by(tokens.c.created_at, tokens.c.id)
        rows = await self._database.read(lambda c: c.execute(wanted).all())
        now = self._clock.now()
        return Result.success([view(row, now) for row in rows])

    async def revoke(self, token: str) -> Answer:
        """End a token, named by its id or by its name, and return it; a revoked one stays as it is.

        Here at once, in other processes within two seconds. `TOKEN_NOT_FOUND` where there is none.
        """
        now = self._clock.now()
        found = await self._database.write(partial(self._end, token=token, now=now, by=caller().name))
        if found is None:
            return Result.error("TOKEN_NOT_FOUND", f"there is no token {token!r:.100}; `chamberlain tokens list`")
        self._forget(found.id)
        return Result.success(view(found, now))

    async def close(self) -> None:
        """Wait until what was used has been noted."""
        await asyncio.gather(*self._notes)

    def _add(self, c: Connection, values: dict[str, Any], now: datetime) -> dict[str, Any]:
        c.execute(insert(tokens), values)
        shown = view(c.execute(select(tokens).where(tokens.c.id == values["id"])).one(), now)
        told = {"scopes": shown["scopes"], "expires_at": _plain(shown["expires_at"])}
        record(self._app_context, c, Deed("create", "token", shown["id"], shown["name"], None, told))
        return shown

    def _end(self, c: Connection, token: str, now: datetime, by: str) -> Row[Any] | None:
        is_meant = or_(tokens.c.id == token, (tokens.c.name == token) & tokens.c.revoked_at.is_(None))
        row = c.execute(for_update(select(tokens).where(is_meant))).first() if token.isprintable() else None
        if row is None or row.revoked_at is not None:
            return row
        c.execute(update(tokens).where(tokens.c.id == row.id).values(revoked_at=now, revoked_by=by))
        deed = Deed("revoke", "token", row.id, row.name, {"revoked_at": None}, {"revoked_at": _plain(now)})
        record(self._app_context, c, deed)
        return c.execute(select(tokens).where(tokens.c.id == row.id)).one()

    async def _look_up(self, token_id: str) -> _Known:
        moment = self._clock.monotonic()
        known = self._known.get(token_id)
        if known is None or known.until <= moment:
            wanted = select(tokens).where(tokens.c.id == token_id)
            row = await self._database.read(lambda c: c.execute(wanted).one_or_none())
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()  # somebody tries ids; those who know theirs are looked up anew
            used_at = None if row is None else row.last_used_at
            known = self._known[token_id] = _Known(row, moment + REMEMBERED, used_at)
        return known

    def _note_use(self, known: _Known, now: datetime) -> None:
        if known.row is None or (known.used_at is not None and now - known.used_at < USE_NOTED_EVERY):
            return
        known.used_at = now
        noting = asyncio.create_task(self._write_use(known.row.id, now))
        self._notes.add(noting)
        noting.add_done_callback(self._notes.discard)

    async def _write_use(self, token_id: str, now: datetime) -> None:
        noted = update(tokens).where(tokens.c.id == token_id).values(last_used_at=now)
        try:
            await self._database.write(lambda c: c.execute(noted))
        except Exception:  # the boundary: whoever came in is not to wait for it, nor to fail with it
            log.exception("the use of a token could not be noted", extra={"token": token_id})

    def _forget(self, token_id: str) -> None:
        self._known.pop(token_id, None)
        self._exists = (False, float("-inf"))


def _plain(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
