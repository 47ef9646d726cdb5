"""Tokens over HTTP, for whoever has the scope `admin`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from framework.caller import Scope
from framework.context import AppContext
from framework.web.json_answer import JsonAnswer
from framework.web.paths import Paths
from framework.web.problems import unwrapped
from modules.core.access.service import AccessService

PREFIX = "/api/v1/access"
STATUSES = {"INVALID_CONFIG": 422, "ALREADY_EXISTS": 409, "TOKEN_NOT_FOUND": 404}


class NewToken(BaseModel):
    """What a token is to be."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(description="By which people and the audit know it.")
    scopes: list[Scope] = Field(min_length=1, max_length=len(Scope), description="What it may do.")
    expires_in: str | None = Field(default=None, description="How long it holds, such as `90d`; by default for ever.")


class TokenShown(BaseModel):
    """A token without its secret."""

    id: str = Field(description="The part of the token that is no secret.")
    name: str = Field(description="By which people and the audit know it.")
    scopes: list[Scope] = Field(description="What it may do.")
    state: str = Field(description="active, expired or revoked.")
    created_at: datetime = Field(description="When it was made.")
    created_by: str = Field(description="Who made it.")
    last_used_at: datetime | None = Field(description="When somebody came in with it last, true to the minute.")
    expires_at: datetime | None = Field(description="Until when it holds; null for ever.")
    revoked_at: datetime | None = Field(description="When it was revoked.")
    revoked_by: str | None = Field(description="Who revoked it.")


class TokenMade(TokenShown):
    """A token with its secret, told this once."""

    token: str = Field(description="To be sent as `Authorization: Bearer …`; it is stored nowhere.")


class Tokens(BaseModel):
    """All tokens."""

    tokens: list[TokenShown] = Field(description="In the order in which they were made.")


class TokenRoutes:
    """The routes below `/api/v1/access`."""

    def __init__(self, app_context: AppContext) -> None:
        self._app_context = app_context

    @property
    def _access(self) -> AccessService:
        return self._app_context.get_service(AccessService)

    def add_to(self, paths: Paths) -> None:
        """Add them."""
        paths.add("GET", "/tokens", self.list_tokens, Tokens, Scope.ADMIN)
        refusals = ("INVALID_CONFIG", "ALREADY_EXISTS")
        paths.add("POST", "/tokens", self.create_token, TokenMade, Scope.ADMIN, *refusals, status=201)
        paths.add("POST", "/tokens/{token}/revoke", self.revoke_token, TokenShown, Scope.ADMIN, "TOKEN_NOT_FOUND")

    async def list_tokens(self) -> Response:
        """List the tokens, also those that are expired or revoked; never a secret."""
        return JsonAnswer({"tokens": unwrapped(await self._access.list(), STATUSES)})

    async def create_token(self, new: NewToken) -> Response:
        """Make a token; its secret is in this answer and nowhere else."""
        made = await self._access.create(new.name, new.scopes, new.expires_in)
        return JsonAnswer(unwrapped(made, STATUSES), 201)

    async def revoke_token(self, token: Annotated[str, Path(description="Its id, or its name.")]) -> Response:
        """End a token; here at once, in other processes within two seconds."""
        return JsonAnswer(unwrapped(await self._access.revoke(token), STATUSES))


def routes(app_context: AppContext) -> APIRouter:
    """Return the routes below `/api/v1/access`."""
    paths = Paths(PREFIX, STATUSES, "access")
    TokenRoutes(app_context).add_to(paths)
    return paths.router
