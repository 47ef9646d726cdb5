"""The command `chamberlain health`: for a container's health check, a service manager, or a person."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import typer

from framework.cli.opening import REFUSED, AsJson
from framework.errors import FrameworkError, one_line
from framework.invocation import invocation
from framework.terminal import complain, print_json, say

SECONDS = 10.0  # that a server may take to answer


def tell_health(context: typer.Context, as_json: AsJson = False) -> None:
    """Tell whether tasks are carried out, as the database says, or with --url as the server does; 1 where not."""
    url = invocation().url
    problems = _at(url) if url is not None else _in_database(context.obj)
    if as_json:
        print_json({"status": "unhealthy" if problems else "healthy", "problems": problems})
    elif problems:
        for problem in problems:
            complain(problem)
    else:
        say("healthy")
    if problems:
        raise typer.Exit(REFUSED)


def _in_database(doors: Mapping[str, ModuleType]) -> list[str]:
    import asyncio

    from framework.application import Application

    asking = {name: door.unwell for name, door in doors.items() if hasattr(door, "unwell")}

    async def look() -> list[str]:
        async with Application().open() as app_context:
            found = [
                each for name in sorted(app_context.present() & set(asking)) for each in await asking[name](app_context)
            ]
            return [f"{each.problem}; {each.cure}" for each in found]

    try:
        return asyncio.run(look())
    except FrameworkError as error:
        return [str(error)]


def _at(url: str) -> list[str]:
    import json
    from urllib.error import HTTPError
    from urllib.request import urlopen

    if not url.startswith(("http://", "https://")):
        raise typer.BadParameter(f"{url!r} is no address; write http://host:port")
    try:
        with urlopen(f"{url.rstrip('/')}/health/ready", timeout=SECONDS) as answer:  # noqa: S310  # it is http
            json.load(answer)
    except HTTPError as error:
        return [_detail(error)]
    except (OSError, ValueError) as error:
        return [f"{url} gives no answer: {one_line(error)}"]
    return []


def _detail(error: Any) -> str:
    import json

    try:
        return str(json.load(error)["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the server answers with status {error.code}"
