"""The secret of a token: hard to guess, stored nowhere, told once, compared in constant time."""

from __future__ import annotations

import hmac

import pytest
from sqlalchemy import select

from framework import AppContext
from modules.core.access import AccessService
from modules.core.access.tables import tokens
from modules.core.access.tokens import Token


async def made(access: AccessService, name: str = "ci") -> dict[str, str]:
    return (await access.create(name, ["read"])).unwrap()


async def test_a_token_is_recognised_by_people_and_by_scanners(access: AccessService) -> None:
    token = await made(access)

    assert token["token"].startswith(f"chmb_{token['id']}_")


async def test_credentials_cannot_be_guessed(access: AccessService) -> None:
    first, second = Token.read((await made(access))["token"]), Token.read((await made(access, "other"))["token"])

    assert first is not None
    assert second is not None
    assert len(bytes.fromhex(first.secret)) * 8 >= 128
    assert first.secret != second.secret


async def test_credentials_are_stored_as_hashes_only(access: AccessService, app_context: AppContext) -> None:
    token = Token.read((await made(access))["token"])
    assert token is not None

    rows = await app_context.database.read(lambda c: c.execute(select(tokens)).all())

    assert token.secret not in repr(rows)
    assert rows[0].secret_hash == token.secret_hash


async def test_credentials_are_told_once(access: AccessService) -> None:
    token = await made(access)

    listed = (await access.list()).unwrap()

    assert "token" not in listed[0]
    assert token["token"].rpartition("_")[2] not in repr(listed)
    assert repr(Token.read(token["token"])) == f"Token(id='{token['id']}')"


async def test_credentials_are_compared_in_constant_time(
    access: AccessService, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = (await made(access))["token"]
    compared = []

    def compare(one: str, other: str) -> bool:
        compared.append((len(one), len(other)))
        return False

    monkeypatch.setattr(hmac, "compare_digest", compare)

    assert await access.verify(token) is None
    assert compared == [(64, 64)]
