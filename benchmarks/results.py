"""The figures of a run: what was measured, where, and how it compares with an earlier run."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

# case -> peer -> figure -> one value for each round
Values = dict[str, dict[str, dict[str, list[float]]]]


def _machine() -> dict[str, Any]:
    return {
        "measured": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "python": platform.python_version(),
        "system": platform.system(),
        "cores": os.cpu_count(),
    }


@dataclass
class Results:
    """Everything that was measured; `broken` and `skipped` say of what is missing why it is."""

    values: Values = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=_machine)

    def add(self, case: str, peer: str, figures: dict[str, float]) -> None:
        """Add the figures of one round."""
        of_peer = self.values.setdefault(case, {}).setdefault(peer, {})
        for name, value in figures.items():
            of_peer.setdefault(name, []).append(value)

    def figure(self, case: str, peer: str, name: str | None = None) -> float | None:
        """Return the median of a figure, by default the first one of the case."""
        figures = self.values.get(case, {}).get(peer, {})
        values = figures.get(name) if name else next(iter(figures.values()), None)
        return median(values) if values else None

    def rounds(self) -> tuple[int, int]:
        """Return of how many rounds a figure is: the fewest, and the most."""
        counts = [
            len(values) for peers in self.values.values() for figures in peers.values() for values in figures.values()
        ]
        return min(counts, default=0), max(counts, default=0)

    def best_peer(self, case: str, ours: str, name: str | None = None) -> float | None:
        """Return the highest median among the others."""
        others = [self.figure(case, peer, name) for peer in self.values.get(case, {}) if peer != ours]
        return max((value for value in others if value is not None), default=None)

    def updated(self, later: Results) -> Results:
        """Return these results with every case of a later run in its place."""
        values = self.values | later.values
        gone = set(later.values)
        broken = {place: why for place, why in self.broken.items() if place.split()[0] not in gone}
        skipped = {place: why for place, why in self.skipped.items() if place.split()[0] not in gone}
        return Results(values, broken | later.broken, skipped | later.skipped, later.about)

    def save(self, path: Path) -> None:
        """Write everything as JSON."""
        rounded = {
            case: {
                peer: {name: [float(f"{value:.4g}") for value in values] for name, values in figures.items()}
                for peer, figures in peers.items()
            }
            for case, peers in self.values.items()
        }
        whole = {"about": self.about, "values": rounded, "broken": self.broken, "skipped": self.skipped}
        path.write_text(json.dumps(whole, indent=1) + "\n")


def load(path: Path) -> Results:
    """Read what `save` wrote."""
    whole = json.loads(path.read_text())
    return Results(whole["values"], whole["broken"], whole["skipped"], whole["about"])
