"""Explain: times that a change of the clocks leaves out or shows twice, and moments that are still to come."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from explaining import answer, explained, gate

HOUR = 3600.0
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SPRING = datetime(2026, 3, 28, 12, tzinfo=UTC)  # the day before the clocks of Berlin go forward


@pytest.mark.parametrize(("gap", "expected"), [("shift", ("ran", None)), ("skip", ("did_not_run", "daylight_saving"))])
async def test_a_time_that_the_clock_left_out_is_told_as_such(node: Any, gap: str, expected: Any) -> None:
    node.clock.move_to(SPRING)
    task_id = await node.add(cron="30 2 * * *", timezone="Europe/Berlin", dst_gap=gap)
    await node.pass_time(86_400)

    told = await explained(node, task_id, at="2026-03-29T02:30")

    assert answer(told) == expected
    assert (
        "02:30:00 was left out: on Sun 2026-03-29 the clock of Europe/Berlin went from 02:00 to 03:00"
        in (told["verdict"])
    )
    assert gate(told, "daylight_saving")["passes"] is False


@pytest.mark.parametrize(
    ("cron", "expected"), [("0 3 * * *", ("will_run", None)), ("0 5 * * *", ("will_not_run", "daylight_saving"))]
)
async def test_a_time_to_come_that_the_clock_leaves_out_is_told_as_such(node: Any, cron: str, expected: Any) -> None:
    task_id = await node.add(cron=cron, timezone="Europe/Berlin")

    told = await explained(node, task_id, at="2026-03-29T02:30")

    assert answer(told) == expected
    assert "02:30:00 was left out" in told["verdict"]
    is_told_of_another = told["verdict"].startswith("It will not run at Sun 2026-03-29 03:00:00")
    assert not is_told_of_another


async def test_of_a_time_that_the_clock_shows_twice_the_one_that_ran_is_told(node: Any) -> None:
    node.clock.move_to(datetime(2026, 10, 24, 12, tzinfo=UTC))
    task_id = await node.add(cron="30 2 * * *", timezone="Europe/Berlin", dst_fold="last")
    await node.pass_time(86_400)

    told = await explained(node, task_id, at="2026-10-25T02:30")

    assert answer(told) == ("ran", None)
    assert told["verdict"].startswith("It ran at Sun 2026-10-25 02:30:00 CET: ")


@pytest.mark.parametrize(
    ("now", "wanted"),
    [
        (datetime(2026, 10, 24, 12, tzinfo=UTC), "will_not_run"),
        (datetime(2026, 10, 25, 0, 50, tzinfo=UTC), "did_not_run"),  # between its first and its second pass
    ],
)
async def test_of_a_time_that_the_clock_will_show_twice_the_one_that_runs_is_told(
    node: Any, now: datetime, wanted: str
) -> None:
    node.clock.move_to(SPRING)
    task_id = await node.add(cron="30 2 * * *", timezone="Europe/Berlin", dst_fold="last", catch_up="none")
    await node.pass_time((now - SPRING).total_seconds())

    told = [await explained(node, task_id, at=f"2026-10-25T02:{minute}") for minute in (30, 40)]

    assert [answer(each) for each in told] == [("will_run", None), (wanted, "schedule")]
    assert told[0]["verdict"].startswith("It is due at Sun 2026-10-25 02:30:00 CET, ")


async def test_a_moment_to_come_is_foreseen_as_things_stand(node: Any) -> None:
    task_id = await node.add_every(HOUR, max_executions=2)

    told = [await explained(node, task_id, at=f"2026-01-05T{hour}") for hour in ("13:00", "14:00", "15:00", "13:10")]
    await node.scheduler.pause_task(task_id)
    told.append(await explained(node, task_id, at="2026-01-05T13:00"))

    never = "will_not_run"
    expected = [("will_run", None), ("will_run", None), (never, "schedule"), (never, "schedule"), (never, "paused")]
    assert [answer(each) for each in told] == expected
