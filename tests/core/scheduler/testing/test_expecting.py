"""The test kit says what is scheduled, and calls functions as the scheduler would."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from framework import Result, ResultError
from framework.testing import START
from modules.core.scheduler import ExecutionContext
from modules.core.scheduler.testing import TestApplication

MODULE = "acme.mail"
TOMORROW = START + timedelta(days=1)


async def send(*, to: str, copies: int = 1) -> dict[str, Any]:
    """Send a letter."""
    return {"to": to, "copies": copies}


@pytest.fixture
async def app() -> AsyncIterator[TestApplication]:
    """An application with one function and a letter for tomorrow."""
    async with TestApplication() as app:
        app.scheduler.register_function(MODULE, "send", send)
        (await app.scheduler.schedule_once(send, at=TOMORROW, parameters={"to": "ann"}, name="letter")).unwrap()
        yield app


@pytest.mark.parametrize("function", [send, (MODULE, "send"), f"{MODULE}:send"])
async def test_a_task_is_found_by_its_function_parameters_and_time(app: TestApplication, function: Any) -> None:
    task = await app.assert_scheduled(function, parameters={"to": "ann"}, at=TOMORROW, name="letter")

    assert task["next_execution"] == TOMORROW


@pytest.mark.parametrize("wrong", [{"parameters": {"to": "bob"}}, {"at": START}, {"name": "parcel"}])
async def test_a_task_that_is_not_there_is_told_with_all_that_are(app: TestApplication, wrong: Any) -> None:
    with pytest.raises(AssertionError) as told:
        await app.assert_scheduled(send, **wrong)

    wanted, _, listed = str(told.value).partition("\n")
    assert wanted.startswith("no task of acme.mail:send ")
    assert "acme.mail:send named 'letter' with parameters {'to': 'ann'}, pending" in listed
    assert "next 2026-01-06T12:00:00Z" in listed
    await app.assert_not_scheduled(send, **wrong)


async def test_a_task_that_should_not_be_there_is_told(app: TestApplication) -> None:
    with pytest.raises(AssertionError, match=re.escape("a task of acme.mail:send is scheduled")):
        await app.assert_not_scheduled(send)


async def test_several_tasks_are_not_one(app: TestApplication) -> None:
    (await app.scheduler.schedule_once(send, at=TOMORROW, parameters={"to": "bob"})).unwrap()

    with pytest.raises(AssertionError, match=re.escape("2 tasks of acme.mail:send are scheduled, not one")):
        await app.assert_scheduled(send)


async def test_a_task_that_is_due_already_is_found_by_its_time(app: TestApplication) -> None:
    (await app.scheduler.schedule_once(send, at=START, parameters={"to": "bob"})).unwrap()

    await app.assert_scheduled(send, at=START)
    await app.run_due()
    await app.assert_not_scheduled(send, at=START)


async def test_what_is_not_registered_cannot_be_expected(app: TestApplication) -> None:
    with pytest.raises(LookupError, match=re.escape("did you mean 'acme.mail:send'")):
        await app.assert_scheduled(f"{MODULE}:sent")


async def test_a_function_is_called_with_what_would_be_stored(app: TestApplication) -> None:
    assert await app.run_function(send, {"to": "ann"}) == {"to": "ann", "copies": 1}


async def test_parameters_that_do_not_survive_the_database_fail_the_test(app: TestApplication) -> None:
    with pytest.raises(AssertionError, match=re.escape("parameters of acme.mail:send cannot be stored as JSON")):
        await app.run_function(send, {"to": {"a set"}})


async def test_parameters_that_do_not_fit_fail_the_test(app: TestApplication) -> None:
    with pytest.raises(AssertionError, match=re.escape("do not fit acme.mail:send: to is required")):
        await app.run_function(send)


async def test_a_result_that_does_not_survive_the_database_fails_the_test(app: TestApplication) -> None:
    app.scheduler.register_function(MODULE, "count", lambda: {1, 2})

    with pytest.raises(AssertionError, match=re.escape("result of acme.mail:count cannot be stored as JSON")):
        await app.run_function((MODULE, "count"))


async def test_a_refusal_of_a_function_is_raised(app: TestApplication) -> None:
    app.scheduler.register_function(MODULE, "refuse", lambda: Result.error("NO_STAMPS", "there are no stamps"))

    with pytest.raises(ResultError, match="NO_STAMPS"):
        await app.run_function((MODULE, "refuse"))


async def test_a_function_is_given_its_context(app: TestApplication) -> None:
    async def where(context: ExecutionContext) -> list[Any]:
        context.progress(0.5)
        return [context.module_id, context.attempt, context.scheduled_for == app.clock.now()]

    app.scheduler.register_function(MODULE, "where", where)

    assert await app.run_function(where) == [MODULE, 1, True]
