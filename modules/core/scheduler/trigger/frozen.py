"""The calendars within a stored trigger: which ones, of which definition, and the same trigger with those of today."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from framework import strict_json

Current = Callable[[str], Mapping[str, Any] | None]


def digest_of(definition: Mapping[str, Any]) -> str:
    """Return a short text that differs where the definition of a calendar does."""
    return hashlib.sha256(strict_json.dumps(definition, sort_keys=True).encode()).hexdigest()[:16]


def stamp_of(stored: Mapping[str, Any]) -> str | None:
    """Return the names of the calendars in a stored trigger with their digests, as JSON; None where it has none."""
    named = {use["name"]: digest_of(use["definition"]) for use in _uses(stored)}
    return strict_json.dumps(named, sort_keys=True) if named else None


def refrozen(stored: Any, current: Current) -> Any:
    """Return a stored trigger with the definitions that `current` knows; a calendar that it does not know stays."""
    if isinstance(stored, list):
        return [refrozen(each, current) for each in stored]
    if not isinstance(stored, Mapping) or stored.get("type") == "event":  # whose `where` is the caller's own
        return stored
    if stored.get("type") != "excluding":
        return {key: refrozen(value, current) for key, value in stored.items()}
    uses = [{**use, "definition": current(use["name"]) or use["definition"]} for use in stored["calendars"]]
    return {**stored, "trigger": refrozen(stored["trigger"], current), "calendars": uses}


def _uses(stored: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(stored, Mapping) and stored.get("type") != "event":
        if stored.get("type") == "excluding":
            yield from stored["calendars"]
        for value in stored.values():
            yield from _uses(value)
    elif isinstance(stored, list):
        for each in stored:
            yield from _uses(each)
