"""The arena: one database and one ledger, from the first task to the verdict."""

from __future__ import annotations

import itertools
import random
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.torture import checker, evidence
from benchmarks.torture.herd import Herd, until
from benchmarks.torture.ledger import Ledger
from benchmarks.torture.server import Server
from benchmarks.torture.worker import Life, ask

CHUNK = 500
LOOKS = 25  # of which one is into the tables, the others into the ledger
PATIENCE = 120.0  # seconds for everything to end once the torment is over


@dataclass(frozen=True)
class Verdict:
    """What the checker found wrong, and what happened: counts by name."""

    complaints: list[str]
    facts: dict[str, float]


class Arena:
    """A torment takes place here: it schedules, starts processes, hurts them, and asks for the verdict.

    `server` is that of the database where it was started for this, and may crash.
    """

    def __init__(
        self, url: str, folder: Path, *, seed: int = 1, without: tuple[str, ...] = (), server: Server | None = None
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.chance = random.Random(seed)
        self.life = Life(url=url, folder=folder, without=without)
        self.server = server
        self.ledger = Ledger(self.life.ledger)
        self.acknowledged: dict[str, datetime | None] = {}
        self.patience = PATIENCE
        self._began = time.monotonic()

    @property
    def url(self) -> str:
        """The database."""
        return self.life.url

    def asking_life(self) -> Life:
        """Return the life of a process that asks and carries nothing out."""
        return replace(self.life, settings={"enabled": False}, without=())

    def herd(self, **changes: Any) -> Herd:
        """Return a herd of processes, none of them started; `changes` are those to their `Life`."""
        return Herd(replace(self.life, **changes), self.chance)

    def schedule(self, configs: Sequence[dict[str, Any]]) -> list[str]:
        """Schedule tasks, in bulk; return their ids."""

        async def all_of(scheduler: Any) -> dict[str, datetime | None]:
            answered = {}
            for first in range(0, len(configs), CHUNK):
                answer = await scheduler.schedule_tasks(configs[first : first + CHUNK])
                answered |= {task["task_id"]: task["next_execution"] for task in answer.unwrap()}
            return answered

        answered: dict[str, datetime | None] = ask(self.asking_life(), all_of)
        self.acknowledged |= answered
        return list(answered)

    def until_begun(self, count: int) -> None:
        """Wait until so many runs have begun, or until there is nothing left that could begin."""
        looks = itertools.count(1)

        def holds() -> bool:
            nothing_left = next(looks) % LOOKS == 0 and evidence.count_open(self.url) == 0
            return nothing_left or self.ledger.count("start") >= count

        until(holds, self.patience, what=f"{count} runs to begin")

    def until_settled(
        self, seconds: float | None = None, *, meanwhile: Callable[[], object] = lambda: None, step: float = 0.1
    ) -> bool:
        """Wait until nothing is open; False where that does not come to pass, which the checker will tell."""

        def is_settled() -> bool:
            meanwhile()
            return evidence.count_open(self.url) == 0

        try:
            until(is_settled, min(seconds or self.patience, self.patience), what="everything to end", step=step)
        except TimeoutError:
            return False
        return True

    def finish(self, herd: Herd, *, meanwhile: Callable[[], object] = lambda: None) -> int:
        """Wait until nothing is open, stop the herd, and let a fresh process do what was scheduled in between.

        Returns how many processes did not exit with 0 when they were asked to stop.
        """
        has_settled = self.until_settled(meanwhile=meanwhile)
        unclean = sum(code != 0 for code in herd.stop())
        if has_settled and evidence.count_open(self.url):
            with self.herd() as last:
                last.start()
                self.until_settled()
                unclean += sum(code != 0 for code in last.stop())
        return unclean

    def evidence(self) -> evidence.Evidence:
        """Read what there is."""
        return evidence.read(self.url, self.ledger.entries(), self.acknowledged)

    def states(self) -> Counter[str]:
        """Count executions by their state."""
        return Counter(row["state"] for row in self.evidence().rows)

    def verdict(self, *, allowed: Collection[str] = (), earliest: float | None = 1.0, **facts: float) -> Verdict:
        """Let the checker judge; `allowed` is what this torment explains beside success; the facts are told with it."""
        found = self.evidence()
        counted = Counter(row["state"] for row in found.rows)
        told = {**facts, **counted, "runs": len(found.starts), "seconds": round(time.monotonic() - self._began, 1)}
        return Verdict(checker.check(found, earliest=earliest, allowed=allowed), told)
