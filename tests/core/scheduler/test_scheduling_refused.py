"""What is wrong with a config is told by the key that was written, in the words that were written."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

NOTHING = (0, 0.0, "0", "0s", "PT0S", timedelta(0))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("when", "key", "text"),
    [
        ({"schedule_time": "tomorrow"}, "schedule_time", "schedule_time 'tomorrow' is no ISO 8601 time"),
        ({"trigger": {"type": "date", "run_date": "tomorrow"}}, "run_date", "run_date 'tomorrow' is no ISO 8601 time"),
        ({"trigger": {"type": "interval", "minutes": 0}}, "minutes", "an interval is longer than nothing"),
        ({"trigger": {"type": "cron", "expression": "soon"}}, "expression", "a cron expression has 5 fields"),
        ({"trigger": "soon"}, "trigger", "a cron expression has 5 fields"),
        ({"trigger": {"type": "cron", "hour": "25"}}, "hour", "hour does not allow '25': it takes 0-23"),
        (
            {"trigger": {"type": "cron", "day_of_week": "Mon-FRX"}},
            "day_of_week",
            "day_of_week does not allow 'Mon-FRX'",
        ),
        ({"trigger": {"type": "cron", "day": "2nd XYZ"}}, "day", "day does not allow '2nd XYZ'"),
        ({"trigger": {"type": "cron", "day": 30, "month": 2}}, "day", "month 2, day 30: "),
        ({"cron": "H/15 25 * * MON"}, "cron", "the hour field of cron 'H/15 25 * * MON' does not allow '25'"),
        (
            {"cron": "0 0 * * Mon-FRX"},
            "cron",
            "the day_of_week field of cron '0 0 * * Mon-FRX' does not allow 'Mon-FRX'",
        ),
        ({"cron": "@DAILYY"}, "cron", "there is no cron shorthand '@DAILYY'"),
        ({"cron": "0 6 * * *", "calendar_action": "move"}, "calendar_action", "calendar_action goes with calendars"),
        ({"cron": "soon"}, "cron", "a cron expression has 5 fields"),
    ],
)
async def test_a_refusal_names_the_key_that_was_written(node: Any, when: dict[str, Any], key: str, text: str) -> None:
    refused = await node.scheduler.schedule_task(
        {"name": "x", "module_id": "acme.test", "function_name": "note", **when}
    )

    (problem,) = refused.error.details["problems"]
    assert problem["field"] == key
    assert problem["message"].startswith(text)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_duration_that_has_to_last_is_neither_nothing_nor_negative_nor_a_word(node: Any) -> None:
    names = {"name": "x", "module_id": "acme.test", "function_name": "note"}
    every = {"interval_type": "minutes", "interval_value": 5}
    wrong = [
        every | {key: value} for key in ("timeout", "misfire_grace_time", "expected_by") for value in ("soon", 0, -1)
    ]
    wrong += [every | {"interval_value": value} for value in ("soon", 0, -1)]
    wrong += [{"delay": value} for value in ("soon", -1, *NOTHING)]

    refused = [(await node.scheduler.schedule_task(names | when)).error for when in wrong]

    fields = [[problem["field"] for problem in error.details["problems"]] for error in refused]
    assert [list(when)[-1] for when in wrong] == [field for (field,) in fields]
    assert {error.details["problems"][0]["message"] for error in refused[-len(NOTHING) :]} == {
        "a delay is longer than nothing; schedule_time 'now' runs it at once"
    }


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("more", [{}, {"interval_type": "minutes", "interval_value": 5}])
async def test_a_task_of_now_is_due_at_once_and_is_not_moved_by_the_same_call(node: Any, more: dict[str, Any]) -> None:
    config = {"name": "x", "key": "x", "module_id": "acme.test", "function_name": "note", "schedule_time": "now"}
    began = node.clock.now()

    (first, *_) = (await node.scheduler.preview(config | more)).unwrap()
    task_id = (await node.scheduler.schedule_task(config | more)).unwrap()["task_id"]
    await node.pass_time(1)
    await node.scheduler.schedule_task(config | more)
    await node.pass_time(1)

    assert [first["at"]] == [row["scheduled_for"] for row in await node.history(task_id)] == [began]
