"""What may come with a request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from shopping import Street

ORDER = "/api/shop/order"
JSON = {"content-type": "application/json"}

pytestmark = pytest.mark.usefixtures("empty_project")


async def in_parts(size: int) -> AsyncIterator[bytes]:
    yield b'{"goods": "'
    for _ in range(size // 100_000):
        yield b" " * 100_000
    yield b'"}'


async def test_a_body_within_the_bounds_arrives_whole(shop: Street) -> None:
    answer = await shop.ask("POST", ORDER, content=in_parts(300_000), headers=JSON)

    assert answer.json() == {"goods": " " * 300_000}


async def test_a_body_that_does_not_say_its_size_is_counted(shop: Street) -> None:
    answer = await shop.ask("POST", ORDER, content=in_parts(2_000_000), headers=JSON)

    assert (answer.status_code, answer.json()["code"]) == (413, "BODY_TOO_LARGE")


async def test_a_body_that_says_it_is_too_large_is_not_read(shop: Street) -> None:
    read: list[bytes] = []

    async def noted() -> AsyncIterator[bytes]:
        read.append(b"{}")
        yield b"{}"

    answer = await shop.ask("POST", ORDER, content=noted(), headers={**JSON, "content-length": "3000000"})

    assert (answer.status_code, read) == (413, [])


@pytest.mark.parametrize(
    ("headers", "content", "status", "code"),
    [
        ({"content-type": "text/plain"}, b"{}", 415, "UNSUPPORTED_MEDIA_TYPE"),
        ({"content-type": "application/x-www-form-urlencoded"}, b"a=1", 415, "UNSUPPORTED_MEDIA_TYPE"),
        ({}, b"{}", 415, "UNSUPPORTED_MEDIA_TYPE"),
        ({**JSON, "content-encoding": "gzip"}, b"\x1f\x8b", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (JSON, b'{"a": 1, "a": 2}', 422, "INVALID_JSON"),
        (JSON, b'{"a": NaN}', 422, "INVALID_JSON"),
        (JSON, b'{"a": 1e999}', 422, "INVALID_JSON"),
        (JSON, b'{"a": ' + b"9" * 5000 + b"}", 422, "INVALID_JSON"),
        (JSON, b'{"a": ' + b"[" * 65 + b"]" * 65 + b"}", 422, "INVALID_JSON"),
        (JSON, b'{"a": ' + b"[" * 100_000, 422, "INVALID_JSON"),
        (JSON, b'{"a": "\xff"}', 422, "INVALID_JSON"),
        (JSON, b"{", 422, "INVALID_JSON"),
    ],
)
async def test_the_api_takes_strict_json_and_nothing_else(
    shop: Street, headers: dict[str, str], content: bytes, status: int, code: str
) -> None:
    answer = await shop.ask("POST", ORDER, content=content, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize("more", [{}, {"content": b""}, {"headers": JSON, "content": b""}])
async def test_a_change_without_a_body_needs_no_type(shop: Street, more: dict[str, Any]) -> None:
    assert (await shop.ask("POST", "/api/shop/close", **more)).status_code == 200


async def test_nobodys_body_is_read_before_he_is_let_in(locked_shop: Street) -> None:
    answer = await locked_shop.ask("POST", ORDER, content=b"{", headers=JSON)

    assert answer.status_code == 401


async def test_a_json_type_of_its_own_is_json(shop: Street) -> None:
    headers = {"content-type": "application/merge-patch+json; charset=utf-8"}

    assert (await shop.ask("POST", ORDER, content=b'{"a": NaN}', headers=headers)).status_code == 422
