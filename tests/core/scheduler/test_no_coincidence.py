"""A task whose triggers coincide no more, as far as anybody has looked, is paused and never completed silently."""

from __future__ import annotations

from typing import Any

import pytest

DAY = 86_400
ONCE_MORE = {"type": "any", "triggers": [{"type": "date", "run_date": "2026-01-06T09:00:00Z"}, "1 9 * * *"]}
ENDS = {"type": "cron", "expression": "1 9 * * *", "end_date": "2030-01-01"}

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def test_a_task_is_paused_where_the_search_for_its_next_time_ends(node: Any) -> None:
    task_id = await node.add(trigger={"type": "all", "triggers": ["0 9 * * *", ONCE_MORE]})

    await node.pass_time(DAY)
    paused = await node.task(task_id)
    await node.scheduler.resume_task(task_id)
    again = await node.task(task_id)

    told = "its triggers do not coincide before 2076-01-07, where the search ends"
    assert await node.states(task_id) == ["succeeded"]
    assert (paused["status"], paused["status_reason"], paused["last_error"]) == ("paused", "NO_COINCIDENCE", told)
    assert (again["status"], again["status_reason"]) == ("paused", "NO_COINCIDENCE")


async def test_a_task_that_is_known_to_have_no_further_time_is_completed(node: Any) -> None:
    ends = {"type": "any", "triggers": [ONCE_MORE["triggers"][0], ENDS]}
    task_id = await node.add(trigger={"type": "all", "triggers": ["0 9 * * *", ends]})

    await node.pass_time(DAY)

    assert (await node.task(task_id))["status"] == "completed"
