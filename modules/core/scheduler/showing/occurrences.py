"""How what was asked of single occurrences, given as the plain dicts of the services, reads on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from framework.terminal import moment_text

Shown = Mapping[str, Any]


def skipped(name: str, told: Shown) -> str:
    """Return which occurrence is left out, and what comes next."""
    return f"{name}: the run of {moment_text(told['scheduled_for'])} is skipped; {_next(told)}"


def shifted(name: str, told: Shown) -> str:
    """Return when which occurrence starts, and what comes next beside it."""
    moved = f"the run of {moment_text(told['scheduled_for'])} starts at {moment_text(told['due_at'])}"
    return f"{name}: {moved}; {_next(told)}"


def bounded(name: str, told: Shown) -> str:
    """Return until when a task runs, and what comes next."""
    until = "its end is taken away" if told["until"] is None else f"runs until {moment_text(told['until'])}"
    return f"{name}: {until}; {_next(told)}"


def backfilled(name: str, told: Shown) -> str:
    """Return how many occurrences are run, or would be, and how many have been before."""
    already = f"{told['already']} ran, run or wait already"
    if not told["placed"]:
        return f"{name}: nothing to run; {already}"
    span = moment_text(told["first"])
    if told["placed"] > 1:
        span += f" to {moment_text(told['last'])}"
    number = f"{told['placed']:,} occurrence{'' if told['placed'] == 1 else 's'}"
    return f"{name}: {number} {'would' if told['dry_run'] else 'will'} run, {span}; {already}"


def _next(told: Shown) -> str:
    return "next: " + ", ".join(map(moment_text, told["upcoming"])) if told["upcoming"] else "nothing more is to come"
