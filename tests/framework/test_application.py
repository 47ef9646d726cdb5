"""An application starts its modules in order, goes on without the failing ones, and stops them in reverse."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from framework import AppContext, Application, Module, ModuleSettings, ServiceMissing, SettingsError
from framework.context import Phase
from framework.errors import ApplicationRunning, DatabaseUnavailable, RequirementErrors
from framework.result import Result
from framework.testing import FakeClock

MEMORY = {"framework": {"database_url": "sqlite+aiosqlite:///:memory:"}}

Event = str


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def events() -> list[Event]:
    return []


class Recorder(Module):
    """A module that writes down what happens to it, and fails where it is told to."""

    def __init__(self, events: list[Event], fails_in: str = "") -> None:
        self.events = events
        self.fails_in = fails_in

    def register(self, app_context: AppContext) -> None:
        self.note("register")
        app_context.add_service(f"{self.id}.service", self)
        app_context.on_started(lambda: self.note("started"))
        app_context.on_stopping(lambda: self.note("stopping"))

    @contextlib.asynccontextmanager
    async def lifespan(self, app_context: AppContext) -> AsyncIterator[None]:
        self.note("start")
        yield
        self.note("stop")

    def stop_now(self) -> None:
        self.note("stop_now")

    def note(self, what: str) -> None:
        self.events.append(f"{self.id} {what}")
        if self.fails_in == what:
            raise ValueError(f"{self.id} cannot {what}")


class First(Recorder):
    id = "acme.first"


class Second(Recorder):
    id = "acme.second"
    requires = ("acme.first",)


class Third(Recorder):
    id = "acme.third"
    requires = ("acme.second",)


class Bystander(Recorder):
    id = "acme.bystander"


def application(*modules: Module, clock: FakeClock | None = None) -> Application:
    return Application(modules=modules, settings=MEMORY, clock=clock or FakeClock())


async def turns(clock: FakeClock) -> None:
    """Let everything that is ready run; no time passes."""
    for _ in range(50):
        await clock.sleep(0)


async def test_both_phases_run_in_requirement_order_and_the_stop_in_reverse(events: list[Event]) -> None:
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


async def test_nothing_is_registered_when_requirements_are_wrong(events: list[Event]) -> None:
    with pytest.raises(RequirementErrors, match=r"(?s)two modules have the id.*'acme\.second' requires"):
        await application(Second(events), Third(events), Bystander(events), Bystander(events)).start()

    assert events == []


@pytest.mark.parametrize("phase", ["register", "start"])
async def test_a_failing_module_takes_only_its_dependents_along(
    events: list[Event], caplog: pytest.LogCaptureFixture, phase: str
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


async def test_health_is_green_when_all_is_well(events: list[Event]) -> None:
    async with application(First(events)) as app_context:
        health = await app_context.health()

    assert health == {
        "status": "healthy",
        "modules": {"acme.first": {"status": "healthy"}},
        "checks": {"framework.database": {"status": "healthy", "data": {"dialect": "sqlite"}}},
    }


async def test_a_module_that_fails_while_it_runs_turns_health_red(
    events: list[Event], caplog: pytest.LogCaptureFixture
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


async def test_a_lifespan_enters_and_leaves_in_one_task(events: list[Event]) -> None:
    tasks: list[object] = []

    class Scoped(Module):
        id = "acme.scoped"

        @contextlib.asynccontextmanager
        async def lifespan(self, app_context: AppContext) -> AsyncIterator[None]:
            with anyio.CancelScope():
                tasks.append(asyncio.current_task())
                yield
                tasks.append(asyncio.current_task())

    app = application(Scoped())
    await asyncio.create_task(app.start())

    await asyncio.create_task(app.stop())

    assert len(tasks) == 2
    assert tasks[0] is tasks[1]


async def test_a_module_that_hangs_on_its_way_out_is_named_and_left_behind(
    events: list[Event], caplog: pytest.LogCaptureFixture
) -> None:
    class Hanging(Module):
        id = "acme.hanging"
        requires = ("acme.first",)

        @contextlib.asynccontextmanager
        async def lifespan(self, app_context: AppContext) -> AsyncIterator[None]:
            yield
            await asyncio.Event().wait()

        def stop_now(self) -> None:
            events.append("acme.hanging stop_now")

    clock = FakeClock()
    app = application(First(events), Hanging(), clock=clock)
    await app.start()
    stopping = asyncio.create_task(app.stop())
    await turns(clock)
    clock.advance(14.9)
    await turns(clock)
    early = "acme.first stop" in events

    clock.advance(0.1)
    await stopping
    app.stop_now()

    assert not early
    assert events[-2:] == ["acme.first stop", "acme.hanging stop_now"]
    assert "module acme.hanging did not stop within 15 seconds and is left behind" in caplog.text


async def test_a_module_that_fails_to_stop_does_not_keep_the_others(
    events: list[Event], caplog: pytest.LogCaptureFixture
) -> None:
    async with application(First(events), Second(events, fails_in="stop"), Third(events, fails_in="stopping")):
        pass

    assert events[-6:] == [
        *("acme.third stopping", "acme.second stopping", "acme.first stopping"),
        *("acme.third stop", "acme.second stop", "acme.first stop"),
    ]
    assert [record.getMessage() for record in caplog.records] == [
        "module acme.third failed in on_stopping",
        "module acme.second failed while stopping",
    ]


async def test_an_on_stopping_that_hangs_is_given_up(events: list[Event], caplog: pytest.LogCaptureFixture) -> None:
    class Draining(Module):
        id = "acme.draining"

        def register(self, app_context: AppContext) -> None:
            app_context.on_stopping(asyncio.Event().wait)

    clock = FakeClock()
    app = application(First(events), Draining(), clock=clock)
    await app.start()
    stopping = asyncio.create_task(app.stop())
    await turns(clock)

    clock.advance(15)
    await stopping

    assert events[-2:] == ["acme.first stopping", "acme.first stop"]
    assert "module acme.draining did not end its on_stopping within 15 seconds" in caplog.text


async def test_each_exit_happens_once_however_often_it_is_asked_for(events: list[Event]) -> None:
    app = application(First(events))
    await app.start()

    await asyncio.gather(app.stop(), app.stop())
    await app.stop()
    app.stop_now()

    assert events.count("acme.first stop") == 1
    assert "acme.first stop_now" not in events


def test_stop_now_works_when_the_loop_is_gone_and_never_raises(
    events: list[Event], caplog: pytest.LogCaptureFixture
) -> None:
    app = application(First(events), Second(events, fails_in="stop_now"), Third(events))
    loop = asyncio.new_event_loop()
    database = loop.run_until_complete(app.start()).database
    tasks = asyncio.all_tasks(loop)

    app.stop_now()
    app.stop_now()

    assert events[-3:] == ["acme.third stop_now", "acme.second stop_now", "acme.first stop_now"]
    assert "module acme.second failed to stop at once" in caplog.text
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.run_until_complete(database.close())
    loop.close()
    app.stop_now()
    assert len([event for event in events if event.endswith("stop_now")]) == 3


async def test_an_application_is_not_started_twice_but_may_start_again(events: list[Event]) -> None:
    app = application(First(events))
    first = await app.start()
    with pytest.raises(ApplicationRunning):
        await app.start()
    await app.stop()

    second = await app.start()
    await app.stop()

    assert first.session_id != second.session_id
    assert events.count("acme.first start") == 2


async def test_an_error_in_the_body_still_stops_the_modules(events: list[Event]) -> None:
    with pytest.raises(KeyError):
        async with application(First(events)):
            raise KeyError("body")

    assert events[-1] == "acme.first stop"


async def test_a_start_that_is_cancelled_stops_what_had_started(events: list[Event]) -> None:
    class Slow(Recorder):
        id = "acme.slow"

        @contextlib.asynccontextmanager
        async def lifespan(self, app_context: AppContext) -> AsyncIterator[None]:
            try:
                self.note("start")
                await asyncio.Event().wait()
                yield
            finally:
                self.note("cleaned up")

    entering = asyncio.create_task(application(First(events), Slow(events)).start())
    while "acme.slow start" not in events:
        await FakeClock().sleep(0)

    entering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await entering

    assert events[-2:] == ["acme.slow cleaned up", "acme.first stop"]


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


async def test_callbacks_may_be_async_and_a_failing_one_turns_health_red(events: list[Event]) -> None:
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


async def test_a_wrong_setting_of_a_module_stops_the_start_before_anything(
    events: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    class FirstSettings(ModuleSettings):
        size: int = 1

    class Configured(First):
        settings_model = FirstSettings

    monkeypatch.setenv("ACME_FIRST_SIZE", "huge")

    with pytest.raises(SettingsError, match=r"^ACME_FIRST_SIZE is 'huge', and must be a valid integer"):
        await application(Configured(events)).start()

    assert events == []


async def test_the_data_folder_is_made_for_its_owner_only_and_holds_the_database(project: Path) -> None:
    async with Application(modules=[], clock=FakeClock()) as app_context:
        await app_context.database.write(lambda connection: connection.exec_driver_sql("CREATE TABLE notes (id)"))

    assert stat.S_IMODE((project / "data").stat().st_mode) == 0o700
    assert (project / "data" / "chamberlain.db").is_file()


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


async def test_a_broken_migration_stops_the_start_and_leaves_nothing_open(events: list[Event]) -> None:
    class Stored(First):
        migrations = "acme_nowhere:migrations"

    with pytest.raises(ImportError):
        await application(Stored(events)).start()

    assert events == ["acme.first register", "acme.first stopping"]
