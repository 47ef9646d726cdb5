"""How an explanation, given as the plain dict of the service, reads on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MARKS = {True: "✓", False: "✗", None: "–"}  # noqa: RUF001  # a dash, as is said of what does not apply


def explanation_facts(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return one `(mark and gate, text)` for each gate; the one that decides is marked at the end of its text."""
    decides = next((gate for gate in told["gates"] if _decides(gate, told)), None)
    return [
        (
            f"{MARKS[gate['passes']]} {gate['gate'].replace('_', ' ')}",
            gate["text"] + (" <- this decides" if gate is decides else ""),
        )
        for gate in told["gates"]
    ]


def _decides(gate: Mapping[str, Any], told: Mapping[str, Any]) -> bool:
    return gate["gate"] == told["blocked_by"] and gate["passes"] is False
