"""Who acts is known wherever something is done: in a transaction too, and a module acts for itself."""

from __future__ import annotations

import os
import pwd
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from framework import AppContext, Application, Module
from framework.caller import CODE, Caller, Door, Scope, caller, calling, operator
from framework.database import Database

ADA = Caller("ada", Door.API, frozenset({Scope.READ}))
MEMORY = {"framework": {"database_url": "sqlite+aiosqlite:///:memory:"}}


async def test_whoever_acts_acts_in_the_transaction_too(database: Database) -> None:
    with calling(ADA):
        seen = [await database.write(lambda _: caller()), await database.read(lambda _: caller())]
    outside = await database.write(lambda _: caller())

    assert seen == [ADA, ADA]
    assert outside == CODE


async def test_in_memory_it_is_no_other() -> None:
    database = Database("sqlite+aiosqlite:///:memory:")
    with calling(ADA):
        seen = await database.write(lambda _: caller())
    await database.close()

    assert seen == ADA


class Watching(Module):
    """Remembers who acted in each part of its life."""

    id = "acme.watching"

    def __init__(self) -> None:
        self.seen: dict[str, Caller] = {}

    def register(self, app_context: AppContext) -> None:
        app_context.on_started(lambda: self.see("started"))
        app_context.on_stopping(lambda: self.see("stopping"))

    def see(self, part: str) -> None:
        self.seen[part] = caller()

    @asynccontextmanager
    async def lifespan(self, app_context: AppContext) -> AsyncIterator[None]:
        self.see("entering")
        yield
        self.see("leaving")


@pytest.mark.usefixtures("empty_project")
async def test_a_module_acts_for_itself_whoever_started_the_application() -> None:
    module = Watching()
    with calling(operator()):
        async with Application(modules=[module], settings=MEMORY):
            who = caller()

    assert who.door is Door.CLI
    assert module.seen == dict.fromkeys(("entering", "started", "stopping", "leaving"), CODE)


def test_who_sits_at_the_command_line_is_who_the_system_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER", "somebody else")
    monkeypatch.setenv("LOGNAME", "somebody else")
    named = operator()

    def nobody(_: int) -> Any:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", nobody)

    assert "somebody else" not in named.name
    assert named.door is Door.CLI
    assert operator().name == f"uid {os.getuid()}@{os.uname().nodename}"


def test_scopes_open_what_they_say() -> None:
    def may(*scopes: Scope) -> list[bool]:
        return [Caller("ada", Door.API, frozenset(scopes)).may(scope) for scope in Scope]

    assert may() == [False, False, False, False]
    assert may(Scope.READ) == [True, False, False, False]
    assert may(Scope.OPERATE) == [True, True, False, False]
    assert may(Scope.SCHEDULE) == [True, False, True, False]
    assert may(Scope.ADMIN) == [True, True, True, True]
