"""The verdict: whether somebody has to do something, in one sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from modules.core.scheduler.freezing import CLEANUPS


def verdict(
    status: Mapping[str, Any], seen: Mapping[str, Any], attention: Iterable[Mapping[str, Any]]
) -> dict[str, str]:
    """Return `{"kind", "text"}`: whether somebody has to do something."""
    if not any(node["alive"] for node in status["nodes"]):
        return {"kind": "bad", "text": "Nothing runs: no node is alive."}
    held = [each["scope"] for each in status["paused"] if each["scope"] != CLEANUPS]
    if "*" in held:
        return {"kind": "warn", "text": "Everything is paused."}
    wrong = list(_wrong(seen, Counter(each["need"] for each in attention) + Counter(seen["others"])))
    if wrong:
        kind = "warn" if len(wrong) == 1 and seen["late"]["count"] else "bad"
        return {"kind": kind, "text": f"{', '.join(wrong)}."}
    if held:
        return {"kind": "warn", "text": f"Held back: {', '.join(_scope(each) for each in held)}."}
    tasks = seen["tasks"]
    if not tasks["count"]:
        return {"kind": "good", "text": "Nothing is scheduled."}
    return {"kind": "good", "text": f"{_all(tasks)} on time."}


def _wrong(seen: Mapping[str, Any], needs: Mapping[str, int]) -> Iterable[str]:
    found = {need: {"count": count, "is_cut": False} for need, count in needs.items()}
    said = (
        (seen["late"], "late"),
        (seen["failing"], "failing"),
        (found.get("deadline_missed"), "past a deadline"),
        (found.get("set_aside"), "set aside"),
        (found.get("function_missing"), "without a function"),
    )
    told = [(counted, word) for counted, word in said if counted and counted["count"]]
    for place, (counted, word) in enumerate(told):
        noun = "" if place else " task" if counted["count"] == 1 else " tasks"
        yield f"{_number(counted)}{noun} {word}"
    if once := seen["failed_once"]["count"]:
        yield f"{_number(seen['failed_once'])} one-time {'task' if once == 1 else 'tasks'} failed"


def _number(counted: Mapping[str, Any]) -> str:
    return f"{counted['count']:,}{'+' if counted['is_cut'] else ''}"


def _all(tasks: Mapping[str, Any]) -> str:
    return "The one task is" if tasks["count"] == 1 else f"All {_number(tasks)} tasks"


def _scope(scope: str) -> str:
    return scope.replace("queue:", "queue ", 1)
