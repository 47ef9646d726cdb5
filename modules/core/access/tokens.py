"""Tokens as values: how one is made, read, recognised and shown; no database."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row

from framework.caller import Scope
from framework.duration import parse_duration

SECRET_BYTES = 24  # 192 random bits: nobody guesses them, so a fast hash of them is enough, unlike that of a password
ID_BYTES = 6
SHOWN = ("id", "name", "created_at", "created_by", "last_used_at", "expires_at", "revoked_at", "revoked_by")
MAX_NAME = 100

_TOKEN = re.compile(rf"chmb_([0-9a-f]{{{2 * ID_BYTES}}})_([0-9a-f]{{{2 * SECRET_BYTES}}})")
_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9 ._@-]{{0,{MAX_NAME - 1}}}")


@dataclass(frozen=True, slots=True)
class Token:
    """`chmb_<id>_<secret>`: told to whoever asked for it, once; its repr does not show the secret."""

    id: str
    secret: str = field(repr=False)

    @classmethod
    def new(cls) -> Token:
        """Return one that nobody can guess."""
        return cls(secrets.token_hex(ID_BYTES), secrets.token_hex(SECRET_BYTES))

    @classmethod
    def read(cls, text: str) -> Token | None:
        """Return the token that a text is; None where it is none."""
        match = _TOKEN.fullmatch(text)
        return None if match is None else cls(*match.groups())

    @property
    def text(self) -> str:
        """The whole of it, with the secret."""
        return f"chmb_{self.id}_{self.secret}"

    @property
    def secret_hash(self) -> str:
        """What is stored of it."""
        return hashlib.sha256(self.secret.encode()).hexdigest()

    def is_that_of(self, row: Row[Any]) -> bool:
        """Whether its secret is that of a row, found out in the same time whatever it is."""
        return hmac.compare_digest(row.secret_hash, self.secret_hash)


def state_of(row: Row[Any], now: datetime) -> str:
    """Return `active`, `expired` or `revoked`."""
    if row.revoked_at is not None:
        return "revoked"
    return "expired" if row.expires_at is not None and row.expires_at <= now else "active"


def view(row: Row[Any], now: datetime) -> dict[str, Any]:
    """Return a token as it is shown: all but its secret."""
    shown = {name: getattr(row, name) for name in SHOWN}
    return shown | {"scopes": row.scopes.split(), "state": state_of(row, now)}


def checked(name: object, scopes: Collection[str], expires_in: object) -> tuple[timedelta | None, list[dict[str, str]]]:
    """Return how long a token is to hold, None for ever, and every `{"field", "message"}` that is wrong with it."""
    problems = []
    if not (isinstance(name, str) and _NAME.fullmatch(name)):
        told = f"letters, digits, spaces and `. _ @ -`, at most {MAX_NAME} of them, not {name!r:.100}"
        problems.append({"field": "name", "message": told})
    words = ", ".join(Scope)
    if not scopes:
        problems.append({"field": "scopes", "message": f"at least one of {words}"})
    unknown = [scope for scope in scopes if scope not in set(Scope)]
    problems += [{"field": "scopes", "message": f"{scope!r:.100} is not one of {words}"} for scope in unknown]
    try:
        lasting = None if expires_in is None else parse_duration(expires_in, "days")
    except ValueError as error:
        return None, [*problems, {"field": "expires_in", "message": str(error)}]
    if lasting == timedelta(0):
        problems.append({"field": "expires_in", "message": "longer than no time at all"})
    return lasting, problems
