"""How the scheduler as a whole, given as the plain dicts of the service, reads on a terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from framework.terminal import PROGRAM, moment_text
from modules.core.scheduler.showing.tasks import took

Shown = Mapping[str, Any]

BARS = "▁▂▃▄▅▆▇█"
WIDEST = 60  # bars


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


def wanting_lines(seen: Shown) -> list[str]:
    """Return what needs attention, a line each."""
    told = [
        f"  {each['task']}: {each['text']}; {each['advice']}" if each["task"] else f"  {each['text']}; {each['advice']}"
        for each in seen["attention"]
    ]
    more = sum(seen["others"].values())
    return [*told, f"  and {more:,} more"] if more else told


def stats_facts(stats: Shown, of: str) -> list[tuple[str, str]]:
    """Return how executions came out, as `(label, text)`."""
    told = [("of", f"{of}, the last {stats['window']}"), ("executions", f"{stats['executions']:,}")]
    told += [(state.replace("_", " "), f"{count:,}") for state, count in stats["by_state"].items()]
    if stats["success_rate"] is not None:
        told.append(("success", f"{stats['success_rate']:.2%}"))
    told += [("took", _seconds(stats["duration"])), ("late", _seconds(stats["lateness"]))]
    told.append(("over time", bars([sum(each["by_state"].values()) for each in stats["series"]])))
    told.append(("", "" if stats["complete"] else "the newest ones only; there are more"))
    return [(label, text) for label, text in told if text]


def bars(counts: Sequence[int]) -> str:
    """Return numbers as a row of bars, the fullest as high as a line, at most `WIDEST` of them; empty for none."""
    together = math.ceil(len(counts) / WIDEST) if counts else 1
    sums = [sum(counts[at : at + together]) for at in range(0, len(counts), together)]
    most = max(sums, default=0)
    return "".join(BARS[math.ceil(each / most * (len(BARS) - 1))] for each in sums) if most else ""


def _seconds(spread: Shown) -> str:
    names = {"average": "on average", "p50": "at the median", "p95": "at the 95th percentile", "longest": "at most"}
    return ", ".join(f"{took(spread[name])} {word}" for name, word in names.items() if spread.get(name) is not None)


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
