"""What the scheduler is to reach, as ratios within one run, and what it reached."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.environments import RAW
from benchmarks.measures.cron import DENSE, EXPRESSIONS, SPARSE
from benchmarks.report import number
from benchmarks.results import Results
from benchmarks.stores import FULL, NORMAL, POSTGRES
from benchmarks.values import Value, batched, best_of, growth, highest, least, lowest, ours, ratio, to, to_best, to_ours

STARTING = "ms from adding a due one to its start"
NOT_MEASURED = "not measured"


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


def _idle(store: str) -> list[str]:
    return [f"idle/{count}/{store}" for count in (0, 10_000, 100_000, 1_000_000)]


def _of_idle(store: str, title: str, cpu: float) -> list[Goal]:
    cases = _idle(store)
    return [
        Goal(f"{title} idle: CPU in 30 s", highest(cases, "CPU s in 30 s"), cpu, at_most=True, unit="s"),
        Goal(f"{title} idle: memory, none to most", growth(cases, "MiB"), 8, at_most=True, unit="MiB"),
        Goal(f"{title} idle: a turn", highest(cases, "ms of a turn"), 10, at_most=True, unit="ms"),
        Goal(f"{title} idle: a turn, none to most", growth(cases, "ms of a turn"), 1, at_most=True, unit="ms"),
        Goal(f"{title} idle: from adding to starting", highest(cases, STARTING), 15, at_most=True, unit="ms"),
        Goal(f"{title} idle: start-up", highest(cases, "start-up ms"), 150, 50, at_most=True, unit="ms"),
        Goal(f"{title} idle: adding one", highest(cases, "ms CPU to add one"), 2, at_most=True, unit="ms"),
    ]


def _of_bursts(store: str, title: str) -> list[Goal]:
    wanted = {"first start": (10, None), "last start": (60, 30), "longest block of the loop": (10, None)}
    return [
        Goal(f"{title} burst: {name}", ours(f"burst/{store}", f"{name} ms"), most, best, at_most=True, unit="ms")
        for name, (most, best) in wanted.items()
    ]


def _of_overdue(store: str, title: str) -> list[Goal]:
    case = f"overdue/{store}"
    return [
        Goal(f"{title} all overdue: GET /tasks p99", ours(case, "GET /tasks p99 ms"), 100, at_most=True, unit="ms"),
        Goal(f"{title} all overdue: memory", ours(case, "MiB more"), 32, at_most=True, unit="MiB"),
    ]


def _of_cleanups(store: str, title: str) -> list[Goal]:
    written = ours(f"cleanup/writers/{store}", "longest write ms")
    return [
        Goal(f"{title} cleanup of rows to batches by hand", to(f"cleanup/rows/{store}", RAW), 0.67),
        Goal(f"{title} cleanup: longest write of others", written, 250, at_most=True, unit="ms"),
        Goal(f"{title} cleanup: memory", ours(f"cleanup/rows/{store}", "MiB more"), 16, at_most=True, unit="MiB"),
    ]


def _of_rest(store: str, title: str) -> list[Goal]:
    return [
        goal
        for case, how in ((f"rest/{store}", "one process"), (f"rest/apart/{store}", "two processes"))
        for goal in (
            Goal(f"{title} lists over HTTP, {how}", ours(case), 1_000, 3_000, unit="a second"),
            Goal(f"{title} lists over HTTP, {how}: p99", ours(case, "p99 ms"), 50, at_most=True, unit="ms"),
            Goal(f"{title} executions beside them, {how}", ours(case, "executions a second"), 950, unit="a second"),
        )
    ]


def _of_cron() -> list[Goal]:
    kinds = {"dense": (DENSE, 100_000, 200_000), "sparse": (SPARSE, 30_000, 100_000)}
    rates = [
        Goal(f"Cron, {kind}: next times", lowest("cron", names.values()), least, best, unit="a second")
        for kind, (names, least, best) in kinds.items()
    ]
    others = ("croniter", "cronsim")
    ahead = [ratio(ours("cron", name), best_of("cron", others, name)) for name in EXPRESSIONS.values()]
    return [*rates, Goal("Cron to croniter and cronsim, any expression", least(ahead), 1)]


_C100 = "drain/c100/"
_C100_2 = "drain/c100w2/"
_ONE, _MANY, _BULK = "enqueue/one/", "enqueue/callers/", "enqueue/bulk/"

GOALS = [
    Goal("SQLite drain to huey", to(_C100 + NORMAL, "huey"), 3, 4),
    Goal("SQLite drain: CPU", ours(_C100 + NORMAL, "us CPU"), 40, at_most=True, unit="us"),
    Goal("SQLite FULL drain to the best peer", to_best(_C100 + FULL), 8),
    Goal("SQLite FULL drain to NORMAL (a stretch)", to_ours(_C100 + FULL, _C100 + NORMAL), 0.75),
    Goal("PostgreSQL drain to PgQueuer", to(_C100 + POSTGRES, "pgqueuer"), 1.5, 1.8),
    Goal("PostgreSQL drain to PgQueuer, 2 workers", to(_C100_2 + POSTGRES, "pgqueuer"), 1.8, 2.2),
    Goal("PostgreSQL drain, 2 workers to 1", to_ours(_C100_2 + POSTGRES, _C100 + POSTGRES), 1),
    Goal("SQLite enqueue to APScheduler 3", to(_ONE + NORMAL, "apscheduler3"), 1.3),
    Goal("SQLite 100 callers to one of APScheduler 3", to(_MANY + NORMAL, "apscheduler3", _ONE + NORMAL), 6),
    Goal("SQLite bulk", ours(_BULK + NORMAL), 100_000, 150_000, unit="a second"),
    Goal("SQLite bulk to the raw batched insert (or the above)", batched(_BULK + NORMAL, f"limits/{NORMAL}"), 0.25),
    Goal("PostgreSQL enqueue to PgQueuer", to(_ONE + POSTGRES, "pgqueuer"), 1.5, 1.6),
    Goal("PostgreSQL bulk to PgQueuer", to(_BULK + POSTGRES, "pgqueuer"), 1.2, 1.5),
    Goal("SQLite lateness p50", ours(f"lateness/{NORMAL}", "p50 ms"), 2, at_most=True, unit="ms"),
    Goal("SQLite lateness p99", ours(f"lateness/{NORMAL}", "p99 ms"), 5, 2, at_most=True, unit="ms"),
    Goal("SQLite lateness max", ours(f"lateness/{NORMAL}", "max ms"), 15, at_most=True, unit="ms"),
    Goal("PostgreSQL lateness p99", ours(f"lateness/{POSTGRES}", "p99 ms"), 10, at_most=True, unit="ms"),
    Goal("PostgreSQL from node to node p99", ours(f"crossing/{POSTGRES}", "p99 ms"), 15, at_most=True, unit="ms"),
    *_of_bursts(NORMAL, "SQLite"),
    *_of_bursts(POSTGRES, "PostgreSQL"),
    *_of_idle(NORMAL, "SQLite", 0.01),
    *_of_idle(POSTGRES, "PostgreSQL", 0.05),
    *_of_overdue(NORMAL, "SQLite"),
    *_of_overdue(POSTGRES, "PostgreSQL"),
    *_of_cleanups(NORMAL, "SQLite"),
    *_of_cleanups(POSTGRES, "PostgreSQL"),
    Goal("SQLite dashboard: slowest page", ours(f"screens/{NORMAL}", "slowest page ms"), 150, at_most=True, unit="ms"),
    Goal(
        "PostgreSQL dashboard: the same", ours(f"screens/{POSTGRES}", "slowest page ms"), 150, at_most=True, unit="ms"
    ),
    *_of_rest(NORMAL, "SQLite"),
    *_of_rest(POSTGRES, "PostgreSQL"),
    Goal("Cleanup of files to os.walk", to("cleanup/files", "os.walk"), 1),
    Goal("Cleanup of files: memory", ours("cleanup/files", "MiB more"), 16, at_most=True, unit="MiB"),
    *_of_cron(),
    Goal("SQLite recurring to the drain", to_ours(f"recurring/{NORMAL}", _C100 + NORMAL), 0.5),
    Goal("PostgreSQL recurring to the drain", to_ours(f"recurring/{POSTGRES}", _C100 + POSTGRES), 0.5),
]


def verdicts(results: Results) -> list[tuple[str, str, str, str]]:
    """Return title, wanted, reached and verdict of each goal; of one that was not measured, the reason if it is known.

    The reason stands in place of the verdict.
    """
    return [_verdict(goal, results) for goal in GOALS]


def _verdict(goal: Goal, results: Results) -> tuple[str, str, str, str]:
    value = goal.value(results)
    wanted = f"{'at most' if goal.at_most else 'at least'} {number(goal.wanted)} {goal.unit}"
    if goal.stretch is not None:
        wanted += f" ({number(goal.stretch)})"
    if value is None:
        return goal.title, wanted, NOT_MEASURED, "; ".join(goal.value.missing(results)) or "not part of this run"
    verdict = "met" if goal.met(value, goal.wanted) else "MISSED"
    if goal.stretch is not None and goal.met(value, goal.stretch):
        verdict = "met, and the stretch"
    return goal.title, wanted, f"{number(value)} {goal.unit}", verdict


def for_terminal(results: Results) -> str:
    """Return the goals as lines, but for those whose measures nobody asked for."""
    asked = {goal.title for goal in GOALS if goal.value(results) is not None or goal.value.missing(results)}
    lines = [
        f"{title:<54}{wanted:>32}{reached:>20}   {verdict}"
        for title, wanted, reached, verdict in verdicts(results)
        if title in asked
    ]
    return "\n".join(["", "Goals", *lines]) if lines else ""


def in_markdown(results: Results) -> str:
    """Return all goals as a table."""
    rows = [[cell.replace("|", "\\|") for cell in row] for row in verdicts(results)]
    lines = [" | ".join(("", *row, "")).strip() for row in rows]
    return "\n".join(["| goal | wanted (stretch) | reached | |", "| --- | --- | ---: | --- |", *lines])
