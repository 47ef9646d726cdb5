"""How access moves in: its service, its table, its routes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from framework.context import AppContext
from framework.module import Module
from modules.core.access.service import AccessService


class AccessModule(Module):
    """Provides `core.access.service`, by which the server finds out who comes in."""

    id = "core.access"
    migrations = "modules.core.access:migrations"

    def register(self, app_context: AppContext) -> None:
        """Provide the service and the routes."""
        app_context.add_service("core.access.service", AccessService(app_context))
        app_context.add_routes(_routes)

    @asynccontextmanager
    async def lifespan(self, app_context: AppContext) -> AsyncIterator[None]:
        """Note what was used last before the database closes."""
        yield
        await app_context.get_service(AccessService).close()


def _routes(app_context: AppContext) -> Any:
    from modules.core.access.api import routes  # FastAPI takes long to import

    return routes(app_context)
