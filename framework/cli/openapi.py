"""The command `chamberlain openapi`."""

from __future__ import annotations

import asyncio
from typing import Any

from framework.terminal import print_json


def openapi() -> None:
    """Print the OpenAPI document of all routes, as a server answers it at /api/openapi.json; needs no database."""
    print_json(asyncio.run(_document()))


async def _document() -> dict[str, Any]:
    from framework.application import Application
    from framework.web.assembling import web_application

    async with Application().registered() as app_context:
        document: dict[str, Any] = web_application(app_context).openapi()
        return document
