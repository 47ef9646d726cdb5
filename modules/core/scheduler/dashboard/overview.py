"""The overview: one sentence that says whether all is well, and what a person would ask next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from fastapi import Request

from modules.core.scheduler.dashboard.charts import stacked
from modules.core.scheduler.dashboard.desk import Desk, Values
from modules.core.scheduler.live.verdict import verdict

WINDOWS = ("1h", "24h", "7d")
LATELY = 8
HOUR = timedelta(hours=1)
FAILED = ("failed", "timed_out", "lost")
MOST = 30  # rows of what needs attention
NEEDS = {
    "FUNCTION_MISSING": "function_missing",
    "CORRUPT_DEFINITION": "set_aside",
    "NEVER_AGAIN": "never_ran",
    "NEVER_RAN": "never_ran",
}
"""Of the findings that are about a task and not about its times, what it needs attention for."""


def add(desk: Desk) -> None:
    """Add the screen."""

    @desk.screen("/", "overview.html")
    async def overview(request: Request) -> Values:
        status = (await desk.scheduler.status()).unwrap()
        seen = (await desk.scheduler.overview()).unwrap()
        window = _window(request.query_params.get("window", ""), seen["kept_since"], desk.clock.now())
        stats = (await desk.scheduler.stats(window=window)).unwrap()
        day = stats if window == "24h" else (await desk.scheduler.stats(window="24h")).unwrap()
        linted = await desk.findings.told()
        attention = wanting(seen["attention"], linted["findings"] if linted else ())
        return {
            "screen": "overview",
            "status": status,
            "next": next((each for each in status["upcoming"] if each["next_execution"] > desk.clock.now()), None),
            "seen": seen,
            "verdict": verdict(status, seen, attention),
            "attention": attention[:MOST],
            "others": others(seen["others"], attention[MOST:]),
            "failed": sum(day["by_state"].get(state, 0) for state in FAILED),
            "slots": sum(node["slots"] or 0 for node in status["nodes"] if node["alive"]),
            "lately": (await desk.scheduler.get_executions(limit=LATELY)).unwrap()["executions"],
            "windows": WINDOWS,
            "window": window,
            "stats": stats,
            "chart": stacked(stats["series"], stats["step"], _seconds_of_last(stats)),
        }


def _window(asked: str, kept_since: datetime | None, now: datetime) -> str:
    """Return the window that is asked for, else one that is not nearly empty."""
    if asked in WINDOWS:
        return asked
    return "1h" if kept_since is None or kept_since > now - HOUR else "24h"


def _seconds_of_last(stats: Mapping[str, Any]) -> float:
    return float((stats["until"] - stats["series"][-1]["at"]).total_seconds()) if stats["series"] else 0.0


def wanting(attention: Iterable[Mapping[str, Any]], findings: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return what needs attention with those of the findings that say so of a task which is not among it."""
    found = list(attention)
    known = {each["task_id"] for each in found}
    for each in findings:
        if each["code"] in NEEDS and each["task_id"] not in known:
            known.add(each["task_id"])
            told = {name: each[name] for name in ("task_id", "task", "text", "advice")}
            found.append({"need": NEEDS[each["code"]], "since": None, "execution_id": None, **told})
    return found


def others(numbers: Mapping[str, int], cut: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Return how many more there are of each need: those that were not told, and those that are cut off."""
    return dict(Counter(numbers) + Counter(each["need"] for each in cut))
