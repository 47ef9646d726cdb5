"""What this node has carried out since it started, counted in memory: cheap enough for every execution."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable

from modules.core.scheduler.execution import Closed, State
from modules.core.scheduler.turn import Turned, Work

OTHER = "other"  # the name under which the tasks count that come after the last one with a name of its own
RUN_BOUNDS = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0, 7_200.0)
DELAY_BOUNDS = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0, 7_200.0)


class Spread:
    """How often a number of seconds was at most each of some bounds, and their sum; negative ones count as none."""

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        seconds = max(seconds, 0.0)
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self._sum += seconds

    def buckets(self) -> tuple[list[tuple[str, float]], float]:
        """Return `(bound, how many up to it)` for each bound, the last one `+Inf`, and the sum of all."""
        total, found = 0, []
        for bound, count in zip([*map(str, self._bounds), "+Inf"], self._counts, strict=True):
            total += count
            found.append((bound, float(total)))
        return found, self._sum


class TaskTally:
    """The executions of one task: how many had each outcome, and how long they ran."""

    __slots__ = ("outcomes", "seconds")

    def __init__(self) -> None:
        self.outcomes: Counter[State] = Counter()
        self.seconds = Spread(RUN_BOUNDS)


class Tally:
    """Counts by the names of tasks, of which at most `most` are kept apart. It belongs to the event loop."""

    def __init__(self, most: int) -> None:
        self.tasks: dict[str, TaskTally] = {}
        self.delays = Spread(DELAY_BOUNDS)
        self.missed = 0
        self.overdue = 0
        self._most = most

    def started(self, delay: float) -> None:
        """Count one that started so many seconds after its time."""
        self.delays.add(delay)

    def turned(self, turned: Turned, work: Work) -> None:
        """Count what a committed turn ended, and what it closed."""
        for ending in work.endings:
            if ending.id not in turned.refused:
                task = self.tasks.get(ending.name) or self._of(ending.name)
                task.outcomes[ending.stored[0]] += 1
                task.seconds.add(ending.seconds)
        self.missed += turned.missed
        self.closed(turned.closed)

    def closed(self, rows: Iterable[Closed]) -> None:
        """Count those that this node closed without having run them to their end."""
        for row in rows:
            self._of(row.task_name).outcomes[row.state] += 1

    def _of(self, name: str) -> TaskTally:
        if name not in self.tasks and len(self.tasks) >= self._most:
            name = OTHER
        return self.tasks.setdefault(name, TaskTally())
