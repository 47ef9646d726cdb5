"""Where more comes at one instant than there are slots, and what would flatten it: played again, not guessed."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from framework.duration import in_words
from modules.core.scheduler.foresight.simulating import MINUTE, Run, Slots, Started, Work, play
from modules.core.scheduler.policies import stable_fraction

HOUR = 60 * MINUTE
BEFORE, AFTER = HOUR, 2 * HOUR  # around a pile-up, what is played again
MOST_BEFORE, MOST_AFTER = 1_000, 4_000  # and at most so many runs of it
JITTERS = (MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR)
MOST = 5
Change = Callable[[Run], float]


class PileUp(NamedTuple):
    """Tasks that are due at one instant again and again: when first, how often, and how many of them had to wait."""

    at: float
    times: int
    works: tuple[Work, ...]
    waited: int


def _crowds(runs: Sequence[Run]) -> dict[int, dict[str, Work]]:
    """Return which tasks are due in the same second, by that second."""
    found: dict[int, dict[str, Work]] = {}
    for run in runs:
        found.setdefault(int(run.due), {})[run.work.task_id] = run.work
    return found


def _is_too_much(works: Collection[Work], slots: Slots) -> bool:
    """Tell whether several works that are due at once need more slots than there are, in all or in a queue."""
    in_queues = Counter(work.queue for work in works)
    most = [(len(works), slots.total), *((count, slots.of(queue)) for queue, count in in_queues.items())]
    return any(count > max(there, 1) for count, there in most)


def pile_ups(runs: Sequence[Run], slots: Slots, started: Sequence[Started]) -> list[dict[str, Any]]:
    """Return the worst pile-ups, each `{"at", "times", "count", "waited", "tasks", "advice"}`.

    The advice, best first, is `{"change", "text", "before", "after"}`: the most that wait at once around it, and the
    worst lateness in seconds, without and with that change.
    """
    return [_told(each, runs, slots) for each in _worst(runs, slots, started)]


def _worst(runs: Sequence[Run], slots: Slots, started: Sequence[Started]) -> list[PileUp]:
    waited = Counter(int(each.run.due) for each in started if each.start is None or each.start > each.run.due)
    found: dict[frozenset[str], PileUp] = {}
    for at, works in sorted(_crowds([run for run in runs if slots.of(run.work.queue)]).items()):
        if not waited[at] or not _is_too_much(works.values(), slots):
            continue
        who = frozenset(works)
        known = found.get(who, PileUp(at, 0, tuple(sorted(works.values(), key=lambda work: work.name)), 0))
        found[who] = known._replace(times=known.times + 1, waited=max(known.waited, waited[at]))
    return sorted(found.values(), key=lambda each: (-each.waited, -len(each.works), each.at))[:MOST]


def _told(pile_up: PileUp, runs: Sequence[Run], slots: Slots) -> dict[str, Any]:
    around = _around(pile_up.at, runs)
    before = _outcome(around, slots, pile_up.at)
    return {
        "at": pile_up.at,
        "times": pile_up.times,
        "count": len(pile_up.works),
        "waited": pile_up.waited,
        "tasks": [{"id": work.task_id, "name": work.name} for work in pile_up.works],
        "advice": [each | {"before": before} for each in _advice(pile_up, around, slots) if _is_less(each, before)],
    }


def _around(at: float, runs: Sequence[Run]) -> list[Run]:
    first, middle, last = (bisect_left(runs, due, key=lambda run: run.due) for due in (at - BEFORE, at, at + AFTER))
    return list(runs[max(first, middle - MOST_BEFORE) : min(last, middle + MOST_AFTER)])


def _is_less(advice: dict[str, Any], before: dict[str, float]) -> bool:
    return (advice["after"]["waiting"], advice["after"]["late"]) < (before["waiting"], before["late"])


def _advice(pile_up: PileUp, around: Sequence[Run], slots: Slots) -> list[dict[str, Any]]:
    tried: list[dict[str, Any]] = [
        {"change": change, "text": text, "after": _outcome(_moved(around, pile_up, move), slots, pile_up.at)}
        for change, text, move in _changes(pile_up, slots)
    ]
    jitters = [each for each in tried if each["change"] == "jitter"]
    enough = next((each for each in jitters if not each["after"]["waiting"]), None) or min(jitters, key=_weight)
    return sorted([each for each in tried if each["change"] != "jitter" or each is enough], key=_weight)


def _weight(advice: dict[str, Any]) -> tuple[float, float]:
    return advice["after"]["waiting"], advice["after"]["late"]


def _changes(pile_up: PileUp, slots: Slots) -> Iterator[tuple[str, str, Change]]:
    """Yield what may be done: its name, in words, and by how much each run of the pile-up would move."""
    for jitter in JITTERS:
        text = f"jitter of {in_words(timedelta(seconds=jitter))} for each of them"
        yield "jitter", text, lambda run, jitter=jitter: jitter * stable_fraction(f"{run.work.task_id} {_iso(run.due)}")  # type: ignore[misc]
    crons = [work for work in pile_up.works if work.own_minute is not None]
    if crons:
        whose = "their crons" if len(crons) == len(pile_up.works) else f"the crons of {len(crons)} of them"
        yield "hash", f"`H` for the minute in {whose}", _to_a_minute_of_its_own
    places = {work.task_id: place for place, work in enumerate(pile_up.works)}
    step = math.ceil(max(work.seconds for work in pile_up.works) / MINUTE) * MINUTE
    at_once = max(min(slots.of(work.queue) for work in pile_up.works), 1)
    text = f"starts {in_words(timedelta(seconds=step))} apart, {at_once} at a time"
    yield "shift", text, lambda run: places[run.work.task_id] // at_once * step


def _to_a_minute_of_its_own(run: Run) -> float:
    return 0.0 if run.work.own_minute is None else (run.work.own_minute - run.due % HOUR // MINUTE) * MINUTE


def _moved(around: Sequence[Run], pile_up: PileUp, move: Change) -> list[Run]:
    """Return the runs with those of the pile-up moved."""
    mine = {work.task_id for work in pile_up.works}
    moved = [
        Run(run.due + move(run), run.work) if int(run.due) == pile_up.at and run.work.task_id in mine else run
        for run in around
    ]
    return sorted(moved, key=lambda run: run.due)


def _outcome(runs: Sequence[Run], slots: Slots, at: float) -> dict[str, float]:
    played = play(runs, slots)
    late = max((each.late(at + AFTER + HOUR) for each in played.started), default=0.0)
    return {"waiting": max((level.waiting for level in played.levels), default=0), "late": round(late, 3)}


def _iso(due: float) -> str:
    return datetime.fromtimestamp(due, UTC).isoformat()
