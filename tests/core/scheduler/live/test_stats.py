"""Statistics are what the rows say, whether they are read from the rows or from sums, and they read little."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from framework.clock import new_id
from framework.testing.statements import seen_by
from modules.core.scheduler import JobManager
from modules.core.scheduler.live.sums import FINENESS, Sum
from modules.core.scheduler.live_tables import rollups
from modules.core.scheduler.tables import executions

STATES = ("succeeded", "succeeded", "succeeded", "failed", "succeeded", "timed_out", "skipped", "succeeded")
RAN = ("succeeded", "failed", "timed_out")


async def add_history(node: Any, task_id: str, number: int, every: float = 60.0) -> list[Any]:
    """Insert so many ended executions, one every so many seconds up to now; return their rows."""
    now = node.clock.now()
    plain = {"origin": "schedule", "function_key": "acme.test:note", "queue": "default", "line": "ready", "rank": 0.0}
    plain |= {"attempt": 1, "priority": 0, "missed_count": 0, "retries_used": 0, "crashes": 0, "event_id": task_id}
    rows = []
    for count in range(number, 0, -1):
        end, state = now - timedelta(seconds=every * count), STATES[count % len(STATES)]
        start = end - timedelta(seconds=0.01 * 1.01 ** (count * 7 % 800)) if state in RAN else None
        due = (start or end) - timedelta(seconds=count % 5)
        rows.append({**plain, "id": new_id(), "state": state, "scheduled_for": due, "due_at": due, "created_at": due})
        rows[-1] |= {"start_time": start, "end_time": end}
    await node.app_context.database.write(lambda c: c.execute(insert(executions), rows))
    return rows


def expected(rows: list[Any]) -> dict[str, Any]:
    took = sorted((row["end_time"] - row["start_time"]).total_seconds() for row in rows if row["start_time"])
    worked = sum(row["state"] == "succeeded" for row in rows)
    return {
        "executions": len(rows),
        "success_rate": worked / len(took),
        "average": sum(took) / len(took),
        "p50": took[math.ceil(0.5 * len(took)) - 1],
        "p95": took[math.ceil(0.95 * len(took)) - 1],
        "longest": took[-1],
    }


def shown(stats: dict[str, Any]) -> dict[str, Any]:
    return {"executions": stats["executions"], "success_rate": stats["success_rate"], **stats["duration"]}


async def test_average_and_percentiles_of_all_and_of_one_task_match_the_rows(node: Any) -> None:
    task_id, other = await node.add(delay=9999), await node.add(delay=9999, name="other")
    mine = await add_history(node, task_id, 40)
    node.clock.advance(1)
    others = await add_history(node, other, 10)

    all_of_them = (await node.scheduler.stats(window="1h")).unwrap()
    of_one = (await node.scheduler.stats(task_id, "1h")).unwrap()

    assert shown(all_of_them) == pytest.approx(expected(mine + others))
    assert shown(of_one) == pytest.approx(expected(mine))
    assert (of_one["exact"], of_one["complete"], all_of_them["exact"]) == (True, True, True)
    assert of_one["lateness"] == pytest.approx({"average": of_one["lateness"]["average"], "longest": 4.0})
    assert sum(sum(point["by_state"].values()) for point in of_one["series"]) == 40
    assert len(of_one["series"]) == 60


@pytest.mark.parametrize(("window", "every"), [("1h", 30.0), ("24h", 600.0), ("7d", 4000.0)])
async def test_sums_say_what_the_rows_say_also_when_rows_come_later(node: Any, window: str, every: float) -> None:
    task_id = await node.add(delay=9999)
    first = await add_history(node, task_id, 100, every)
    exact = (await node.scheduler.stats(window=window)).unwrap()
    for _ in range(2):
        await node.scheduler.live.roll_up()
    summed = (await node.scheduler.stats(window=window)).unwrap()
    node.clock.advance(5)
    await node.damage_execution(first[-1]["id"], end_time=node.clock.now())  # what is in the sums is not looked at
    (await node.scheduler.execute_task(task_id)).unwrap()
    await node.scheduler.run_due()
    later = (await node.scheduler.stats(window=window)).unwrap()

    assert (exact["exact"], summed["exact"]) == (True, False)
    assert shown(summed) == pytest.approx(shown(exact), rel=0.026)
    assert summed["duration"]["average"] == pytest.approx(exact["duration"]["average"])
    assert (summed["by_state"], summed["series"]) == (exact["by_state"], exact["series"])
    assert summed["lateness"] == pytest.approx(exact["lateness"])
    assert later["executions"] >= summed["executions"] + 1


async def test_two_nodes_that_sum_up_count_nothing_twice(start_node: Any) -> None:
    here, there = await start_node(), await start_node()
    await add_history(here, await here.add(delay=9999), 60, 10.0)
    read = here.app_context.database.read

    await asyncio.gather(here.scheduler.live.roll_up(), there.scheduler.live.roll_up())

    sums = await read(lambda c: c.execute(select(rollups).where(rollups.c.step == 3600)).all())
    assert sum(row.executions for row in sums) == 59  # the last one ended within the last ten seconds


async def test_a_node_at_work_sums_up_by_itself_and_the_housekeeper_forgets(start_node: Any) -> None:
    node = await start_node()
    task_id = await node.add_every(60)
    count = select(rollups.c.step)
    for _ in range(4):
        await node.pass_time(60)
        await node.scheduler.live._rolling_up._working or None
    steps = (await node.app_context.database.read(lambda c: c.execute(count).scalars().all())).count(60)
    (await node.scheduler.cancel_task(task_id)).unwrap()
    node.clock.advance(3 * 3600)
    (await node.app_context.get_service(JobManager).cleanup_completed_jobs()).unwrap()
    left = set(await node.app_context.database.read(lambda c: c.execute(count).scalars().all()))

    assert steps >= 2
    assert left == {600, 3600}


async def test_statistics_read_sums_and_a_bounded_number_of_rows(node: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    task_id = await node.add(delay=9999)
    await add_history(node, task_id, 50)
    monkeypatch.setattr("modules.core.scheduler.live.statistics.MOST_ROWS", 10)
    monkeypatch.setattr("modules.core.scheduler.live.statistics.MOST_OF_TASK", 10)
    with seen_by(node.app_context.database) as seen:
        unsummed = (await node.scheduler.stats(window="1h")).unwrap()
    of_task = (await node.scheduler.stats(task_id, "1h")).unwrap()
    await node.scheduler.live.roll_up()
    summed = (await node.scheduler.stats(window="1h")).unwrap()

    assert len(seen.statements) == 3
    assert (unsummed["executions"], unsummed["complete"]) == (10, False)
    assert unsummed["until"] < node.clock.now()
    assert (of_task["executions"], of_task["complete"]) == (10, False)
    assert (summed["executions"], summed["complete"], summed["until"]) == (50, True, node.clock.now())


async def test_where_nothing_has_run_there_is_nothing_to_divide_by(node: Any) -> None:
    stats = (await node.scheduler.stats()).unwrap()

    assert (stats["executions"], stats["success_rate"]) == (0, None)
    assert stats["duration"] == {"average": None, "p50": None, "p95": None, "longest": None}
    assert (stats["window"], len(stats["series"])) == ("24h", 144)
    assert (await node.scheduler.stats("nobody")).error.code == "TASK_NOT_FOUND"
    assert (await node.scheduler.stats(window="1y")).error.code == "INVALID_WINDOW"


def test_no_percentile_is_above_the_longest() -> None:
    took = 0.207
    power = math.ceil(math.log(took, FINENESS))

    assert Sum(executions=1, timed=1, seconds=took, longest=took, spread=Counter([power])).percentile(0.95) == took
