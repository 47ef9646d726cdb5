"""Who is let in: tokens, the user's own authentication, and programs on this machine as long as there is no token."""

from __future__ import annotations

import pytest
from shopping import ELSEWHERE, HERE, KEEPER, READER, Keys, Street, open_shop
from starlette.requests import Request

from framework.caller import Caller, Door, Scope
from framework.web.rates import FAILURES_AT_ONCE

WHO = "/api/shop/who"

pytestmark = pytest.mark.usefixtures("empty_project")


async def test_a_program_on_this_machine_needs_no_token_where_none_exists(shop: Street) -> None:
    assert (await shop.ask("GET", WHO)).json() == "local"
    assert (await shop.ask("GET", WHO, "::1")).json() == "local"
    assert (await shop.ask("GET", WHO, "::ffff:127.0.0.1")).json() == "local"


async def test_it_needs_one_as_soon_as_there_is_one() -> None:
    keys = Keys({})
    async with open_shop(keys) as street:
        before = await street.ask("GET", WHO)
        keys.tokens[READER] = Scope.READ
        after = await street.ask("GET", WHO)

    assert (before.status_code, after.status_code) == (200, 401)


async def test_it_always_needs_one_where_the_settings_say_so() -> None:
    async with open_shop(http_auth="always") as street:
        answer = await street.ask("GET", WHO)

    assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHORIZED")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "chamberlain tokens create" in answer.json()["detail"]


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "x-real-ip", "via", "x-forwarded-host"])
async def test_what_a_proxy_on_this_machine_passes_on_is_not_from_this_machine(shop: Street, header: str) -> None:
    answer = await shop.ask("GET", WHO, headers={header: HERE})

    assert answer.status_code == 401


async def test_a_client_cannot_say_by_a_header_that_it_is_on_this_machine() -> None:
    async with open_shop(http_trusted_proxies=(ELSEWHERE,)) as street:
        answer = await street.ask("GET", WHO, ELSEWHERE, headers={"x-forwarded-for": HERE})

    assert answer.status_code == 401


@pytest.mark.parametrize("address", [ELSEWHERE, "::1:2", "::ffff:198.51.100.7", "12.7.0.1", ""])
async def test_another_machine_needs_a_token_even_where_none_exists(shop: Street, address: str) -> None:
    assert (await shop.ask("GET", WHO, address)).status_code == 401


async def test_what_is_open_to_anybody_is_open_by_path_and_method_alone(locked_shop: Street) -> None:
    statuses = [
        (await locked_shop.ask(method, f"/api/shop/{path}", ELSEWHERE)).status_code
        for method, path in [
            ("GET", "window/hat"),
            ("POST", "window/hat"),
            ("GET", "window/hat/price"),
            ("GET", "window/"),
        ]
    ]

    assert statuses == [200, 401, 401, 401]


@pytest.mark.parametrize("address", [HERE, ELSEWHERE])
async def test_a_token_is_who_it_says(locked_shop: Street, address: str) -> None:
    assert (await locked_shop.ask("GET", WHO, address, READER)).json() == READER
    assert (await locked_shop.ask("POST", "/api/shop/close", address, KEEPER)).status_code == 200


@pytest.mark.parametrize("authorization", ["Bearer wrong", "Bearer ", "Bearer", "Basic cmVhZGVyOg==", READER])
async def test_a_wrong_token_is_refused_everywhere(shop: Street, locked_shop: Street, authorization: str) -> None:
    for street in (shop, locked_shop):
        for path in (WHO, "/health/live"):
            answer = await street.ask("GET", path, headers={"authorization": authorization})
            assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHORIZED")


async def test_a_token_is_not_looked_for_in_the_url(locked_shop: Street) -> None:
    answer = await locked_shop.ask("GET", f"{WHO}?token={READER}&access_token={READER}")

    assert answer.status_code == 401


async def test_the_users_own_authentication_stands_in_for_tokens() -> None:
    async def authorize(request: Request) -> Caller | None:
        user = request.headers.get("x-user")
        return Caller(user, Door.API, frozenset({Scope.READ})) if user else None

    async with open_shop(Keys(), authorize=authorize, mounted=True) as street:
        anna = await street.ask("GET", WHO, ELSEWHERE, headers={"x-user": "anna"})
        too_far = await street.ask("POST", "/api/shop/close", ELSEWHERE, headers={"x-user": "anna"})
        nobody = await street.ask("GET", WHO, HERE, READER)

    assert anna.json() == "anna"
    assert (too_far.status_code, nobody.status_code) == (403, 401)


async def test_wrong_tokens_are_not_looked_at_for_ever() -> None:
    keys = Keys()
    async with open_shop(keys) as street:
        for _ in range(2 * FAILURES_AT_ONCE):
            await street.ask("GET", WHO, ELSEWHERE, "a guess")
        stopped = await street.ask("GET", WHO, ELSEWHERE, READER)
        elsewhere = await street.ask("GET", WHO, HERE, READER)
        street.app_context.clock.advance(60)  # type: ignore[attr-defined]
        later = await street.ask("GET", WHO, ELSEWHERE, READER)

    assert keys.asked.count("a guess") == FAILURES_AT_ONCE
    assert (stopped.status_code, elsewhere.status_code, later.status_code) == (429, 200, 200)


async def test_whoever_has_a_network_tries_no_more_tokens_for_it() -> None:
    keys = Keys()
    async with open_shop(keys) as street:
        for number in range(2 * FAILURES_AT_ONCE):
            await street.ask("GET", WHO, f"2001:db8::{number:x}", "a guess")

    assert keys.asked.count("a guess") == FAILURES_AT_ONCE


async def test_who_has_no_token_is_refused_without_counting_against_those_at_its_address(locked_shop: Street) -> None:
    for _ in range(FAILURES_AT_ONCE + 1):
        await locked_shop.ask("GET", WHO)

    assert (await locked_shop.ask("GET", WHO, token=READER)).status_code == 200
