"""Who acts here: a person at the command line, a token over HTTP, or the application's own code."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """What a caller may do. `admin` may do everything; `operate` and `schedule` may also read."""

    READ = "read"
    OPERATE = "operate"
    """Pause, resume, run, retry and cancel what is there."""
    SCHEDULE = "schedule"
    """Create and change tasks."""
    ADMIN = "admin"
    """Cleanups, tokens, and all the others."""


class Door(StrEnum):
    """By which way a caller came in."""

    CODE = "code"
    CLI = "cli"
    API = "api"
    DASHBOARD = "dashboard"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who acts, and by which door; `name` is shown to people and kept in the audit.

    A name may belong to another one later; `identity` never does, where there is one, such as a token's id.
    """

    name: str
    door: Door
    scopes: frozenset[Scope] = frozenset(Scope)
    identity: str | None = None

    def may(self, scope: Scope) -> bool:
        """Tell whether this caller may do what needs the scope."""
        if Scope.ADMIN in self.scopes or scope in self.scopes:
            return True
        return scope is Scope.READ and bool(self.scopes)


CODE = Caller("code", Door.CODE)
"""The application itself: a module that calls a service."""


def operator() -> Caller:
    """Return who sits at the command line: `user@host`, as the operating system knows them."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run as a user that has no name
        user = f"uid {os.getuid()}"
    return Caller(f"{user}@{os.uname().nodename}", Door.CLI)


_caller: ContextVar[Caller] = ContextVar("caller", default=CODE)


def caller() -> Caller:
    """Return who acts here; inside the application's own code, `CODE`."""
    return _caller.get()


@contextmanager
def calling(who: Caller) -> Iterator[None]:
    """What happens inside is done by this caller."""
    token = _caller.set(who)
    try:
        yield
    finally:
        _caller.reset(token)


def become(who: Caller) -> None:
    """From here on, this caller acts in the current context; `calling` is for a part of it."""
    _caller.set(who)
