"""An application goes on without what fails, and says so; what is wrong from the start is said before anything."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from example_modules import Bystander, First, Second, Third, application, turns

from framework import AppContext, Application, Module, ModuleSettings, ServiceMissing, SettingsError
from framework.errors import DatabaseRefused, DatabaseUnavailable, RequirementErrors
from framework.migrations import MigrationsMissing
from framework.testing import FakeClock

pytestmark = pytest.mark.usefixtures("empty_project")


async def test_nothing_is_registered_when_requirements_are_wrong(events: list[str]) -> None:
    with pytest.raises(RequirementErrors, match=r"(?s)two modules have the id.*'acme\.second' requires"):
        await application(Second(events), Third(events), Bystander(events), Bystander(events)).start()

    assert events == []


@pytest.mark.parametrize("phase", ["register", "start"])
async def test_a_failing_module_takes_only_its_dependents_along(
    events: list[str], caplog: pytest.LogCaptureFixture, phase: str
) -> None:
    modules = (First(events, fails_in=phase), Second(events), Third(events), Bystander(events))

    async with application(*modules) as app_context:
        health = await app_context.health()
        with pytest.raises(ServiceMissing, match=r"its module 'acme\.first' does not run"):
            app_context.get_service("acme.first.service")

    assert health["status"] == "unhealthy"
    assert health["modules"] == {
        "acme.first": {"status": "unhealthy", "error": f"ValueError: acme.first cannot {phase}"},
        "acme.second": {"status": "unhealthy", "error": "not started: it requires acme.first, which does not run"},
        "acme.third": {"status": "unhealthy", "error": "not started: it requires acme.second, which does not run"},
        "acme.bystander": {"status": "healthy"},
    }
    assert [event for event in events if "start" in event] == [
        *(["acme.first start"] if phase == "start" else []),
        *("acme.bystander start", "acme.bystander started"),
    ]
    assert [event for event in events if event.endswith("stop")] == ["acme.bystander stop"]
    assert [record.exc_info is not None for record in caplog.records if record.levelno >= logging.ERROR] == [
        *(True, False, False)
    ]


async def test_a_module_that_fails_while_it_runs_turns_health_red(
    events: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    fail = asyncio.Event()

    class Fragile(Module):
        id = "acme.fragile"

        @contextlib.asynccontextmanager
        async def lifespan(self, app_context: AppContext) -> AsyncIterator[None]:
            async with anyio.create_task_group() as group:
                group.start_soon(self.work)
                yield
                group.cancel_scope.cancel()

        async def work(self) -> None:
            await fail.wait()
            raise ValueError("the wire broke")

    clock = FakeClock()
    async with application(Fragile(), Bystander(events), clock=clock) as app_context:
        before = await app_context.health()
        fail.set()
        await turns(clock)
        after = await app_context.health()

    assert before["status"] == "healthy"
    assert after["modules"]["acme.fragile"]["status"] == "unhealthy"
    assert after["modules"]["acme.bystander"]["status"] == "healthy"
    assert [record.getMessage() for record in caplog.records] == ["module acme.fragile failed while running"]
    assert "acme.bystander stop" in events


async def test_a_lifespan_without_its_decorator_and_an_async_register_are_explained() -> None:
    class Bare(Module):
        id = "acme.bare"

        async def lifespan(self, app_context: AppContext) -> AsyncIterator[None]:  # type: ignore[override]  # the mistake
            yield

    class Eager(Module):
        id = "acme.eager"

        async def register(self, app_context: AppContext) -> None:  # type: ignore[override]  # the mistake
            pass

    async with application(Bare(), Eager()) as app_context:
        modules = (await app_context.health())["modules"]

    assert (
        "decorate the lifespan of module 'acme.bare' with contextlib.asynccontextmanager"
        in modules["acme.bare"]["error"]
    )
    assert "register of module 'acme.eager' must be a plain def" in modules["acme.eager"]["error"]


async def test_callbacks_may_be_async_and_a_failing_one_turns_health_red(events: list[str]) -> None:
    class Late(Module):
        id = "acme.late"

        @contextlib.asynccontextmanager
        async def lifespan(self, app_context: AppContext) -> AsyncIterator[None]:
            async def started() -> None:
                events.append("late started")
                raise ValueError("too late")

            app_context.on_started(started)
            yield

    async with application(Late(), First(events)) as app_context:
        health = await app_context.health()

    assert events.index("late started") > events.index("acme.first start")
    assert health["modules"]["acme.late"] == {"status": "unhealthy", "error": "ValueError: too late"}
    assert "acme.first started" in events


async def test_a_wrong_setting_of_a_module_stops_the_start_before_anything(
    events: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class FirstSettings(ModuleSettings):
        size: int = 1

    class Configured(First):
        settings_model = FirstSettings

    monkeypatch.setenv("ACME_FIRST_SIZE", "huge")

    with pytest.raises(SettingsError, match=r"^ACME_FIRST_SIZE is 'huge', and must be a valid integer"):
        await application(Configured(events)).start()

    assert events == []


async def test_a_database_that_never_answers_is_waited_for_and_then_named(caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock()
    settings = {"framework": {"database_url": "postgresql+asyncpg://me:hunter2@127.0.0.1:1/app"}}
    starting = asyncio.create_task(Application(modules=[], settings=settings, clock=clock).start())
    while not starting.done():
        clock.advance(0.25)
        await clock.sleep(0)

    with pytest.raises(
        DatabaseUnavailable, match=r"postgresql\+asyncpg://\*\*\*@127\.0\.0\.1:1/app gave no answer within 30s"
    ):
        await starting

    waited = [record.getMessage() for record in caplog.records]
    assert 1 <= len(waited) <= 10
    assert all("gives no answer yet: " in message for message in waited)
    assert "hunter2" not in caplog.text


@pytest.mark.postgres
async def test_a_database_that_is_not_on_the_server_is_named_at_once(postgres_url: str) -> None:
    settings = {"framework": {"database_url": postgres_url.replace("/test_", "/absent_")}}

    with pytest.raises(DatabaseRefused, match=r"absent_.* cannot be used: .*does not exist"):
        await Application(modules=[], settings=settings).start()


async def test_a_file_that_is_no_database_is_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_text("these are notes, " * 100)
    settings = {"framework": {"database_url": f"sqlite+aiosqlite:///{tmp_path / 'notes.db'}"}}

    with pytest.raises(DatabaseRefused, match=r"notes\.db cannot be used: .*not a database"):
        await Application(modules=[], settings=settings).start()


async def test_a_broken_migration_stops_the_start_and_leaves_nothing_open(events: list[str]) -> None:
    class Stored(First):
        migrations = "acme_nowhere:migrations"

    with pytest.raises(MigrationsMissing, match="acme_nowhere"):
        await application(Stored(events)).start()

    assert events == ["acme.first register"]
