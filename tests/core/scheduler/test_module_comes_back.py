"""A module that is gone and comes back: its tasks are kept and say what they wait for, and nobody spins meanwhile."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest
from lives import Life, lives
from nodes import until

from framework import AppContext, Module
from framework.testing import FakeClock
from modules.core.scheduler import SchedulerService, declare_function, declare_task, runner, turn

MINUTE = 60.0
LOOKS = 60
FEW = 10


class Ticking(Module):
    """A module with one task a minute, and one that is asked for."""

    requires = ("core.scheduler",)
    runs: ClassVar[list[str]] = []

    def register(self, app_context: AppContext) -> None:
        """Declare the function and its task."""
        declare_function(app_context, "tick", self.tick)
        minutely = {"interval_type": "minutes", "interval_value": 1, "recurring": True}
        declare_task(app_context, {"name": f"tick of {self.id}", "function_name": "tick", **minutely})

    async def tick(self) -> None:
        """Remember the run."""
        self.runs.append(self.id)


class Stays(Ticking):
    """A module that is always there."""

    id = "acme.stays"


class Goes(Ticking):
    """A module that is removed and restored."""

    id = "acme.goes"


@pytest.fixture(autouse=True)
def _no_runs_yet() -> None:
    Ticking.runs.clear()


@pytest.fixture
def life(database_url: str, tmp_path: Path, clock: FakeClock) -> Life:
    """Lives of an application on one database."""
    return lives(database_url, tmp_path, clock)


async def task_of(service: SchedulerService, module_id: str) -> dict[str, Any]:
    """Return a module's only task as the list shows it."""
    (task,) = (await service.list_tasks(module_id=module_id)).unwrap()["tasks"]
    return dict(task)


async def rows_of(service: SchedulerService, module_id: str) -> list[tuple[Any, ...]]:
    """Return the executions of a module's task as (state, reason, attempt), oldest first."""
    task = await task_of(service, module_id)
    page = (await service.get_executions(task["id"])).unwrap()["executions"]
    return [(row["state"], row["reason"], row["attempt"]) for row in reversed(page)]


async def test_without_its_module_a_task_is_kept_and_says_what_it_waits_for(life: Life, clock: FakeClock) -> None:
    async with life(Stays(), Goes()) as app_context:
        before = await task_of(app_context.get_service(SchedulerService), "acme.goes")

    async with life(Stays()) as app_context:
        service = app_context.get_service(SchedulerService)
        kept = await task_of(service, "acme.goes")
        clock.advance(MINUTE)
        await service.run_due()
        shown = (await service.get_task(kept["id"])).unwrap()
        waiting, others = await rows_of(service, "acme.goes"), await rows_of(service, "acme.stays")

    assert kept == before
    assert shown["blocked_reason"] == "FUNCTION_NOT_REGISTERED"
    assert waiting == [("pending", "FUNCTION_NOT_REGISTERED", 1)]
    assert others == [("succeeded", None, 1)]
    assert Ticking.runs == ["acme.stays"]


async def is_held(service: SchedulerService, module_id: str) -> bool:
    return [reason for _, reason, _ in await rows_of(service, module_id)] == ["FUNCTION_NOT_REGISTERED"]


async def test_while_a_module_is_gone_no_loop_spins(
    life: Life, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = 0

    def counted(*arguments: Any, **named: Any) -> Any:
        nonlocal turns
        turns += 1
        return turn.turn(*arguments, **named)

    monkeypatch.setattr(runner, "turn", counted)
    async with life(Stays(), Goes()):
        pass
    clock.advance(10 * MINUTE)

    async with life(Stays(), enabled=True) as app_context:
        service = app_context.get_service(SchedulerService)
        await until(partial(is_held, service, "acme.goes"))
        for _ in range(LOOKS):  # time stands still, so that a loop with nothing to do sleeps
            await app_context.database.write(lambda c: None)
        waiting = await rows_of(service, "acme.goes")

    assert waiting == [("pending", "FUNCTION_NOT_REGISTERED", 1)]
    assert 0 < turns <= FEW


async def test_once_its_module_is_back_a_task_runs_what_waited_and_goes_on(life: Life, clock: FakeClock) -> None:
    async with life(Stays(), Goes()):
        pass
    async with life(Stays()) as app_context:
        clock.advance(10 * MINUTE)
        await app_context.get_service(SchedulerService).run_due()
    Ticking.runs.clear()

    async with life(Stays(), Goes()) as app_context:
        service = app_context.get_service(SchedulerService)
        await service.run_due()
        again = await rows_of(service, "acme.goes")
        clock.advance(MINUTE)
        await service.run_due()
        later = await rows_of(service, "acme.goes")
        task = await task_of(service, "acme.goes")

    assert again == [("succeeded", None, 1)]
    assert later == [("succeeded", None, 1)] * 2
    assert Ticking.runs.count("acme.goes") == 2
    assert (task["status"], task["blocked_reason"]) == ("pending", None)
