"""What has passed already is foreseen as it will be caught up, and said to be so."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

TEN_MINUTES = timedelta(minutes=10)

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def codes(times: list[dict[str, Any]]) -> list[list[str]]:
    return [[note["code"] for note in each["notes"]] for each in times]


@pytest.mark.parametrize(("catch_up", "overdue"), [("latest", [3]), ("all", [1, 2, 3]), ("none", [])])
async def test_of_overdue_times_those_are_foreseen_that_run(node: Any, catch_up: str, overdue: list[int]) -> None:
    start = node.clock.now()
    task_id = await node.add_every(600, catch_up=catch_up)
    node.clock.advance(1_900)

    times = (await node.scheduler.preview_task(task_id, len(overdue) + 1)).unwrap()["times"]

    assert [each["at"] for each in times] == [start + number * TEN_MINUTES for number in [*overdue, 4]]
    assert codes(times) == [*([["OVERDUE"]] * len(overdue)), []]


async def test_a_forecast_counts_of_what_has_passed_what_its_policies_let_run(node: Any) -> None:
    policies: dict[str, dict[str, Any]] = {"all": {"catch_up": "all"}, "none": {"catch_up": "none"}, "latest": {}}
    policies |= {"graceful": {"misfire_grace_time": 60}, "twice": {"catch_up": "all", "max_executions": 2}}
    names = {await node.add_every(600, name=name, **policy): name for name, policy in policies.items()}
    node.clock.advance(1_900)

    told = (await node.scheduler.forecast(500 / 3600)).unwrap()

    await node.scheduler.run_due()
    await node.pass_time(500)
    ran = [names[row["task_id"]] for row in await node.history() if row["state"] == "succeeded"]
    assert sorted(ran) == sorted(["all"] * 4 + ["none"] + ["latest"] * 2 + ["graceful"] + ["twice"] * 2)
    assert sorted(names[each["task_id"]] for each in told["occurrences"]) == sorted(ran)
    assert told["skipped"] == 0


async def test_a_single_time_that_has_passed_is_told_to_run_at_once(node: Any) -> None:
    past = node.clock.now() - timedelta(days=1)

    (one,) = (await node.scheduler.preview({"schedule_time": past})).unwrap()

    assert (one["at"], codes([one])) == (past, [["AT_ONCE"]])


async def test_an_execution_that_is_due_is_told_where_no_time_follows(node: Any) -> None:
    task_id = await node.add(schedule_time=node.clock.now() - timedelta(days=1))

    shown = (await node.scheduler.preview_task(task_id)).unwrap()

    assert (shown["times"], [note["code"] for note in shown["notes"]]) == ([], ["WAITS"])


async def test_an_h_of_nobody_has_no_minute(node: Any) -> None:
    refused = await node.scheduler.preview({"cron": "H * * * *"})
    named = await node.scheduler.preview({"cron": "H * * * *", "name": "report", "module_id": "acme.shop"}, 1)

    assert (refused.error.code, refused.error.details) == ("INVALID_TRIGGER", {"field": "cron"})
    assert named.error is None
