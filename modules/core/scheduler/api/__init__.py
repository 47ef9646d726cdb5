"""The scheduler's door of HTTP: routes that translate between requests and the service, and decide nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # FastAPI is imported only where something is served
    from framework.context import AppContext

PREFIX = "/api/v1/scheduler"


def routes(app_context: AppContext) -> Any:
    """Return the scheduler's `fastapi.APIRouter`, with the prefix `/api/v1/scheduler`."""
    from modules.core.scheduler.api.routing import router_of

    return router_of(app_context, PREFIX)
