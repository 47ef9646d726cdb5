"""Which executor carries out a function: what a task may ask for, and what is refused before anything is stored."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import far_functions
import pytest

from modules.core.scheduler.executors.address import Address, NotFoundElsewhere, address_of


async def where() -> str:
    return threading.current_thread().name


def where_plainly() -> str:
    return threading.current_thread().name


@pytest.mark.parametrize("executor", [None, "auto", "asyncio"])
async def test_a_coroutine_runs_on_the_loop(far: Any, executor: str | None) -> None:
    row = await far.run(where, executor=executor)

    assert row["result"] == threading.current_thread().name


@pytest.mark.parametrize("executor", [None, "auto", "thread"])
async def test_a_plain_function_runs_in_a_thread(far: Any, executor: str | None) -> None:
    row = await far.run(where_plainly, executor=executor)

    assert row["result"] == "acme.test:where_plainly"


def closure() -> Callable[[], int]:
    def inner() -> int:
        return 1

    return inner


class Greeter:
    def __call__(self) -> int:
        return 1


REFUSED: dict[str, tuple[str, Callable[..., Any], str]] = {
    "asyncio with a plain function": ("asyncio", where_plainly, "would block the event loop"),
    "thread with a coroutine": ("thread", where, "runs on the event loop"),
    "process with a lambda": ("process", lambda: 1, "define it at the top level of a module"),
    "process with a closure": ("process", closure(), "cannot be found by another process"),
    "process with a bound method": ("process", far_functions.Reports().method, "far_functions.Reports.method is"),
    "process with a partial": ("process", partial(far_functions.add, one=1), "it has no name in a module"),
    "process with an object": ("process", Greeter(), "it has no name in a module"),
    "dask without an address": ("dask", far_functions.add, "set CORE_SCHEDULER_DASK_ADDRESS"),
}


@pytest.mark.parametrize(("executor", "function", "sentence"), REFUSED.values(), ids=REFUSED)
async def test_what_cannot_run_there_is_refused_with_a_sentence(
    node: Any, executor: str, function: Callable[..., Any], sentence: str
) -> None:
    node.register("it", function)

    parameters = {"one": 1} if function is far_functions.add else {}
    config = {"name": "it", "module_id": "acme.test", "function_name": "it", "delay": 1, "parameters": parameters}
    refused = await node.scheduler.schedule_task({**config, "executor": executor})

    (problem,) = refused.error.details["problems"]
    assert (refused.error.code, problem["field"]) == ("INVALID_CONFIG", "executor")
    assert sentence in problem["message"]
    assert (await node.scheduler.list_tasks(module_id="acme.test")).data["tasks"] == []


async def test_an_executor_that_nobody_knows_is_refused(node: Any) -> None:
    config = {"name": "it", "module_id": "acme.test", "function_name": "note", "delay": 1, "executor": "proces"}

    refused = await node.scheduler.schedule_task(config)

    (problem,) = refused.error.details["problems"]
    assert (refused.error.code, problem["field"]) == ("INVALID_CONFIG", "executor")
    assert "'process'" in problem["message"]


async def test_an_edit_keeps_the_executor_and_can_change_it(far: Any) -> None:
    far.node.register("pid", far_functions.pid)
    task_id = await far.node.add("pid", executor="process", delay=60)

    kept = await far.node.scheduler.update_task(task_id, {"description": "who am I?"})
    changed = await far.node.scheduler.update_task(task_id, {"executor": "thread"})

    assert kept.unwrap()["policies"]["executor"] == "process"
    assert changed.unwrap()["policies"]["executor"] == "thread"


async def test_what_can_no_longer_run_there_fails_for_good_with_the_sentence(far: Any) -> None:
    far.node.register("note_again", where_plainly)
    task_id = await far.node.add("note_again", delay=1, max_retries=3)
    await far.node.damage(task_id, policies='{"executor": "asyncio", "max_retries": 3}')

    await far.node.pass_time(1)

    (row,) = await far.node.history(task_id)
    assert (row["state"], "would block the event loop" in row["error"]) == ("failed", True)


async def test_an_executor_of_a_newer_program_is_not_taken_for_another(far: Any) -> None:
    far.node.register("plain", where_plainly)
    task_id = await far.node.add("plain", delay=1)
    await far.node.damage(task_id, policies='{"executor": "ray"}')

    await far.node.pass_time(1)

    (row,) = await far.node.history(task_id)
    assert (row["state"], row["error"]) == ("failed", "executor 'ray': this program knows no such executor")


def test_a_function_is_found_by_its_module_and_name() -> None:
    assert address_of(far_functions.add) == Address("far_functions", "add")
    assert address_of(far_functions.Reports.of_class) == Address("far_functions", "Reports.of_class")


def test_a_function_of_the_script_that_was_started_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def main() -> None:
        """Stands in a script."""

    main.__module__, main.__qualname__ = "__main__", "main"
    monkeypatch.setattr(sys.modules["__main__"], "main", main, raising=False)

    with pytest.raises(NotFoundElsewhere, match="in the script that was started"):
        address_of(main)


def test_a_name_that_means_something_else_by_now_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    other = ModuleType("acme_other")
    other.add = far_functions.pid  # type: ignore[attr-defined]  # a name that was rebound
    monkeypatch.setitem(sys.modules, "acme_other", other)
    monkeypatch.setattr(far_functions.add, "__module__", "acme_other")

    with pytest.raises(NotFoundElsewhere, match=r"it is not what acme_other\.add is there"):
        address_of(far_functions.add)
