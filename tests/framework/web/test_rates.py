"""No caller has more than its share of the server."""

from __future__ import annotations

import pytest
from shopping import ELSEWHERE, HERE, KEEPER, READER, Keys, Street, open_shop

from framework.testing import FakeClock
from framework.web import rates
from framework.web.problems import Problem
from framework.web.rates import Buckets

pytestmark = pytest.mark.usefixtures("empty_project")


async def ask_often(street: Street, address: str, token: str | None, times: int) -> list[int]:
    path = "/health/live" if token is None else "/api/shop/who"
    return [(await street.ask("GET", path, address, token)).status_code for _ in range(times)]


async def test_a_token_may_ask_so_often_from_wherever_it_comes() -> None:
    async with open_shop(Keys(), http_rate_limit=1, http_rate_burst=4) as street:
        assert await ask_often(street, HERE, READER, 2) == [200, 200]
        assert await ask_often(street, ELSEWHERE, READER, 3) == [200, 200, 429]
        assert await ask_often(street, ELSEWHERE, KEEPER, 1) == [200]


async def test_who_has_no_token_is_counted_by_the_address() -> None:
    async with open_shop(Keys(), http_rate_limit=1, http_rate_burst=2) as street:
        assert await ask_often(street, ELSEWHERE, None, 3) == [200, 200, 429]
        assert await ask_often(street, HERE, None, 1) == [200]


async def test_nobody_is_several_by_a_header() -> None:
    async with open_shop(Keys(), http_rate_limit=1, http_rate_burst=2) as street:
        answers = [
            await street.ask("GET", "/health/live", HERE, headers={"x-forwarded-for": f"198.51.100.{number}"})
            for number in range(3)
        ]

    assert [answer.status_code for answer in answers] == [200, 200, 429]


async def test_who_is_refused_anyway_is_counted_too() -> None:
    async with open_shop(Keys(), http_rate_limit=1, http_rate_burst=2) as street:
        statuses = [(await street.ask("GET", "/api/shop/who", ELSEWHERE)).status_code for _ in range(3)]

    assert statuses == [401, 401, 429]


async def test_whoever_has_a_network_has_all_its_addresses() -> None:
    async with open_shop(http_rate_limit=1, http_rate_burst=2) as street:
        assert await ask_often(street, "2001:db8::1", None, 2) == [200, 200]
        assert await ask_often(street, "2001:db8::2", None, 1) == [429]
        assert await ask_often(street, "2001:db8:0:1::2", None, 1) == [200]


async def test_a_refusal_says_when_to_come_again() -> None:
    async with open_shop(http_rate_limit=0.25, http_rate_burst=1) as street:
        await street.ask("GET", "/health/live")
        refused = await street.ask("GET", "/health/live")
        street.app_context.clock.advance(float(refused.headers["retry-after"]))  # type: ignore[attr-defined]
        again = await street.ask("GET", "/health/live")

    assert (refused.status_code, refused.headers["retry-after"], again.status_code) == (429, "4", 200)


async def test_no_limit_is_no_limit() -> None:
    async with open_shop(http_rate_limit=0, http_rate_burst=1) as street:
        assert set(await ask_often(street, HERE, None, 20)) == {200}


def test_buckets_are_bounded_and_the_least_used_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MOST_BUCKETS", 10)
    buckets = Buckets(FakeClock(), rate=1, burst=1)
    for number in range(100):
        buckets.take(str(number))

    buckets.require("0")
    with pytest.raises(Problem):
        buckets.require("99")
    assert len(buckets._buckets) == 10
