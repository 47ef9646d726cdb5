"""Tasks with calendar intervals, windows, recurrence rules and coincidences run when these say, as stored rows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from framework.testing import FakeClock

Node = Any
BERLIN = "Europe/Berlin"
DAY, HOUR = 86_400, 3_600
LAST_DAY = {"type": "calendar", "months": 1, "day": "last", "at": "09:00"}


@pytest.fixture
def clock() -> FakeClock:
    """A Friday noon, two days before the clocks go forward in Berlin."""
    return FakeClock(datetime(2026, 3, 27, 12, tzinfo=UTC))


async def times(node: Node, task_id: str) -> list[str]:
    return sorted(f"{row['scheduled_for']:%m-%d %H:%M}" for row in await node.history(task_id))


async def test_what_is_stored_runs_when_its_trigger_says(node: Node) -> None:
    window = {"type": "window", "every": "90 minutes", "from": "09:00", "to": "12:00", "days": "sat-sun"}
    rule = {"type": "rrule", "rrule": "FREQ=DAILY;COUNT=3;BYDAY=SA,SU,MO", "dtstart": "2026-03-28T02:30"}
    both = {"type": "all", "triggers": [LAST_DAY, "0 9 * * mon-fri"]}
    configs = {"calendar": LAST_DAY, "window": window, "rrule": rule, "all": both}
    ids = {kind: await node.add(trigger=given, timezone=BERLIN, catch_up="all") for kind, given in configs.items()}

    for _ in range(5 * 12):
        await node.pass_time(2 * HOUR)

    assert await times(node, ids["calendar"]) == ["03-31 07:00"]
    assert await times(node, ids["all"]) == ["03-31 07:00"]
    assert await times(node, ids["rrule"]) == ["03-28 01:30", "03-29 01:00", "03-30 00:30"]
    assert (await node.task(ids["rrule"]))["status"] == "completed"
    saturday, sunday = ["08:00", "09:30", "11:00"], ["07:00", "08:30", "10:00"]
    assert await times(node, ids["window"]) == [f"03-28 {at}" for at in saturday] + [f"03-29 {at}" for at in sunday]


async def test_an_interval_of_months_skips_a_time_that_does_not_exist_where_the_task_says_so(node: Node) -> None:
    monthly = {"interval_type": "months", "interval_value": 1, "schedule_time": "2026-01-29T02:30", "timezone": BERLIN}

    shifted, skipped = await node.add(**monthly), await node.add(**monthly, dst_gap="skip")

    for _ in range(3):
        await node.pass_time(DAY)
    assert "03-29 01:00" in await times(node, shifted)
    assert "03-29 01:00" not in await times(node, skipped)
    assert (await node.task(skipped))["next_execution"] == datetime(2026, 4, 29, 0, 30, tzinfo=UTC)


async def test_an_end_of_the_task_is_that_of_its_calendar(node: Node) -> None:
    task_id = await node.add(trigger=LAST_DAY, timezone=BERLIN, end_date="2026-04-15")

    for _ in range(30):
        await node.pass_time(DAY)

    assert await times(node, task_id) == ["03-31 07:00"]
    assert (await node.task(task_id))["status"] == "completed"
