"""How the scheduler as a whole, given as the plain dicts of the service, reads on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from framework.terminal import PROGRAM, moment_text

Shown = Mapping[str, Any]


def status_facts(status: Shown) -> list[tuple[str, str]]:
    """Return what a scheduler is doing, as `(label, text)`."""
    living = [node for node in status["nodes"] if node["alive"]]
    cleanups = status["cleanups"]
    told = [("nodes", _nodes(living, len(status["nodes"]) - len(living)))]
    told.append(("running", _slots(status["running_everywhere"], living)))
    told += [("held back", _held(held)) for held in status["paused"]]
    told.append(("cleanups", f"{cleanups['on']} on, {cleanups['off']} off{', frozen' if cleanups['frozen'] else ''}"))
    told += [("next", f"{task['name']}, {task['schedule']}, {task['due']}") for task in status["upcoming"]]
    return told if status["upcoming"] else [*told, ("next", f"nothing: {PROGRAM} tasks list")]


def _nodes(living: list[Shown], dead: int) -> str:
    if not living and not dead:
        return f"none: start `{PROGRAM} run`"
    draining = sum(node["draining_since"] is not None for node in living)
    told = [f"{len(living)} alive", f"{dead} dead" if dead else "", f"{draining} draining" if draining else ""]
    return ", ".join(filter(None, told))


def _slots(running: int, living: list[Shown]) -> str:
    slots = sum(node["slots"] or 0 for node in living)
    return f"{running} of {slots} slots" if slots else str(running)


def _held(held: Shown) -> str:
    what = "all tasks" if held["scope"] == "*" else held["scope"]
    why = f": {held['reason']}" if held["reason"] else ""
    return f"{what}, since {moment_text(held['since'])}{why}"
