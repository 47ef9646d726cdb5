"""Seeing ahead: what is foreseen of a config and of a stored task is what happens later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from framework.testing import FakeClock

SPRING = datetime(2026, 3, 28, 21, tzinfo=UTC)
AUTUMN = datetime(2026, 10, 24, 20, tzinfo=UTC)
HOUR = 3600.0


async def foreseen(node: Any, task_id: str, count: int = 5) -> list[datetime]:
    shown = (await node.scheduler.preview_task(task_id, count)).unwrap()
    return [each["at"] for each in shown["times"]]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("now", [SPRING, AUTUMN])
@pytest.mark.parametrize(
    "when",
    [
        {"cron": "30 2 * * *"},
        {"cron": "*/30 1-3 * * *"},
        {"cron": "15 * * * *"},
        {"recurring": True, "interval_type": "hours", "interval_value": 5},
        {"trigger": {"type": "any", "triggers": ["30 2 * * *", {"type": "interval", "hours": 24}]}},
    ],
)
async def test_what_is_foreseen_happens_where_the_clocks_change(
    start_node: Any, clock: FakeClock, when: dict[str, Any], now: datetime
) -> None:
    clock.move_to(now)
    node = await start_node(timezone="Europe/Berlin", keep_execution_history=365)
    task_id = await node.add(**when)
    times = await foreseen(node, task_id, 8)

    for moment in times:
        clock.move_to(moment)
        await node.scheduler.run_due()

    history = await node.history(task_id)
    assert [row["scheduled_for"] for row in history] == times
    assert {row["missed_count"] for row in history} == {0}


async def test_a_preview_shows_the_local_time_and_what_is_odd_about_it(node: Any) -> None:
    config = {"cron": "30 2 29 3 *", "timezone": "Europe/Berlin"}

    (one,) = (await node.scheduler.preview(config, 1)).unwrap()

    assert one["at"] == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert one["local"].isoformat() == "2026-03-29T03:00:00+02:00"
    text = "02:30 does not exist on 29 March 2026 in Europe/Berlin: runs at 03:00"
    assert one["notes"] == [{"code": "DST_GAP_SHIFTED", "text": text}]


async def test_a_single_time_that_does_not_exist_is_told(node: Any) -> None:
    config = {"schedule_time": "2026-03-29T02:30", "timezone": "Europe/Berlin"}

    (one,) = (await node.scheduler.preview(config)).unwrap()

    assert one["local"].isoformat() == "2026-03-29T03:00:00+02:00"
    assert [note["code"] for note in one["notes"]] == ["DST_GAP_SHIFTED"]


async def test_what_a_calendar_leaves_out_and_moves_is_foreseen_and_happens(start_node: Any) -> None:
    calendars = {"weekend": {"weekdays": "sat-sun"}, "epiphany": {"dates": ["01-07"]}}
    node = await start_node(calendars=calendars, keep_execution_history=365)
    names = [{"name": "weekend", "when": "skip"}, {"name": "epiphany", "when": "move"}]
    config = {"cron": "0 9 * * *", "calendars": names}
    times = (await node.scheduler.preview(config, 6)).unwrap()
    task_id = await node.add(**config)

    for each in times:
        node.clock.move_to(each["at"])
        await node.scheduler.run_due()

    assert [row["scheduled_for"] for row in await node.history(task_id)] == [each["at"] for each in times]
    span = "2 times from 09:00 on 10 January 2026 to 09:00 on 11 January 2026"
    assert [(f"{each['at']:%a %d %H}", note["text"]) for each in times for note in each["notes"]] == [
        ("Thu 08 00", "09:00 on 7 January 2026 is moved here: it is in calendar 'epiphany'"),
        ("Mon 12 09", f"{span} are left out: they are in calendar 'weekend'"),
    ]


async def test_a_task_is_foreseen_no_further_than_its_maximum(node: Any) -> None:
    config = {"recurring": True, "interval_type": "hours", "interval_value": 1, "max_executions": 3}
    task_id = await node.add(**config)
    await node.pass_time(HOUR)

    assert len((await node.scheduler.preview(config)).unwrap()) == 3
    assert len(await foreseen(node, task_id)) == 2


async def test_a_paused_task_is_foreseen_as_if_it_were_resumed(node: Any) -> None:
    task_id = await node.add_every(HOUR)
    await node.scheduler.pause_task(task_id, "moving house")
    await node.pass_time(10.5 * HOUR)

    shown = (await node.scheduler.preview_task(task_id, 2)).unwrap()
    resumed = (await node.scheduler.resume_task(task_id)).unwrap()

    assert shown["times"][0]["at"] == resumed["next_execution"]
    told = "the task is paused: moving house; these are its times if it is resumed now"
    assert shown["notes"] == [{"code": "PAUSED", "text": told}]


async def test_times_that_are_only_the_earliest_say_so(node: Any) -> None:
    pausing = {"type": "interval", "minutes": 5, "after_end": True}

    times = (await node.scheduler.preview(pausing, 3)).unwrap()

    assert [[note["code"] for note in each["notes"]] for each in times] == [
        [],
        ["AT_THE_EARLIEST"],
        ["AT_THE_EARLIEST"],
    ]


async def test_an_event_beside_times_is_told(node: Any) -> None:
    either = {"type": "any", "triggers": ["0 9 * * *", {"type": "event", "event": "order.paid"}]}
    task_id = await node.add(trigger=either)

    shown = (await node.scheduler.preview_task(task_id)).unwrap()

    assert len(shown["times"]) == 5
    assert [note["text"] for note in shown["notes"]] == [
        "besides, it runs when 'order.paid' is emitted; nobody knows when"
    ]


async def test_what_waits_for_a_time_that_is_none_of_the_trigger_is_told(node: Any) -> None:
    moved = await node.add(cron="0 9 * * *", timezone="UTC")
    gathering = await node.add(trigger={"type": "event", "event": "saved", "debounce": "10s"})
    first = (await node.scheduler.preview_task(moved, 1)).unwrap()["times"][0]["at"]
    await node.scheduler.shift_next(moved, first + timedelta(hours=2))
    await node.scheduler.emit("saved")

    told = [(await node.scheduler.preview_task(task_id, 1)).unwrap()["notes"] for task_id in (moved, gathering)]

    at = f"{first:%a %Y-%m-%d}"
    moved_text = f"the run of {at} 09:00:00 UTC was moved by hand and starts at {at} 11:00:00 UTC"
    assert told[0] == [{"code": "WAITS", "text": moved_text}]
    assert [note["code"] for note in told[1]] == ["WAITS", "EVENT"]


async def test_what_has_no_time_says_why(node: Any) -> None:
    waiting = await node.add(trigger={"type": "event", "event": "order.paid"})
    done = await node.add()
    await node.scheduler.run_due()

    shown = [(await node.scheduler.preview_task(task_id)).unwrap() for task_id in (waiting, done)]

    assert [each["times"] for each in shown] == [[], []]
    assert [note["code"] for each in shown for note in each["notes"]] == ["EVENT", "ENDED"]


async def test_a_task_that_is_not_there_or_cannot_be_read_is_refused(node: Any) -> None:
    task_id = await node.add_every(HOUR)
    await node.damage(task_id, trigger="{}")

    answers = [await node.scheduler.preview_task(each) for each in ("nobody", task_id)]

    assert [answer.error.code for answer in answers] == ["TASK_NOT_FOUND", "CORRUPT_DEFINITION"]
