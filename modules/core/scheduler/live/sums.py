"""Sums over ended executions: how many, how long they took, how late they began."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Row

from framework import strict_json
from modules.core.scheduler.live.live_event import EPOCH

FINENESS = 1.05  # neighbouring values of a spread: percentiles are right to half of this step
SHORTEST = 0.001  # seconds; what is shorter counts as this


class Place(NamedTuple):
    """Which executions are summed up together: those that ended in this state within `step` seconds from a moment."""

    step: int
    at: datetime
    state: str


@dataclass
class Sum:
    """How many executions, of how many the duration is known (`timed`), and their seconds; `spread` by powers."""

    executions: int = 0
    timed: int = 0
    seconds: float = 0.0
    longest: float = 0.0
    late_seconds: float = 0.0
    latest: float = 0.0
    spread: Counter[int] = field(default_factory=Counter)

    def add(self, row: Row[Any]) -> None:
        """Add one execution, a row of `store.rollups.READ`."""
        self.executions += 1
        if row.start_time is None:
            return
        seconds = max((row.end_time - row.start_time).total_seconds(), 0.0)
        late = max((row.start_time - _due(row)).total_seconds(), 0.0)
        self.timed += 1
        self.seconds, self.longest = self.seconds + seconds, max(self.longest, seconds)
        self.late_seconds, self.latest = self.late_seconds + late, max(self.latest, late)
        self.spread[round(math.log(max(seconds, SHORTEST), FINENESS))] += 1

    def join(self, other: Sum) -> None:
        """Add all of another one."""
        self.executions, self.timed = self.executions + other.executions, self.timed + other.timed
        self.seconds, self.longest = self.seconds + other.seconds, max(self.longest, other.longest)
        self.late_seconds = self.late_seconds + other.late_seconds
        self.latest = max(self.latest, other.latest)
        self.spread.update(other.spread)

    def columns(self) -> dict[str, Any]:
        """Return what is stored of it."""
        spread = strict_json.dumps({str(power): count for power, count in sorted(self.spread.items())})
        return {**vars(self), "spread": spread}

    def percentile(self, part: float) -> float | None:
        """Return the seconds that this part of the executions took at most by the spread; never above the longest."""
        wanted = math.ceil(part * self.timed)
        for power, count in sorted(self.spread.items()):
            wanted -= count
            if wanted <= 0:
                return min(float(FINENESS**power), self.longest)
        return None


def _due(row: Row[Any]) -> datetime:
    """When it could have begun at the earliest: at its nominal time, unless it was put off on purpose."""
    is_plain = row.attempt == 1 and row.origin == "schedule" and row.due_at <= row.created_at
    due: datetime = row.scheduled_for if is_plain else row.due_at
    return due


def stored(row: Row[Any]) -> Sum:
    """Return the sum that a row holds."""
    spread = Counter({int(power): count for power, count in strict_json.loads(row.spread).items()})
    return Sum(row.executions, row.timed, row.seconds, row.longest, row.late_seconds, row.latest, spread)


def floor(moment: datetime, step: int) -> datetime:
    """Return when the step of so many seconds began in which a moment lies; steps are counted from 1970, in UTC."""
    return moment - (moment - EPOCH) % timedelta(seconds=step)


def summed(rows: Iterable[Row[Any]], steps: Iterable[int]) -> dict[Place, Sum]:
    """Sum executions up, by steps of each of these lengths and by state."""
    sums: dict[Place, Sum] = {}
    lengths = tuple(steps)
    for row in rows:
        for step in lengths:
            sums.setdefault(Place(step, floor(row.end_time, step), row.state), Sum()).add(row)
    return sums
