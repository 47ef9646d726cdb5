"""What the scheduler is to reach, as ratios within one run, and what it reached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.environments import OURS, RAW
from benchmarks.measures.limits import NAMES
from benchmarks.report import number
from benchmarks.results import Results
from benchmarks.stores import FULL, NORMAL, POSTGRES

Value = Callable[[Results], float | None]


@dataclass(frozen=True, slots=True)
class Goal:
    """A wanted value: at least it, or at most it."""

    title: str
    value: Value
    wanted: float
    stretch: float | None = None
    at_most: bool = False
    unit: str = "x"

    def met(self, value: float, wanted: float) -> bool:
        """Whether the value is as good as that."""
        return value <= wanted if self.at_most else value >= wanted


def _ours(case: str, figure: str | None = None) -> Value:
    return lambda results: results.figure(case, OURS, figure)


def _to(case: str, peer: str, other_case: str | None = None) -> Value:
    return lambda results: _ratio(results.figure(case, OURS), results.figure(other_case or case, peer))


def _to_best(case: str) -> Value:
    return lambda results: _ratio(results.figure(case, OURS), results.best_peer(case, OURS))


def _to_ours(case: str, other: str) -> Value:
    return lambda results: _ratio(results.figure(case, OURS), results.figure(other, OURS))


def _ratio(value: float | None, to: float | None) -> float | None:
    return value / to if value is not None and to else None


def _highest(cases: list[str], figure: str) -> Value:
    def highest(results: Results) -> float | None:
        values = [value for case in cases if (value := results.figure(case, OURS, figure)) is not None]
        return max(values, default=None)

    return highest


def _growth(cases: list[str], figure: str) -> Value:
    def growth(results: Results) -> float | None:
        values = [value for case in cases if (value := results.figure(case, OURS, figure)) is not None]
        return max(values) - values[0] if len(values) > 1 else None

    return growth


def _batched(case: str, limit: str) -> Value:
    def share(results: Results) -> float | None:
        return _ratio(results.figure(case, OURS), results.figure(limit, RAW, NAMES["batched"]))

    return share


def _idle(store: str) -> list[str]:
    return [f"idle/{count}/{store}" for count in (0, 10_000, 100_000, 1_000_000)]


def _of_idle(store: str, title: str, cpu: float) -> list[Goal]:
    cases = _idle(store)
    return [
        Goal(f"{title} idle: CPU in 30 s", _highest(cases, "CPU s in 30 s"), cpu, at_most=True, unit="s"),
        Goal(f"{title} idle: memory, none to most", _growth(cases, "MiB"), 8, at_most=True, unit="MiB"),
        Goal(f"{title} idle: start-up", _highest(cases, "start-up ms"), 150, 50, at_most=True, unit="ms"),
        Goal(f"{title} idle: adding one", _highest(cases, "ms CPU to add one"), 2, at_most=True, unit="ms"),
    ]


def _of_bursts(store: str, title: str) -> list[Goal]:
    wanted = {"first start": (10, None), "last start": (60, 30), "longest block of the loop": (10, None)}
    return [
        Goal(f"{title} burst: {name}", _ours(f"burst/{store}", f"{name} ms"), most, best, at_most=True, unit="ms")
        for name, (most, best) in wanted.items()
    ]


_C100 = "drain/c100/"
_C100_2 = "drain/c100w2/"
_ONE, _MANY, _BULK = "enqueue/one/", "enqueue/callers/", "enqueue/bulk/"

GOALS = [
    Goal("SQLite drain to huey", _to(_C100 + NORMAL, "huey"), 3, 4),
    Goal("SQLite drain: CPU", _ours(_C100 + NORMAL, "us CPU"), 40, at_most=True, unit="us"),
    Goal("SQLite FULL drain to the best peer", _to_best(_C100 + FULL), 8),
    Goal("SQLite FULL drain to NORMAL (a stretch)", _to_ours(_C100 + FULL, _C100 + NORMAL), 0.75),
    Goal("PostgreSQL drain to PgQueuer", _to(_C100 + POSTGRES, "pgqueuer"), 1.5, 1.8),
    Goal("PostgreSQL drain to PgQueuer, 2 workers", _to(_C100_2 + POSTGRES, "pgqueuer"), 1.8, 2.2),
    Goal("PostgreSQL drain, 2 workers to 1", _to_ours(_C100_2 + POSTGRES, _C100 + POSTGRES), 1),
    Goal("SQLite enqueue to APScheduler 3", _to(_ONE + NORMAL, "apscheduler3"), 1.3),
    Goal("SQLite 100 callers to one of APScheduler 3", _to(_MANY + NORMAL, "apscheduler3", _ONE + NORMAL), 6),
    Goal("SQLite bulk", _ours(_BULK + NORMAL), 100_000, 150_000, unit="a second"),
    Goal("SQLite bulk to the raw batched insert (or the above)", _batched(_BULK + NORMAL, f"limits/{NORMAL}"), 0.25),
    Goal("PostgreSQL enqueue to PgQueuer", _to(_ONE + POSTGRES, "pgqueuer"), 1.5, 1.6),
    Goal("PostgreSQL bulk to PgQueuer", _to(_BULK + POSTGRES, "pgqueuer"), 1.2, 1.5),
    Goal("SQLite lateness p50", _ours(f"lateness/{NORMAL}", "p50 ms"), 2, at_most=True, unit="ms"),
    Goal("SQLite lateness p99", _ours(f"lateness/{NORMAL}", "p99 ms"), 5, 2, at_most=True, unit="ms"),
    Goal("SQLite lateness max", _ours(f"lateness/{NORMAL}", "max ms"), 15, at_most=True, unit="ms"),
    Goal("PostgreSQL lateness p99", _ours(f"lateness/{POSTGRES}", "p99 ms"), 10, at_most=True, unit="ms"),
    Goal("PostgreSQL from node to node p99", _ours(f"crossing/{POSTGRES}", "p99 ms"), 15, at_most=True, unit="ms"),
    *_of_bursts(NORMAL, "SQLite"),
    *_of_bursts(POSTGRES, "PostgreSQL"),
    *_of_idle(NORMAL, "SQLite", 0.01),
    *_of_idle(POSTGRES, "PostgreSQL", 0.05),
    Goal("SQLite recurring to the drain", _to_ours(f"recurring/{NORMAL}", _C100 + NORMAL), 0.5),
    Goal("PostgreSQL recurring to the drain", _to_ours(f"recurring/{POSTGRES}", _C100 + POSTGRES), 0.5),
]


def verdicts(results: Results) -> list[tuple[str, str, str, str]]:
    """Return title, wanted, reached and verdict of each goal that was measured."""
    rows = []
    for goal in GOALS:
        value = goal.value(results)
        if value is None:
            continue
        bound = "at most" if goal.at_most else "at least"
        wanted = f"{bound} {number(goal.wanted)} {goal.unit}"
        verdict = "met" if goal.met(value, goal.wanted) else "MISSED"
        if goal.stretch is not None:
            wanted += f" ({number(goal.stretch)})"
            verdict = "met, and the stretch" if goal.met(value, goal.stretch) else verdict
        rows.append((goal.title, wanted, f"{number(value)} {goal.unit}", verdict))
    return rows


def for_terminal(results: Results) -> str:
    """Return the goals that were measured as lines."""
    lines = [
        f"{title:<54}{wanted:>32}{reached:>20}   {verdict}" for title, wanted, reached, verdict in verdicts(results)
    ]
    return "\n".join(["", "Goals", *lines]) if lines else ""


def in_markdown(results: Results) -> str:
    """Return the goals that were measured as a table."""
    lines = [" | ".join(("", *row, "")).strip() for row in verdicts(results)]
    return "\n".join(["| goal | wanted (stretch) | reached | |", "| --- | --- | ---: | --- |", *lines])
