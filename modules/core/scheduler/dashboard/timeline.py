"""The timeline: what ran and what comes, a lane for each task, and where too much comes at once."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from fastapi import Request

from modules.core.scheduler.dashboard import lanes
from modules.core.scheduler.dashboard.desk import Desk, Values
from modules.core.scheduler.dashboard.lanes import Coming, Window
from modules.core.scheduler.dashboard.remembering import Remembered

ZOOMS = {"hours": (0.5, 2.0), "day": (6.0, 24.0), "week": (24.0, 168.0)}  # hours back and ahead
LANES = 30  # on a page
DRAWN = 10_000  # occurrences to come
SHOWN = 12  # findings


def add(desk: Desk) -> None:
    """Add the screen."""
    forecasts = {
        zoom: Remembered(desk.clock, partial(_forecast, desk, hours), desk.anew) for zoom, (_, hours) in ZOOMS.items()
    }
    for forecast in forecasts.values():
        desk.app_context.on_stopping(forecast.close)

    @desk.screen("/timeline", "timeline.html")
    async def timeline(request: Request) -> Values:
        asked = request.query_params
        zoom = asked.get("zoom", "")
        zoom = zoom if zoom in ZOOMS else "day"
        now, (back, ahead) = desk.clock.now(), ZOOMS[zoom]
        window = Window(now - timedelta(hours=back), now, now + timedelta(hours=ahead))
        coming = await forecasts[zoom].told()
        lately = (await desk.scheduler.ran_since(window.start)).unwrap()
        names = {each["id"]: each["name"] for each in lately["tasks"]} | (coming.names if coming else {})
        found = _found(names, asked.get("search", "")[:100])
        page, pages = _page(asked.get("page", ""), len(found))
        ids = found[(page - 1) * LANES : page * LANES]
        runs = (await desk.scheduler.runs_since(ids, window.start)).unwrap()
        return {
            "screen": "timeline",
            "zooms": {name: _span(*hours) for name, hours in ZOOMS.items()},
            "zoom": zoom,
            "window": window,
            "lanes": [_lane(each, names[each], runs[each], coming, window) for each in ids],
            "found": len(found),
            "page": page,
            "pages": pages,
            "is_cut": lately["is_cut"],
            **_axis(window, (await desk.scheduler.info()).unwrap()["timezone"]),
            **_ahead(coming, window, await desk.findings.told()),
        }


def _found(names: Mapping[str, str], search: str) -> list[str]:
    """Return the ids of the tasks that are looked for, by name, so that lanes stay where they are."""
    ordered = sorted(names, key=lambda each: (names[each].casefold(), each))
    return [each for each in ordered if search.casefold() in names[each].casefold()]


def _page(asked: str, found: int) -> tuple[int, int]:
    pages = max(math.ceil(found / LANES), 1)
    page = int(asked) if asked.isdecimal() and len(asked) < 6 else 1
    return min(max(page, 1), pages), pages


def _axis(window: Window, zone: str) -> Values:
    return {"zone": zone, "ticks": lanes.ticks(window, zone), "now_at": window.place(window.now)}


def _ahead(coming: Coming | None, window: Window, linted: Values | None) -> Values:
    findings = None if linted is None else linted["findings"]
    others = [each for each in findings or () if each["code"] != "MANY_AT_ONCE"]  # which pile-ups tell better
    return {
        "forecast": None if coming is None else coming.forecast,
        "pile_ups": [_pile_up(each, window) for each in coming.forecast["pile_ups"]] if coming else [],
        "findings": None if findings is None else others[:SHOWN],
        "more_findings": max(len(others) - SHOWN, 0),
        "looked_at": linted["looked_at"] if linted and linted["is_cut"] else None,
    }


async def _forecast(desk: Desk, hours: float) -> Coming:
    told = (await desk.scheduler.forecast(hours, limit=DRAWN, most=DRAWN)).unwrap()
    return await asyncio.to_thread(lanes.coming_of, told, hours, DRAWN)


def _lane(task_id: str, name: str, runs: list[dict[str, Any]], coming: Coming | None, window: Window) -> dict[str, Any]:
    ahead = lanes.ahead(coming.parts.get(task_id, {}), window) if coming else []
    states = Counter(run["state"] for run in runs if run["state"] != "pending")
    ended = [run["end_time"] for run in runs if run["end_time"] is not None]
    return {
        "id": task_id,
        "name": name,
        "past": lanes.past(runs, window),
        "coming": ahead,
        "states": dict(sorted(states.items(), key=lambda each: lanes.WORST.index(each[0]))),
        "last": max(ended, default=None),
        "next": ahead[0]["at"] if ahead else None,
        "number": sum(mark["count"] for mark in ahead),
        "late": max((mark["late"] for mark in ahead), default=0.0),
    }


def _pile_up(pile_up: Mapping[str, Any], window: Window) -> dict[str, Any]:
    best = pile_up["advice"][0] if pile_up["advice"] else None
    hashed = next((each for each in pile_up["advice"] if each["change"] == "hash"), None)
    return dict(pile_up) | {"x": window.place(pile_up["at"]), "best": best, "hash": hashed}


def _span(back: float, ahead: float) -> str:
    return f"{_hours(back)} back, {_hours(ahead)} ahead"


def _hours(hours: float) -> str:
    if hours < 1:
        return f"{hours * 60:.0f} min"
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} days"
