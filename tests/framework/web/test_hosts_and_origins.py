"""Which names a request may be for, which pages may change something, and what an answer tells a browser."""

from __future__ import annotations

import pytest
from shopping import Keys, Street, open_shop

CHANGE = "/api/shop/close"
FOR_BROWSERS = {  # written out: what the program says of itself would prove nothing
    "content-security-policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}

pytestmark = pytest.mark.usefixtures("empty_project")


@pytest.mark.parametrize(
    "host",
    ["localhost:8000", "LOCALHOST", "127.0.0.1:8000", "[::1]:8000", "192.0.2.1:8000", "shop.example", "a.example."],
)
async def test_a_request_for_a_name_of_ours_is_answered(host: str) -> None:
    async with open_shop(http_host="192.0.2.1", http_allowed_hosts=("shop.example", "A.example")) as street:
        answer = await street.ask("GET", "/health/live", headers={"host": host})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "192.0.2.1", "127.0.0.1.evil.example:80", ""]
)
async def test_a_request_for_another_name_is_refused_even_where_nothing_is_hidden(shop: Street, host: str) -> None:
    answer = await shop.ask("GET", "/health/live", headers={"host": host})

    assert (answer.status_code, answer.json()["code"]) == (421, "HOST_NOT_ALLOWED")


async def test_the_address_on_which_a_request_came_in_is_a_name_of_ours(shop: Street) -> None:
    answer = await shop.ask("GET", "http://192.0.2.1:8000/health/live")

    assert answer.status_code == 200


async def test_a_star_allows_every_name() -> None:
    async with open_shop(http_allowed_hosts=("*",)) as street:
        answer = await street.ask("GET", "/health/live", headers={"host": "any.example"})

    assert answer.status_code == 200


async def test_two_hosts_are_none(shop: Street) -> None:
    answer = await shop.ask("GET", "/health/live", headers=[("host", "localhost"), ("host", "evil.example")])

    assert (answer.status_code, answer.json()["code"]) == (400, "REPEATED_HEADER")


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:9000"},
        {"sec-fetch-site": "cross-site", "origin": "http://localhost:8000"},
        {"sec-fetch-site": "same-site"},
    ],
)
async def test_a_page_of_another_origin_changes_nothing(shop: Street, headers: dict[str, str]) -> None:
    refused = await shop.ask("POST", CHANGE, headers=headers)
    read = await shop.ask("GET", "/api/shop/who", headers=headers)

    assert (refused.status_code, refused.json()["code"]) == (403, "CROSS_SITE")
    assert read.status_code == 200
    assert "access-control-allow-origin" not in read.headers


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://localhost:8000"},
        {"sec-fetch-site": "same-origin", "origin": "https://before.the.proxy"},
        {"sec-fetch-site": "none"},
    ],
)
async def test_our_own_page_and_a_program_may_change_something(shop: Street, headers: dict[str, str]) -> None:
    assert (await shop.ask("POST", CHANGE, headers=headers)).status_code == 200


@pytest.mark.parametrize("path", ["/health/live", "/nowhere", "/api/docs", "/api/shop/broken"])
async def test_every_answer_tells_a_browser_what_not_to_do(shop: Street, path: str) -> None:
    answer = await shop.ask("GET", path)

    assert {name: answer.headers.get(name) for name in FOR_BROWSERS} == FOR_BROWSERS
    assert answer.headers["cache-control"] == "no-store"
    assert "server" not in answer.headers


async def test_a_refusal_at_the_door_carries_the_headers_too() -> None:
    async with open_shop(Keys()) as street:
        answer = await street.ask("GET", "/api/shop/who")

    assert answer.status_code == 401
    assert {name: answer.headers.get(name) for name in FOR_BROWSERS} == FOR_BROWSERS
