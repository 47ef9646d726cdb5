"""Poison: functions that kill their process, eat its memory or do not listen, beside functions that just work."""

from __future__ import annotations

from benchmarks.torture.arena import Arena, Verdict
from benchmarks.torture.explained import KILLED
from benchmarks.torture.worker import one_time

CRASH_LIMIT = 3
DEADLY = ("segfault", "leave")


def run_poison(arena: Arena, *, each: int, tasks: int) -> Verdict:
    """Let every kind of poison run among good tasks; nodes that die are replaced, as a supervisor would.

    A good task that was beside a deadly one each time goes with it: that is rare, and its row says so.
    """
    poison = [one_time(f"{name} {number}", name) for number in range(each) for name in (*DEADLY, "hog")]
    poison += [one_time(f"deaf {number}", "deaf", parameters={"seconds": 1.0}, timeout=0.2) for number in range(each)]
    good = [one_time(f"task {number}", parameters={"seconds": 0.01}) for number in range(tasks)]
    arena.schedule(arena.chance.sample([*poison, *good], len(poison) + len(good)))
    died = 0
    with arena.herd(settings={"max_concurrent_tasks": 4, "crash_limit": CRASH_LIMIT}) as herd:
        herd.start(2)

        def supervise() -> None:
            nonlocal died
            died += herd.replace_dead()

        arena.until_settled(meanwhile=supervise)
        herd.stop()
    found = arena.evidence()
    deadly = [task["id"] for task in found.tasks if task["function_name"] in DEADLY]
    starts = [sum(row["id"] in found.starts for row in found.by_task[task]) for task in deadly]
    spared = [row for row in found.rows if found.task_by_id[row["event_id"]]["function_name"] == "work"]
    return arena.verdict(
        allowed={"failed of hog", "timed_out of deaf", *KILLED},
        died=died,
        most_starts_of_a_deadly_one=max(starts),
        fewest_starts_of_a_deadly_one=min(starts),
        good_tasks=len(good),
        good_tasks_set_aside=sum(row["reason"] == "CRASH_LIMIT" for row in spared),
    )
