"""Suggests the near name of a misspelt one."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return "; did you mean 'x'?" for the nearest known name, or nothing."""
    by_lower_case = {item.lower(): item for item in sorted(known)}
    near = get_close_matches(str(name)[:100].lower(), by_lower_case, n=1, cutoff=0.7)
    return f"; did you mean {by_lower_case[near[0]]!r}?" if near else ""
