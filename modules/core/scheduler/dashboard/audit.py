"""Who has changed what, and when."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from modules.core.scheduler.dashboard.desk import Desk, Values

PAGE = 50
FILTERS = ("actor", "action", "kind", "target")


def add(desk: Desk) -> None:
    """Add the screen."""

    @desk.screen("/audit", "audit.html")
    async def audit(request: Request) -> Values:
        asked = request.query_params
        filters: dict[str, Any] = {name: asked.get(name) or None for name in FILTERS}
        page = (await desk.scheduler.list_audit(**filters, limit=PAGE, cursor=asked.get("cursor") or None)).unwrap()
        return {"screen": "audit", "filters": FILTERS, **page}
