"""Explain what bounds a schedule: how often, until when, and in which hours."""

from __future__ import annotations

from typing import Any

import pytest
from explaining import answer, explained, gate, started

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
HOUR = 3600.0
OFFICE = {"type": "window", "every": "30 minutes", "from": "09:00", "to": "17:30", "days": "mon-fri", "timezone": "UTC"}


@pytest.mark.parametrize(
    ("bound", "text"),
    [
        ({"max_executions": 2}, "having started 2 times, as often as max_executions allows"),
        ({"end_date": "2026-01-05T14:30:00Z"}, "its end of Mon 2026-01-05 14:30:00 UTC having passed"),
    ],
)
async def test_a_recurring_task_that_is_over_says_what_ended_it(
    start_node: Any, bound: dict[str, Any], text: str
) -> None:
    node = await started(start_node)
    task_id = await node.add_every(HOUR, **bound)
    for _ in range(3):
        await node.pass_time(HOUR)

    told = [await explained(node, task_id), await explained(node, task_id, at="2026-01-06T12:00")]

    assert [answer(each) for each in told] == [("ended", "task"), ("will_not_run", "task")]
    assert [text in each["verdict"] for each in told] == [True, True]


async def test_a_moment_outside_the_window_of_a_schedule_names_the_window(start_node: Any) -> None:
    node = await started(start_node)
    task_id = await node.add(trigger={**OFFICE, "end_date": "2026-01-31T00:00:00Z"})
    moments = ["2026-01-06T08:30", "2026-01-10T12:00", "2026-02-02T12:00", "2026-01-06T12:10"]

    told = [await explained(node, task_id, at=moment) for moment in moments]
    now = await explained(node, task_id)

    assert [answer(each) for each in told] == [("will_not_run", "window")] * 3 + [("will_not_run", "schedule")]
    hours = "is outside its window, from 09:00 to 17:30 on Monday to Friday (UTC)"
    assert [hours in each["verdict"] for each in told] == [True, True, False, False]
    assert "its schedule ended at Sat 2026-01-31" in told[2]["verdict"]
    assert (answer(now), gate(now, "window")["passes"]) == (("waits", "schedule"), True)


async def test_a_calendar_that_holds_a_task_now_is_named_with_its_end(start_node: Any) -> None:
    node = await started(start_node, calendars={"mondays": {"weekdays": "mon", "timezone": "UTC"}})
    task_id = await node.add_every(HOUR, calendars=["mondays"])

    told = await explained(node, task_id)

    assert (told["blocked_by"], gate(told, "calendar")["passes"]) == ("schedule", False)
    assert "now is in calendar 'mondays' until Tue 2026-01-06 00:00:00 UTC" in told["verdict"]
