"""What the application is made of: its modules, the functions that they offer, and every setting with its source."""

from __future__ import annotations

from fastapi import Request

from framework.caller import Scope
from modules.core.scheduler.dashboard.desk import Desk, Values


def add(desk: Desk) -> None:
    """Add the screens."""

    @desk.screen("/modules", "modules.html")
    async def modules(_: Request) -> Values:
        health = await desk.app_context.health()
        return {
            "screen": "modules",
            "health": health,
            "found": await desk.examined.told(),
            "info": (await desk.scheduler.info()).unwrap(),
            "functions": (await desk.scheduler.list_functions()).unwrap(),
        }

    @desk.screen("/settings", "settings.html", scope=Scope.ADMIN)
    async def settings(request: Request) -> Values:
        every = desk.app_context.list_settings()
        changed = request.query_params.get("changed") == "yes"
        shown = [each for each in every if each["source"] != "default" or not changed]
        return {"screen": "modules", "settings": shown, "changed": changed}
