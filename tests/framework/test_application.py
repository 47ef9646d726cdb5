"""An application starts its modules in order, with their settings, on its database."""

from __future__ import annotations

import gc
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from example_modules import MEMORY, First, Second, Third, application
from nodes import Machine

from framework import AppContext, Application, Module, ModuleSettings
from framework.application import _set_aside
from framework.context import Phase
from framework.result import Result
from framework.testing import FakeClock

pytestmark = pytest.mark.usefixtures("empty_project")


async def test_both_phases_run_in_requirement_order_and_the_stop_in_reverse(events: list[str]) -> None:
    async with application(Third(events), Second(events), First(events)) as app_context:
        events.append(app_context.phase)

    short = [event.removeprefix("acme.") for event in events]
    assert short == [
        *("first register", "second register", "third register"),
        *("first start", "second start", "third start"),
        *("first started", "second started", "third started"),
        "running",
        *("third stopping", "second stopping", "first stopping"),
        *("third stop", "second stop", "first stop"),
    ]
    assert app_context.phase is Phase.STOPPED


async def test_what_is_loaded_is_set_aside_from_the_garbage_collector_before_the_start_and_after_it(
    events: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gc, "freeze", lambda: events.append("set aside"))
    _set_aside.cache_clear()

    async with application(First(events)):
        pass
    async with application(First(events)):
        pass

    assert events.index("set aside") < events.index("acme.first register")
    assert events.index("acme.first started") < events.index("set aside", 1) < events.index("acme.first stopping")
    assert events.count("set aside") == 2  # once in a process


async def test_health_is_green_when_all_is_well(events: list[str]) -> None:
    async with application(First(events)) as app_context:
        health = await app_context.health()

    assert health == {
        "status": "healthy",
        "modules": {"acme.first": {"status": "healthy"}},
        "checks": {"framework.database": {"status": "healthy", "data": {"dialect": "sqlite"}}},
    }


async def test_a_module_gets_its_settings_and_adds_a_health_check() -> None:
    class GreeterSettings(ModuleSettings):
        word: str = "hello"

    class Greeter(Module):
        id = "acme.greeter"
        settings_model = GreeterSettings

        def register(self, app_context: AppContext) -> None:
            self.word = app_context.settings(GreeterSettings).word
            app_context.add_health_check("greeter", self.check)

        async def check(self) -> Result[dict[str, str]]:
            return Result.success({"word": self.word})

    settings = {**MEMORY, "acme.greeter": {"word": "good day"}}
    async with Application(modules=[Greeter()], settings=settings, clock=FakeClock()) as app_context:
        health = await app_context.health()

    assert health["checks"]["greeter"] == {"status": "healthy", "data": {"word": "good day"}}


async def test_the_data_folder_is_made_for_its_owner_only_and_holds_the_database(empty_project: Path) -> None:
    async with Application(modules=[], clock=FakeClock()) as app_context:
        await app_context.database.write(lambda connection: connection.exec_driver_sql("CREATE TABLE notes (id)"))

    assert stat.S_IMODE((empty_project / "data").stat().st_mode) == 0o700
    assert (empty_project / "data" / "chamberlain.db").is_file()


@pytest.mark.postgres
async def test_the_clock_is_corrected_by_the_servers_and_on_sqlite_stays_the_machines(postgres_url: str) -> None:
    alone, shared = Machine(), Machine()
    alone.ahead = shared.ahead = timedelta(days=1)

    async with Application(modules=[], settings=MEMORY, clock=alone):
        pass
    async with Application(modules=[], settings={"framework": {"database_url": postgres_url}}, clock=shared):
        pass

    assert alone.offset == timedelta(0)
    assert abs(shared.offset + timedelta(days=1)) < timedelta(minutes=1)
