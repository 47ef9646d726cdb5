"""An application stops its modules in reverse order, each once, whatever they do."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import anyio
import pytest
from example_modules import First, Recorder, Second, Third, application, turns

from framework import AppContext, Module
from framework.errors import ApplicationRunning
from framework.testing import FakeClock

pytestmark = pytest.mark.usefixtures("empty_project")


async def test_a_lifespan_enters_and_leaves_in_one_task(events: list[str]) -> None:
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
    events: list[str], caplog: pytest.LogCaptureFixture
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
    events: list[str], caplog: pytest.LogCaptureFixture
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


async def test_an_on_stopping_that_hangs_is_given_up(events: list[str], caplog: pytest.LogCaptureFixture) -> None:
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


async def test_each_exit_happens_once_however_often_it_is_asked_for(events: list[str]) -> None:
    app = application(First(events))
    await app.start()

    await asyncio.gather(app.stop(), app.stop())
    await app.stop()
    app.stop_now()

    assert events.count("acme.first stop") == 1
    assert "acme.first stop_now" not in events


def test_stop_now_works_when_the_loop_is_gone_and_never_raises(
    events: list[str], caplog: pytest.LogCaptureFixture
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


async def test_an_application_is_not_started_twice_but_may_start_again(events: list[str]) -> None:
    app = application(First(events))
    first = await app.start()
    with pytest.raises(ApplicationRunning):
        await app.start()
    await app.stop()

    second = await app.start()
    await app.stop()

    assert first.session_id != second.session_id
    assert events.count("acme.first start") == 2


async def test_an_error_in_the_body_still_stops_the_modules(events: list[str]) -> None:
    with pytest.raises(KeyError):
        async with application(First(events)):
            raise KeyError("body")

    assert events[-1] == "acme.first stop"


async def test_a_start_that_is_cancelled_stops_what_had_started(events: list[str]) -> None:
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
