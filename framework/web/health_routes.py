"""Whether the application lives, has started, and is ready: for load balancers, orchestrators and people."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Response

from framework.caller import Scope, caller
from framework.context import AppContext, Phase
from framework.health import HEALTHY
from framework.web.problems import Problem
from framework.web.scopes import anyone

PREFIX = "/health"
_NOT_READY: dict[int | str, dict[str, Any]] = {
    503: {"description": "`NOT_READY`: the problem document names what is wrong."}
}


def health_router(app_context: AppContext, prefix: str = PREFIX) -> APIRouter:
    """Return the routes `/health`, `/health/live`, `/health/ready` and `/health/started`, open to anybody.

    Who may not read is told names and codes, never messages: these may quote what is stored.
    """
    router = APIRouter(prefix=prefix, tags=["health"], dependencies=[Depends(anyone)])

    @router.get("", status_code=200, responses=_NOT_READY)
    async def health(response: Response) -> dict[str, Any]:
        """Return the state of every module and check; 503 where one is unhealthy."""
        report = await app_context.health()
        response.status_code = 200 if report["status"] == HEALTHY else 503
        return report if caller().may(Scope.READ) else _bare(report)

    @router.get("/live", status_code=200)
    async def live() -> dict[str, str]:
        """Return 200 as long as the process and its event loop answer: restart what does not."""
        return {"status": "alive"}

    @router.get("/ready", status_code=200, responses=_NOT_READY)
    async def ready() -> dict[str, str]:
        """Return 200 where everything works, else a problem document that names what does not: send no work."""
        if app_context.phase is not Phase.RUNNING:
            raise _not_ready(f"the application is {app_context.phase.value}", {})
        report = await app_context.health()
        if report["status"] != HEALTHY:
            wrong = _wrong(report)
            raise _not_ready(f"unhealthy: {', '.join(wrong)}", wrong if caller().may(Scope.READ) else _codes(wrong))
        return {"status": "ready"}

    @router.get("/started", status_code=200, responses=_NOT_READY)
    async def started() -> dict[str, str]:
        """Return 200 once every module has started, or failed to."""
        if app_context.phase in (Phase.REGISTERING, Phase.STARTING):
            raise _not_ready(f"the application is {app_context.phase.value}", {})
        return {"status": "started"}

    for path, answer in (("", health), ("/live", live), ("/ready", ready), ("/started", started)):
        router.add_api_route(path, answer, methods=["HEAD"], include_in_schema=False)  # as some load balancers ask
    return router


def _not_ready(detail: str, details: dict[str, Any]) -> Problem:
    return Problem(503, "NOT_READY", detail, details, headers={"Retry-After": "5"})


def _wrong(report: dict[str, Any]) -> dict[str, Any]:
    entries = {**report["modules"], **report["checks"]}
    return {name: entry for name, entry in entries.items() if entry["status"] != HEALTHY}


def _codes(entries: dict[str, Any]) -> dict[str, Any]:
    return {name: {key: entry[key] for key in ("status", "code") if key in entry} for name, entry in entries.items()}


def _bare(report: dict[str, Any]) -> dict[str, Any]:
    return {"status": report["status"], "modules": _codes(report["modules"]), "checks": _codes(report["checks"])}
