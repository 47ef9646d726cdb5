"""Idempotency-Key: what is sent again is answered again, and done once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from asking import HOURLY, Api

from framework.caller import Caller, Door, Scope, calling

DAY = 86_400.0


async def send(api: Api, key: str, status: int | None = None, **config: Any) -> Any:
    given = {"json": {**HOURLY, **config}, "headers": {"Idempotency-Key": key}}
    return await api.ask("POST", "/tasks", status, **given)


async def how_many(api: Api) -> int:
    return len((await api.get("/tasks", module_id="acme.test"))["tasks"])


async def test_the_same_request_is_answered_again_and_done_once(api: Api) -> None:
    first = await send(api, "a key", 201)
    again = await send(api, "a key", 201)

    assert again.json() == first.json()
    assert ("idempotency-replayed" in first.headers, again.headers["idempotency-replayed"]) == (False, "true")
    assert await how_many(api) == 1


async def test_an_answer_that_is_given_again_has_its_headers(api: Api, task_id: str) -> None:
    given = {"headers": {"Idempotency-Key": "pause"}}
    scheduled = [(await send(api, "a key", 201)).headers["location"] for _ in range(2)]
    paused = [(await api.ask("POST", f"/tasks/{task_id}/pause", 200, **given)).headers["etag"] for _ in range(2)]

    assert (scheduled[1], paused[1]) == (scheduled[0], paused[0])


async def test_another_request_of_the_same_key_is_refused(api: Api, node: Any) -> None:
    node.register("offered", lambda: None, api=True)
    await send(api, "a key", 201)

    assert (await send(api, "a key", 422, name="another")).json()["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert (await send(api, "", 422)).json()["code"] == "INVALID_IDEMPOTENCY_KEY"
    assert (await send(api, "a\tkey", 422)).json()["code"] == "INVALID_IDEMPOTENCY_KEY"
    assert (await send(api, "x" * 256, 422)).json()["code"] == "INVALID_IDEMPOTENCY_KEY"
    with calling(Caller("eve", Door.API)):
        await send(api, "a key", 201, function_name="offered")
    assert await how_many(api) == 2


async def test_the_same_of_another_task_is_another_request(api: Api, task_id: str) -> None:
    other = (await send(api, "another key", 201)).json()["task_id"]
    key = {"headers": {"Idempotency-Key": "a key"}}
    await api.ask("POST", f"/tasks/{task_id}/pause", 200, **key)

    refused = await api.ask("POST", f"/tasks/{other}/pause", 422, **key)

    assert refused.json()["code"] == "IDEMPOTENCY_KEY_REUSED"


async def test_an_answer_is_not_given_again_to_who_lost_the_scope_nor_to_another_of_that_name(
    api: Api, node: Any
) -> None:
    node.register("offered", lambda: None, api=True)
    first = Caller("eve", Door.API, frozenset(Scope), identity="token:1")
    with calling(first):
        await send(api, "a key", 201, function_name="offered")
    with calling(replace(first, scopes=frozenset({Scope.READ}))):
        lost = await send(api, "a key", 403, function_name="offered")
    with calling(replace(first, identity="token:2")):
        await send(api, "a key", 201, function_name="offered")

    assert (lost.json()["code"], await how_many(api)) == ("FORBIDDEN", 2)


async def test_of_requests_at_the_same_time_one_is_done(api: Api) -> None:
    answers = await asyncio.gather(*(send(api, "a key") for _ in range(10)))

    refused = [each for each in answers if each.status_code == 409]
    assert {each.status_code for each in answers} <= {201, 409}
    assert await how_many(api) == 1
    assert {each.headers["retry-after"] for each in refused} <= {"1"}


async def test_what_was_refused_may_succeed_later(api: Api, task_id: str, node: Any) -> None:
    path, key = f"/tasks/{task_id}/execute", {"headers": {"Idempotency-Key": "run"}}
    await api.post(path, 202)
    await api.ask("POST", path, 409, **key)
    await node.scheduler.run_due()

    done = await api.ask("POST", path, 202, **key)
    again = await api.ask("POST", path, 202, **key)

    assert again.json() == done.json()
    assert len((await api.get("/executions"))["executions"]) == 2


async def test_a_key_is_forgotten_after_a_day(api: Api, node: Any) -> None:
    await send(api, "a key", 201)
    node.clock.advance(DAY - 1)
    await send(api, "a key", 201)
    node.clock.advance(2)
    await send(api, "a key", 201)

    assert await how_many(api) == 2
