"""Tokens over HTTP: for the scope `admin` alone, and a secret in one answer only."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from framework import AppContext
from framework.caller import Caller, Door, Scope, calling
from framework.web.assembling import web_application
from modules.core.access import AccessService

TOKENS = "/api/v1/access/tokens"


class As:
    """Every request comes from this caller, as the guard that stands before the routes would say."""

    def __init__(self, app: FastAPI, *scopes: Scope) -> None:
        self._app = app
        self._who = Caller("ada", Door.API, frozenset(scopes))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        with calling(self._who):
            await self._app(scope, receive, send)


def client(app_context: AppContext, *scopes: Scope) -> TestClient:
    return TestClient(As(web_application(app_context), *scopes))


async def test_an_admin_makes_lists_and_revokes_tokens(app_context: AppContext) -> None:
    admin = client(app_context, Scope.ADMIN)

    made = admin.post(TOKENS, json={"name": "ci", "scopes": ["read", "operate"], "expires_in": "90d"})
    listed = admin.get(TOKENS).json()["tokens"]
    revoked = admin.post(f"{TOKENS}/ci/revoke")

    assert made.status_code == 201
    assert await app_context.get_service(AccessService).verify(made.json()["token"]) is None
    assert [(each["name"], each["scopes"], each["created_by"]) for each in listed] == [
        ("ci", ["operate", "read"], "ada")
    ]
    assert "token" not in listed[0]
    assert revoked.json()["state"] == "revoked"


@pytest.mark.parametrize("scope", [Scope.READ, Scope.OPERATE, Scope.SCHEDULE])
async def test_credentials_are_made_by_no_other_scope(app_context: AppContext, scope: Scope) -> None:
    other = client(app_context, scope)

    answers = [
        other.get(TOKENS),
        other.post(TOKENS, json={"name": "ci", "scopes": ["admin"]}),
        other.post(f"{TOKENS}/ci/revoke"),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]


async def test_refusals_are_problem_documents(app_context: AppContext) -> None:
    admin = client(app_context, Scope.ADMIN)
    admin.post(TOKENS, json={"name": "ci", "scopes": ["read"]})

    answers = [
        admin.post(TOKENS, json={"name": "ci", "scopes": ["read"]}),
        admin.post(TOKENS, json={"name": "\n", "scopes": ["read"]}),
        admin.post(TOKENS, json={"name": "other", "scopes": ["root"]}),
        admin.post(f"{TOKENS}/nobody/revoke"),
    ]

    told = [(answer.status_code, answer.json()["code"]) for answer in answers]
    assert told == [
        (409, "ALREADY_EXISTS"),
        (422, "INVALID_CONFIG"),
        (422, "INVALID_REQUEST"),
        (404, "TOKEN_NOT_FOUND"),
    ]
