"""A token from end to end: through the guard, as far as its scopes go, into the audit, until it is revoked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from framework import Application
from framework.testing import FakeClock
from framework.web.assembling import web_application
from framework.web.guard import guarded
from framework.web.rules import Rules
from modules.core.access import AccessService
from modules.core.scheduler import SchedulerService

TASKS = "/api/v1/scheduler/tasks"
EXECUTIONS = "/api/v1/scheduler/executions"
HOURLY = {"module_id": "acme.shop", "recurring": True, "interval_type": "hours", "interval_value": 1}


class Shop:
    """A server with tokens, asked from another machine."""

    def __init__(self, app_context: Any, client: httpx2.AsyncClient) -> None:
        self.scheduler = app_context.get_service(SchedulerService)
        self.access = app_context.get_service(AccessService)
        self._client = client

    async def token(self, name: str, *scopes: str) -> str:
        """Make a token."""
        return str((await self.access.create(name, scopes)).unwrap()["token"])

    async def ask(self, token: str, method: str, path: str, **given: Any) -> tuple[int, Any]:
        """Return the status and the JSON of an answer."""
        headers = {"authorization": f"Bearer {token}"}
        answer = await self._client.request(method, path, headers=headers, **given)
        return answer.status_code, answer.json()


@pytest.fixture
async def shop(sqlite_url: str, tmp_path: Path, clock: FakeClock) -> AsyncIterator[Shop]:
    """One with the functions `order`, for everybody, and `close`, for itself."""
    settings: dict[str, Any] = {
        "framework": {"database_url": sqlite_url, "data_dir": str(tmp_path / "data")},
        "core.scheduler": {"enabled": False, "timezone": "UTC"},
    }

    async def work(*, card: str = "") -> None: ...

    modules = ["core.access", "core.scheduler"]
    async with Application(modules=modules, settings=settings, clock=clock) as app_context:
        scheduler = app_context.get_service(SchedulerService)
        scheduler.register_function("acme.shop", "order", work, api=True, secret=["card"])
        scheduler.register_function("acme.shop", "close", work)
        app = guarded(web_application(app_context), Rules(app_context))
        transport = httpx2.ASGITransport(app=app, client=("198.51.100.7", 4711))
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
            yield Shop(app_context, client)


async def test_a_token_schedules_what_it_may_and_the_audit_names_it(shop: Shop) -> None:
    token = await shop.token("ci", "schedule")

    made = await shop.ask(token, "POST", TASKS, json={"name": "o", "function_name": "order", **HOURLY})
    refused = await shop.ask(token, "POST", TASKS, json={"name": "c", "function_name": "close", **HOURLY})

    assert made[0] == 201
    assert (refused[0], refused[1]["code"]) == (403, "FUNCTION_NOT_ALLOWED")
    (entry,) = (await shop.scheduler.list_audit(kind="task")).unwrap()["entries"]
    assert (entry["actor"], entry["door"], entry["target"]) == ("ci", "api", made[1]["task_id"])
    assert (await shop.scheduler.get_task(made[1]["task_id"])).unwrap()["created_by"] == "ci"


async def test_a_token_does_no_more_than_its_scopes(shop: Shop) -> None:
    tokens = {scope: await shop.token(scope, scope) for scope in ("read", "operate", "schedule", "admin")}
    order = {"name": "o", "function_name": "order", **HOURLY}
    task_id = (await shop.scheduler.schedule_task(order)).unwrap()["task_id"]
    ways: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", TASKS, {}),
        ("POST", f"{TASKS}/{task_id}/pause", {}),
        ("POST", TASKS, {"json": order}),
        ("GET", "/api/v1/scheduler/audit", {}),
        ("GET", "/api/v1/access/tokens", {}),
    ]

    allowed = {
        scope: [(await shop.ask(token, method, path, **given))[0] < 300 for method, path, given in ways]
        for scope, token in tokens.items()
    }

    assert allowed == {
        "read": [True, False, False, False, False],
        "operate": [True, True, False, False, False],
        "schedule": [True, False, True, False, False],
        "admin": [True, True, True, True, True],
    }


async def test_a_revoked_token_is_refused_at_the_next_request(shop: Shop) -> None:
    await shop.token("other", "read")
    token = await shop.token("ci", "read")
    before = await shop.ask(token, "GET", TASKS)

    await shop.access.revoke("ci")
    after = await shop.ask(token, "GET", TASKS)

    assert (before[0], after[0]) == (200, 401)


async def test_tokens_are_in_the_audit_without_their_secrets(shop: Shop) -> None:
    admin = await shop.token("root", "admin")
    _, made = await shop.ask(admin, "POST", "/api/v1/access/tokens", json={"name": "ci", "scopes": ["read"]})
    await shop.ask(admin, "POST", "/api/v1/access/tokens/ci/revoke")

    _, page = await shop.ask(admin, "GET", "/api/v1/scheduler/audit?kind=token")

    told = [(each["actor"], each["action"], each["name"], each["target"]) for each in page["entries"]]
    assert told == [("root", "revoke", "ci", made["id"]), ("root", "create", "ci", made["id"])]
    assert made["token"].rpartition("_")[2] not in repr(page)


async def test_secrets_are_masked_in_what_is_answered(shop: Shop) -> None:
    token = await shop.token("ci", "schedule")
    paid = {"name": "o", "function_name": "order", **HOURLY, "parameters": {"card": "4711-0815"}}

    _, made = await shop.ask(token, "POST", TASKS, json=paid)
    answers = [
        await shop.ask(token, "GET", f"{TASKS}/{made['task_id']}"),
        await shop.ask(token, "GET", TASKS),
        await shop.ask(token, "PATCH", f"{TASKS}/{made['task_id']}", json={"priority": 3}),
        await shop.ask(token, "POST", TASKS, json={**paid, "parameters": {"card": ["4711-0815"]}}),
    ]

    assert answers[0][1]["parameters"] == {"card": "***"}
    assert [status for status, _ in answers] == [200, 200, 200, 422]
    assert "4711-0815" not in repr(answers)


async def test_tracebacks_are_for_those_who_operate(shop: Shop) -> None:
    seen = {}
    shop.scheduler.register_function("acme.shop", "fail", lambda: 1 / 0)
    fail = {"name": "f", "module_id": "acme.shop", "function_name": "fail", "schedule_time": "now"}
    task_id = (await shop.scheduler.schedule_task(fail)).unwrap()["task_id"]
    await shop.scheduler.run_due()
    (ended,) = (await shop.scheduler.get_executions(task_id)).unwrap()["executions"]
    paths = [f"{TASKS}/{task_id}/executions", EXECUTIONS, f"{EXECUTIONS}/{ended['id']}"]

    tokens = {scope: await shop.token(scope, scope) for scope in ("operate", "read", "schedule", "admin")}
    for token in tokens.values():
        await shop.ask(token, "GET", TASKS)
    await shop.access.close()  # nothing is written from here on, so that answers are kept from one to the next

    for scope, token in tokens.items():
        answers = [(await shop.ask(token, "GET", path))[1] for path in paths]
        seen[scope] = {"ZeroDivisionError" in (each["traceback"] or "") for each in executions_of(answers)}
        assert {each["error"] for each in executions_of(answers)} == {"ZeroDivisionError: division by zero"}

    assert seen == {"operate": {True}, "read": {False}, "schedule": {False}, "admin": {True}}


def executions_of(answers: list[Any]) -> list[Any]:
    return [each for answer in answers for each in answer.get("executions", [answer])]
