"""What an explanation is made of: gates, each with a sentence, and moments as the zone of the task shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from framework.terminal import moment_text, span
from modules.core.scheduler.trigger import zone

MOST_NAMED = 5  # of those that stand in the way


@dataclass(frozen=True, slots=True)
class Gate:
    """One thing that has to let an execution pass: it does, does not, or (None) does not apply or cannot be told."""

    gate: str
    passes: bool | None
    text: str
    details: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return `{"gate", "passes", "text", "details"}`."""
        return {"gate": self.gate, "passes": self.passes, "text": self.text, "details": dict(self.details)}


def passed(gate: str, text: str, details: Mapping[str, Any] | None = None) -> Gate:
    """Return a gate that lets it pass."""
    return Gate(gate, passes=True, text=text, details=details or {})


def closed(gate: str, text: str, details: Mapping[str, Any] | None = None) -> Gate:
    """Return a gate that does not let it pass."""
    return Gate(gate, passes=False, text=text, details=details or {})


def untold(gate: str, text: str, details: Mapping[str, Any] | None = None) -> Gate:
    """Return a gate that does not apply, or of which nothing is recorded."""
    return Gate(gate, passes=None, text=text, details=details or {})


@dataclass(frozen=True, slots=True)
class Explanation:
    """An answer in one word, the sentence for people, and the gates that it follows from, in order."""

    answer: str
    verdict: str
    gates: Sequence[Gate]
    blocked_by: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return `{"answer", "verdict", "blocked_by", "gates"}`."""
        gates = [gate.to_dict() for gate in self.gates]
        return {"answer": self.answer, "verdict": self.verdict, "blocked_by": self.blocked_by, "gates": gates}


@dataclass(frozen=True, slots=True)
class Words:
    """How moments read for one task, seen from `now`."""

    zone: ZoneInfo
    now: datetime

    @classmethod
    def of(cls, zone_name: str, now: datetime) -> Words:
        """Use a stored zone, or UTC where this machine does not know it."""
        try:
            return cls(zone(zone_name), now)
        except ValueError:
            return cls(zone("UTC"), now)

    def at(self, moment: datetime | None) -> str:
        """Return a moment as the zone's clock shows it: `Sun 2026-11-22 02:00:00 CET`."""
        return moment_text(moment, self.zone)

    def since(self, moment: datetime | None) -> str:
        """Return `since …, for 5m`; nothing where it is not known."""
        return "" if moment is None else f" since {self.at(moment)}, for {span(max(self.now - moment, timedelta(0)))}"

    def ahead(self, moment: datetime) -> str:
        """Return a moment to come, and how far away it is."""
        return f"{self.at(moment)}, in {span(moment - self.now)}"


def count(number: int, what: str, more: str = "") -> str:
    """Return `1 node`, `3 nodes`; `more` stands before what there are more of than were counted."""
    return f"{more}{number} {what}{'' if number == 1 else 's'}"


def named(items: Iterable[str]) -> str:
    """Return the first few of some names, and how many more there are."""
    names = list(items)
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


def because(reason: str | None) -> str:
    """Return `: reason`, or nothing."""
    return f": {' '.join(reason.split())}" if reason and reason.strip() else ""


def first_false(gates: Iterable[Gate]) -> Gate | None:
    """Return the first gate that does not let it pass."""
    return next((gate for gate in gates if gate.passes is False), None)
