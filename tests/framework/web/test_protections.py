"""Each protection holds off an attack that succeeds once that protection is taken out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from shopping import ELSEWHERE, HERE, KEEPER, PROXY, Keys, Street, open_shop

from framework.web.answers import Answers
from framework.web.authentication import Admission, Authentication
from framework.web.bodies import MAX_BODY, Bodies
from framework.web.guard import PROTECTIONS, Protection
from framework.web.hosts import Hosts
from framework.web.origins import Origins
from framework.web.problems import Problem
from framework.web.proxies import proxies
from framework.web.rates import FAILURES_AT_ONCE, Attempts, Rates
from framework.web.security_headers import SecurityHeaders

BURST = 40
SETTINGS: dict[str, Any] = {"http_trusted_proxies": (PROXY,), "http_rate_burst": BURST, "http_rate_limit": 1}

pytestmark = pytest.mark.usefixtures("empty_project")


async def a_name_is_pointed_at_this_machine(shop: Street) -> bool:
    answer = await shop.ask("GET", "/api/shop/who", token=KEEPER, headers={"host": "evil.example"})
    return bool(answer.status_code == 421)


async def a_page_of_another_site_sends_a_form(shop: Street) -> bool:
    answer = await shop.ask("POST", "/api/shop/close", token=KEEPER, headers={"origin": "http://evil.example"})
    return bool(answer.status_code == 403)


async def somebody_tries_tokens(shop: Street) -> bool:
    async with shop.client(ELSEWHERE, token="a guess") as client:
        statuses = [(await client.get("/api/shop/who")).status_code for _ in range(FAILURES_AT_ONCE + 1)]
    return statuses[-1] == 429


async def somebody_comes_without_a_token(shop: Street) -> bool:
    answer = await shop.ask("GET", "/api/shop/who", ELSEWHERE)
    return bool(answer.status_code == 401)


async def somebody_looks_for_what_is_there(shop: Street) -> bool:
    answer = await shop.ask("GET", "/nowhere", ELSEWHERE)
    return bool(answer.status_code == 401)


async def one_caller_takes_the_whole_server(shop: Street) -> bool:
    async with shop.client(HERE, KEEPER) as client:
        statuses = [(await client.get("/api/shop/who")).status_code for _ in range(BURST + 1)]
    return statuses[-1] == 429


async def somebody_behind_a_proxy_uses_up_what_others_behind_it_have(shop: Street) -> bool:
    for _ in range(BURST):
        await shop.ask("GET", "/health/live", PROXY, headers={"x-forwarded-for": ELSEWHERE})
    answer = await shop.ask("GET", "/health/live", PROXY, headers={"x-forwarded-for": "203.0.113.9"})
    return bool(answer.status_code == 200)


async def a_body_is_larger_than_memory(shop: Street) -> bool:
    body = b'{"goods": "' + b" " * MAX_BODY + b'"}'
    headers = {"content-type": "application/json"}
    answer = await shop.ask("POST", "/api/shop/order", token=KEEPER, content=body, headers=headers)
    return bool(answer.status_code == 413)


async def an_answer_is_shown_in_a_frame(shop: Street) -> bool:
    answer = await shop.ask("GET", "/health/live")
    return "frame-ancestors 'none'" in answer.headers.get("content-security-policy", "")


async def a_refusal_is_a_crash(shop: Street) -> bool:
    try:
        return bool((await shop.ask("GET", "/api/shop/who", ELSEWHERE)).status_code == 401)
    except Problem:
        return False


ATTACKS: dict[Protection, Callable[[Street], Awaitable[bool]]] = {
    SecurityHeaders: an_answer_is_shown_in_a_frame,
    Answers: a_refusal_is_a_crash,
    Hosts: a_name_is_pointed_at_this_machine,
    proxies: somebody_behind_a_proxy_uses_up_what_others_behind_it_have,
    Origins: a_page_of_another_site_sends_a_form,
    Attempts: somebody_tries_tokens,
    Authentication: somebody_comes_without_a_token,
    Rates: one_caller_takes_the_whole_server,
    Admission: somebody_looks_for_what_is_there,
    Bodies: a_body_is_larger_than_memory,
}


def test_every_protection_is_tried() -> None:
    assert set(ATTACKS) == set(PROTECTIONS)


@pytest.mark.parametrize("protection", PROTECTIONS, ids=lambda each: each.__name__)
async def test_a_protection_holds_off_what_comes_through_without_it(protection: Protection) -> None:
    attack = ATTACKS[protection]
    without = [each for each in PROTECTIONS if each is not protection]

    async with open_shop(Keys(), **SETTINGS) as street:
        assert await attack(street)
    async with open_shop(Keys(), protections=without, **SETTINGS) as street:
        assert not await attack(street)
