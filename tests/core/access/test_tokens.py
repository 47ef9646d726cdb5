"""A token lets in whoever holds it, as far as its scopes go, until it expires or is revoked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from framework import AppContext
from framework.caller import Caller, Door, Scope, calling
from framework.testing import FakeClock
from framework.testing.statements import seen_by
from modules.core.access import AccessService
from modules.core.access import service as service_module
from modules.core.access.tokens import Token

ADA = Caller("ada@desk", Door.CLI)


async def made(access: AccessService, name: str = "ci", scopes: Any = ("read",), **options: Any) -> dict[str, Any]:
    return (await access.create(name, scopes, **options)).unwrap()


async def test_a_token_names_its_caller_and_what_it_may_do(access: AccessService) -> None:
    token = await made(access, "ci", ("operate", "read"))

    who = await access.verify(token["token"])

    assert who == Caller("ci", Door.API, frozenset({Scope.READ, Scope.OPERATE}), identity=f"token:{token['id']}")


async def test_by_another_door_it_is_the_same_caller(access: AccessService) -> None:
    token = (await made(access))["token"]

    who = await access.verify(token, Door.DASHBOARD)

    assert who is not None
    assert (who.name, who.door) == ("ci", Door.DASHBOARD)


async def test_what_is_no_token_lets_nobody_in(access: AccessService) -> None:
    token = (await made(access))["token"]
    own = Token.read(token)
    assert own is not None
    wrong = Token(own.id, "0" * 48).text
    unknown = Token("0" * 12, own.secret).text

    for text in (
        "",
        "x",
        token.upper(),
        token + "0",
        token[:-1],
        f"{token}\n",
        "\udc80",
        "x" * 100_000,
        wrong,
        unknown,
    ):
        assert await access.verify(text) is None


async def test_a_token_expires_at_its_moment(access: AccessService, clock: FakeClock) -> None:
    token = (await made(access, expires_in="1 hour"))["token"]

    clock.advance(3599.999)
    before = await access.verify(token)
    clock.advance(0.001)

    assert before is not None
    assert await access.verify(token) is None
    assert [each["state"] for each in (await access.list()).unwrap()] == ["expired"]


async def test_a_revoked_token_lets_nobody_in_from_that_moment(access: AccessService) -> None:
    token = (await made(access))["token"]
    assert await access.verify(token) is not None

    with calling(ADA):
        revoked = (await access.revoke("ci")).unwrap()

    assert await access.verify(token) is None
    assert (revoked["state"], revoked["revoked_by"]) == ("revoked", "ada@desk")


async def test_in_another_process_a_revoked_token_dies_within_seconds(
    access: AccessService, app_context: AppContext, clock: FakeClock
) -> None:
    other_process = AccessService(app_context)  # what it remembers is its own
    token = await made(access)
    assert await other_process.verify(token["token"]) is not None

    await access.revoke(token["id"])
    clock.advance(service_module.REMEMBERED)

    assert await other_process.verify(token["token"]) is None


async def test_a_token_that_is_used_often_costs_no_query(
    access: AccessService, app_context: AppContext, clock: FakeClock
) -> None:
    token = (await made(access))["token"]
    await access.verify(token)
    await access.any_exist()
    await access.close()

    with seen_by(app_context.database) as seen:
        for _ in range(10):
            clock.advance(service_module.REMEMBERED / 20)
            assert await access.verify(token) is not None
            assert await access.any_exist()

    assert seen.statements == []


async def test_who_tries_ids_fills_no_memory(access: AccessService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_module, "MOST_REMEMBERED", 10)

    for number in range(50):
        assert await access.verify(Token(f"{number:012x}", "0" * 48).text) is None

    assert len(access._known) <= 10


async def test_the_last_use_is_noted_at_most_once_a_minute(anywhere: AppContext, clock: FakeClock) -> None:
    access = anywhere.get_service(AccessService)
    token = (await made(access))["token"]
    noted = []

    for _ in range(4):
        await access.verify(token)
        await access.close()
        noted.append((await access.list()).unwrap()[0]["last_used_at"])
        clock.advance(30)

    start = clock.now() - timedelta(seconds=120)
    assert noted == [start, start, start + timedelta(minutes=1), start + timedelta(minutes=1)]


async def test_whoever_comes_in_does_not_wait_for_the_note_of_it(
    access: AccessService, app_context: AppContext, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = (await made(access))["token"]

    async def locked(_work: Any) -> None:
        raise RuntimeError("locked")

    monkeypatch.setattr(app_context.database, "write", locked)

    assert await access.verify(token) is not None
    await access.close()
    assert "could not be noted" in caplog.text


async def test_only_a_token_with_which_somebody_could_come_in_counts(anywhere: AppContext, clock: FakeClock) -> None:
    access = anywhere.get_service(AccessService)
    seen = [await access.any_exist()]
    await made(access, "short", expires_in="1 hour")
    seen.append(await access.any_exist())
    clock.advance(3600)
    seen.append(await access.any_exist())
    await made(access, "long")
    seen.append(await access.any_exist())
    await access.revoke("long")
    seen.append(await access.any_exist())

    assert seen == [False, True, False, True, False]


async def test_a_name_is_that_of_one_token_until_it_is_revoked(anywhere: AppContext, clock: FakeClock) -> None:
    access = anywhere.get_service(AccessService)
    first = await made(access)

    again = await access.create("ci", ["admin"])
    await access.revoke(first["id"])
    clock.advance(1)
    second = await made(access)

    assert again.error is not None
    assert again.error.code == "ALREADY_EXISTS"
    assert [each["state"] for each in (await access.list()).unwrap()] == ["revoked", "active"]
    assert second["id"] != first["id"]


async def test_a_token_that_is_not_there_cannot_be_revoked(anywhere: AppContext) -> None:
    access = anywhere.get_service(AccessService)
    for name in ("nobody", "", "\x00", "\udc80"):
        refused = await access.revoke(name)
        assert refused.error is not None
        assert refused.error.code == "TOKEN_NOT_FOUND"


async def test_revoking_again_changes_nothing(access: AccessService, clock: FakeClock) -> None:
    token = await made(access)
    first = (await access.revoke(token["id"])).unwrap()
    clock.advance(60)

    assert (await access.revoke(token["id"])).unwrap() == first


@pytest.mark.parametrize(
    ("name", "scopes", "expires_in", "field"),
    [
        ("", ["read"], None, "name"),
        ("line\nbreak", ["read"], None, "name"),
        ("a" * 101, ["read"], None, "name"),
        (7, ["read"], None, "name"),
        ("ci", [], None, "scopes"),
        ("ci", ["root"], None, "scopes"),
        ("ci", ["read"], "soon", "expires_in"),
        ("ci", ["read"], "0 days", "expires_in"),
        ("ci", ["read"], "-5m", "expires_in"),
    ],
)
async def test_what_cannot_be_a_token_is_refused_by_field(
    access: AccessService, name: Any, scopes: list[str], expires_in: Any, field: str
) -> None:
    refused = await access.create(name, scopes, expires_in)

    assert refused.error is not None
    assert refused.error.code == "INVALID_CONFIG"
    assert [each["field"] for each in (refused.error.details or {})["problems"]] == [field]
    assert (await access.list()).unwrap() == []


async def test_who_made_a_token_is_kept(access: AccessService, clock: FakeClock) -> None:
    with calling(ADA):
        await made(access)

    (token,) = (await access.list()).unwrap()
    assert (token["created_by"], token["created_at"]) == ("ada@desk", clock.now())
