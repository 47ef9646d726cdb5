"""Tokens over HTTP, for whoever has the scope `admin`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field

from framework.caller import Scope
from framework.context import AppContext
from framework.web.problems import unwrapped
from framework.web.scopes import requires
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


def routes(app_context: AppContext) -> APIRouter:
    """Return the routes below `/api/v1/access`."""
    router = APIRouter(prefix=PREFIX, tags=["access"], dependencies=[Depends(requires(Scope.ADMIN))])

    def service() -> AccessService:
        return app_context.get_service(AccessService)

    @router.get("/tokens", operation_id="list_tokens", response_model=Tokens)
    async def list_tokens() -> Any:
        """List the tokens, also those that are expired or revoked; never a secret."""
        return {"tokens": unwrapped(await service().list(), STATUSES)}

    @router.post("/tokens", operation_id="create_token", status_code=201, response_model=TokenMade)
    async def create_token(new: NewToken) -> Any:
        """Make a token; its secret is in this answer and nowhere else."""
        return unwrapped(await service().create(new.name, new.scopes, new.expires_in), STATUSES)

    @router.post("/tokens/{token}/revoke", operation_id="revoke_token", response_model=TokenShown)
    async def revoke_token(token: Annotated[str, Path(description="Its id, or its name.", max_length=100)]) -> Any:
        """End a token; here at once, in other processes within two seconds."""
        return unwrapped(await service().revoke(token), STATUSES)

    return router
