"""Whether an application lives, has started and is ready, as whoever asks may know it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from shopping import ELSEWHERE, READER, Keys, Street, open_shop

from framework import AppContext, Module
from framework.context import Phase
from framework.result import Result

PATHS = ["/health", "/health/live", "/health/ready", "/health/started"]

pytestmark = pytest.mark.usefixtures("empty_project")


class Kitchen(Module):
    """Its stove is out."""

    id = "acme.kitchen"

    def register(self, app_context: AppContext) -> None:
        app_context.add_health_check("acme.stove", self.check)

    async def check(self) -> Result[Any]:
        return Result.error("STOVE_OUT", "no gas; the password is hunter2", {"since": "noon"})


class Closed(Module):
    """Does not start."""

    id = "acme.closed"

    @asynccontextmanager
    async def lifespan(self, app_context: AppContext) -> AsyncIterator[None]:
        raise ValueError("no cook; the password is hunter2")
        yield


async def asked(street: Street, **caller: Any) -> dict[str, tuple[int, Any]]:
    answers = {path: await street.ask("GET", path, **caller) for path in PATHS}
    return {path: (answer.status_code, answer.json()) for path, answer in answers.items()}


async def test_a_healthy_application_says_so_to_anybody(locked_shop: Street) -> None:
    answers = await asked(locked_shop, address=ELSEWHERE)

    assert [status for status, _ in answers.values()] == [200, 200, 200, 200]
    assert answers["/health"][1] == {
        "status": "healthy",
        "modules": {"acme.shop": {"status": "healthy"}, "core.access": {"status": "healthy"}},
        "checks": {"framework.database": {"status": "healthy"}},
    }


async def test_what_is_wrong_is_named_and_nothing_stored_is_told() -> None:
    async with open_shop(Keys(), Kitchen(), Closed()) as street:
        strangers = await asked(street, address=ELSEWHERE)
        readers = await asked(street, token=READER)

    assert {path: status for path, (status, _) in strangers.items()} == dict(
        zip(PATHS, [503, 200, 503, 200], strict=True)
    )
    ready = strangers["/health/ready"][1]
    assert (ready["code"], ready["detail"]) == ("NOT_READY", "unhealthy: acme.closed, acme.stove")
    assert ready["details"]["acme.stove"] == {"status": "unhealthy", "code": "STOVE_OUT"}
    assert "hunter2" not in str(strangers)
    assert "no gas" in readers["/health/ready"][1]["details"]["acme.stove"]["error"]
    assert "no cook" in readers["/health"][1]["modules"]["acme.closed"]["error"]


@pytest.mark.parametrize(
    ("phase", "statuses"), [(Phase.STARTING, [200, 200, 503, 503]), (Phase.STOPPING, [200, 200, 503, 200])]
)
async def test_an_application_between_its_lives_is_not_ready(shop: Street, phase: Phase, statuses: list[int]) -> None:
    shop.app_context.phase = phase
    answers = await asked(shop)
    shop.app_context.phase = Phase.RUNNING

    assert [status for status, _ in answers.values()] == statuses


async def test_a_load_balancer_may_ask_for_the_status_alone() -> None:
    async with open_shop(Kitchen()) as street:
        answers = [await street.ask("HEAD", path) for path in PATHS]

    assert [answer.status_code for answer in answers] == [503, 200, 503, 200]


async def test_who_is_not_ready_says_when_to_ask_again() -> None:
    async with open_shop(Kitchen()) as street:
        answer = await street.ask("GET", "/health/ready")

    assert answer.headers["retry-after"] == "5"
    assert answer.headers["content-type"] == "application/problem+json"
