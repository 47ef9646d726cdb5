"""What failed lately, the same failures together: how often, since when; tried again, or ignored until the next one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from fastapi import Request

from framework.caller import Scope
from modules.core.scheduler.dashboard.bulk import carried_out
from modules.core.scheduler.dashboard.desk import Desk, Form, Values
from modules.core.scheduler.dashboard.many import EXECUTIONS

WINDOWS = ("1h", "24h", "7d")
SHOWN = 50  # groups
WIDTH, HEIGHT, GAP = 5, 20, 1
GONE = "None of these failures is left."


def add(desk: Desk) -> None:
    """Add the screens and their actions."""

    @desk.screen("/failures", "failures.html")
    async def failures(request: Request) -> Values:
        found = await _found(desk, request.query_params)
        with_ignored = request.query_params.get("ignored") == "yes"
        every = found["failures"]
        shown = [group for group in every if with_ignored or not group["ignored"]]
        return {
            "screen": "failures",
            "groups": [_drawn(group) for group in shown[:SHOWN]],
            "kinds": len(shown),
            "hidden": 0 if with_ignored else sum(group["ignored"] for group in every),
            "windows": WINDOWS,
            "window": found["window"],
            "is_cut": found["is_cut"],
        }

    @desk.screen("/failures/{failure}", "failure.html")
    async def failure(request: Request) -> Values:
        found = await _found(desk, request.query_params)
        back = desk.path(request, f"/failures?{urlencode({'window': found['window']})}")
        group = _one(request, found)
        return {"screen": "failures", "group": group and _drawn(group), "window": found["window"], "list": back}

    @desk.action("/failures/{failure}/retry", scope=Scope.OPERATE)
    async def retry_failures(request: Request, form: Form) -> tuple[str, str | None]:
        group = _one(request, await _found(desk, form))
        return (GONE if group is None else await carried_out(desk.scheduler, EXECUTIONS, "retry", _again(group))), None

    @desk.action("/failures/{failure}/ignore", scope=Scope.OPERATE)
    async def ignore_failures(request: Request, form: Form) -> tuple[str, str | None]:
        until = form.get("until") or None
        (await desk.scheduler.ignore_failures(_id(request), until)).unwrap()
        return ("It is shown again." if until is None else "It is hidden until it happens again."), None


def sparkline(series: Sequence[int]) -> dict[str, Any]:
    """Return bars as `{"width", "height", "bars": [{"x", "y", "width", "height"}]}`, oldest first; none for nothing."""
    most = max(series, default=0) or 1
    heights = [max(round(HEIGHT * number / most), 2) if number else 0 for number in series]
    bars = [
        {"x": place * WIDTH, "y": HEIGHT - height, "width": WIDTH - GAP, "height": height}
        for place, height in enumerate(heights)
        if height
    ]
    return {"width": len(series) * WIDTH, "height": HEIGHT, "bars": bars}


async def _found(desk: Desk, asked: Mapping[str, str]) -> dict[str, Any]:
    window = asked.get("window", "")
    return (await desk.scheduler.failures(window if window in WINDOWS else "24h")).unwrap()


def _drawn(group: dict[str, Any]) -> dict[str, Any]:
    return group | {"chart": sparkline(group["series"])}


def _one(request: Request, found: Mapping[str, Any]) -> dict[str, Any] | None:
    return next((group for group in found["failures"] if group["id"] == _id(request)), None)


def _again(group: Mapping[str, Any]) -> list[str]:
    return list(group["last_attempts"])


def _id(request: Request) -> str:
    return str(request.path_params["failure"])
