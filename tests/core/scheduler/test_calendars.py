"""Named calendars: tasks keep clear of them, and follow them when they change."""

from __future__ import annotations

import hashlib
import logging
from datetime import UTC, datetime
from typing import Any

import pytest

from framework.testing import FakeClock

MODULE = "acme.test"
Node = Any
Start = Any

WEEKEND = {"weekdays": "sat-sun"}
FRIDAY_NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
SATURDAY, MONDAY = datetime(2026, 1, 3, 9, tzinfo=UTC), datetime(2026, 1, 5, 9, tzinfo=UTC)
HOUR, DAY = 3_600, 86_400

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # nothing here is about storing


@pytest.fixture
def clock() -> FakeClock:
    """A Friday."""
    return FakeClock(FRIDAY_NOON)


async def daily(node: Node, **config: Any) -> str:
    """Schedule a task every day at nine, but on holidays."""
    return await node.add(cron="0 9 * * *", **{"calendars": ["holidays"], **config})


async def next_of(node: Node, task_id: str) -> datetime:
    found: datetime = (await node.task(task_id))["next_execution"]
    return found


@on_sqlite
async def test_what_falls_into_a_calendar_does_not_run(start_node: Start) -> None:
    node = await start_node(calendars={"holidays": WEEKEND})
    task_id = await daily(node)
    assert await next_of(node, task_id) == MONDAY

    for _ in range(4):
        await node.pass_time(DAY)

    assert [row["scheduled_for"] for row in await node.history(task_id)] == [MONDAY, MONDAY.replace(day=6)]
    assert (await node.task(task_id))["schedule"] == "every day at 09:00 (UTC), except on holidays"


@on_sqlite
async def test_what_falls_into_a_calendar_may_be_moved(start_node: Start) -> None:
    node = await start_node(calendars={"holidays": WEEKEND})
    recurring = await daily(node, calendar_action="move")
    once = await node.add(schedule_time=SATURDAY, calendars=[{"name": "holidays", "when": "move"}])

    assert await next_of(node, recurring) == await next_of(node, once) == MONDAY.replace(hour=0)


@on_sqlite
async def test_a_calendar_that_nobody_registers_is_refused_with_a_near_name(start_node: Start) -> None:
    node = await start_node(calendars={"holidays": WEEKEND})
    named = {"name": "x", "module_id": MODULE, "function_name": "note", "cron": "0 9 * * *"}

    refused = await node.scheduler.schedule_task({**named, "calendars": ["holiday"]})
    nothing_left = await node.scheduler.schedule_task({**named, "cron": "0 9 * * sat", "calendars": ["holidays"]})

    assert refused.error is not None
    assert refused.error.details == {
        "problems": [{"field": "calendars", "message": "there is no calendar 'holiday'; did you mean 'holidays'?"}],
        "index": 0,
    }
    assert nothing_left.error is not None
    assert "it never fires" in nothing_left.error.message


async def test_a_calendar_that_has_changed_applies_to_stored_tasks(start_node: Start) -> None:
    before = await start_node(calendars={"holidays": WEEKEND})
    task_id, nested = (
        await daily(before),
        await before.add(
            trigger={
                "type": "any",
                "triggers": [{"type": "cron", "expression": "0 9 * * *", "calendars": ["holidays"]}],
            }
        ),
    )

    after = await start_node(calendars={"holidays": {"dates": ["2026-01-03"]}})

    assert await next_of(after, task_id) == await next_of(after, nested) == SATURDAY.replace(day=4)
    assert (await after.task(task_id))["trigger"]["calendars"][0]["definition"]["dates"] == ["2026-01-03"]


async def test_an_occurrence_that_is_due_is_not_lost_when_its_calendar_changes(
    start_node: Start, clock: FakeClock
) -> None:
    before = await start_node(calendars={"holidays": {"dates": []}})
    task_id = await daily(before)
    clock.advance(22 * HOUR)  # Saturday at ten

    after = await start_node(calendars={"holidays": WEEKEND})

    assert [row["scheduled_for"] for row in await after.history(task_id)] == [SATURDAY]
    assert await next_of(after, task_id) == MONDAY


async def test_a_task_whose_calendar_is_gone_keeps_it_and_says_so(
    start_node: Start, caplog: pytest.LogCaptureFixture
) -> None:
    before = await start_node(calendars={"holidays": WEEKEND})
    task_id = await daily(before)

    with caplog.at_level(logging.WARNING):
        after = await start_node()

    (listed,) = (await after.scheduler.list_calendars()).unwrap()
    assert await next_of(after, task_id) == MONDAY
    assert (listed["name"], listed["tasks"], listed["missing_since"]) == ("holidays", 1, FRIDAY_NOON)
    assert "calendar holidays is registered no longer" in caplog.text
    assert await next_of(after, await daily(after)) == MONDAY  # what is stored may still be named

    again = await start_node(calendars={"holidays": WEEKEND})
    assert (await again.scheduler.list_calendars()).unwrap()[0]["missing_since"] is None


async def test_a_task_that_is_left_no_occurrence_waits_until_its_calendar_changes_again(start_node: Start) -> None:
    node = await start_node(calendars={"holidays": WEEKEND})
    recurring, once = await daily(node), await node.add(schedule_time=MONDAY, calendars=["holidays"])

    always = await start_node(calendars={"holidays": {"weekdays": "mon-sun"}})
    held = [await always.task(task_id) for task_id in (recurring, once)]
    await always.pass_time(10 * DAY)
    again = await start_node(calendars={"holidays": WEEKEND})

    assert [(task["status"], task["status_reason"]) for task in held] == [("paused", "CALENDAR_EXCLUDES_ALL")] * 2
    assert [row["scheduled_for"] for row in await again.history(recurring)] == []
    assert await next_of(again, recurring) == MONDAY.replace(day=13)
    assert ((await again.task(once))["status"], await next_of(again, once)) == ("pending", MONDAY)


async def test_a_task_takes_many_calendars_of_long_names(start_node: Start) -> None:
    names = [hashlib.sha512(bytes([number])).hexdigest()[:100] for number in range(60)]
    node = await start_node(calendars=dict.fromkeys(names, WEEKEND))
    parts = [
        {"type": "cron", "expression": "0 9 * * *", "calendars": names[start : start + 20]} for start in (0, 20, 40)
    ]

    task_id = await node.add(trigger={"type": "any", "triggers": parts})

    after = await start_node(calendars={name: {"dates": []} for name in names})
    assert await next_of(after, task_id) == SATURDAY


async def test_a_paused_task_stays_paused_when_its_calendar_changes(start_node: Start) -> None:
    node = await start_node(calendars={"holidays": WEEKEND})
    task_id = await daily(node)
    await node.scheduler.pause_task(task_id, "by hand")

    after = await start_node(calendars={"holidays": {"dates": []}})

    task = await after.task(task_id)
    assert (task["status"], task["status_reason"], task["next_execution"]) == ("paused", "by hand", SATURDAY)


async def test_a_damaged_task_does_not_keep_the_others_from_following(start_node: Start) -> None:
    before = await start_node(calendars={"holidays": WEEKEND})
    damaged, sound = await daily(before), await daily(before)
    await before.damage(damaged, trigger='{"v":1,"type":"excluding","trigger":{},"calendars":[]}')

    after = await start_node(calendars={"holidays": {"dates": []}})

    assert (await after.task(damaged))["status_reason"] == "CORRUPT_DEFINITION"
    assert await next_of(after, sound) == SATURDAY


@on_sqlite
async def test_what_is_registered_later_applies_when_asked(start_node: Start) -> None:
    node = await start_node()
    node.scheduler.register_calendar(MODULE, "holidays", WEEKEND)
    task_id = await daily(node)

    node.scheduler.register_calendar(MODULE, "holidays", {"dates": []})
    applied = await node.scheduler.apply_calendars()

    assert applied.data == {"tasks": 1}
    assert await next_of(node, task_id) == SATURDAY
    assert (await node.scheduler.apply_calendars()).data == {"tasks": 0}


@on_sqlite
async def test_the_calendars_of_a_task_are_changed_like_any_other_field(start_node: Start) -> None:
    node = await start_node(calendars={"holidays": WEEKEND})
    task_id = await daily(node)

    without = (await node.scheduler.update_task(task_id, {"calendars": []})).unwrap()
    moved = (await node.scheduler.update_task(task_id, {"calendars": ["holidays"], "calendar_action": "move"})).unwrap()
    renamed = (await node.scheduler.update_task(task_id, {"name": "other"})).unwrap()
    alone = await node.scheduler.update_task(task_id, {"calendar_action": "skip"})

    assert (without["next_execution"], without["trigger"]["type"]) == (SATURDAY, "cron")
    assert moved["next_execution"] == renamed["next_execution"] == MONDAY.replace(hour=0)
    assert alone.error is not None


@on_sqlite
async def test_a_calendar_is_shown_with_what_it_closes(start_node: Start) -> None:
    node = await start_node(calendars={"holidays": {**WEEKEND, "timezone": "Europe/Berlin"}})

    shown = (await node.scheduler.show_calendar("holidays", days=7)).unwrap()
    unknown = await node.scheduler.show_calendar("holiday")

    assert shown["closed"] == [
        {"from": datetime(2026, 1, 2, 23, tzinfo=UTC), "to": datetime(2026, 1, 4, 23, tzinfo=UTC)}
    ]
    assert shown["more"] is False
    assert unknown.error is not None
    assert unknown.error.code == "CALENDAR_NOT_FOUND"


@on_sqlite
async def test_a_preview_keeps_clear_of_calendars(start_node: Start) -> None:
    node = await start_node(calendars={"holidays": WEEKEND})

    shown = await node.scheduler.preview({"type": "cron", "expression": "0 9 * * *", "calendars": ["holidays"]}, 1)

    (first,) = shown.unwrap()
    assert (first["at"], [note["code"] for note in first["notes"]]) == (MONDAY, ["CALENDAR_SKIPPED"])


@on_sqlite
async def test_what_was_skipped_or_moved_by_hand_does_not_come_back_when_a_calendar_changes(start_node: Start) -> None:
    before = await start_node(calendars={"holidays": {"dates": []}})
    skipped, moved = await daily(before), await daily(before)
    await before.scheduler.skip_next(skipped)
    await before.scheduler.shift_next(moved, FRIDAY_NOON)

    after = await start_node(calendars={"holidays": {"dates": ["2026-01-04"]}})

    assert await next_of(after, skipped) == await next_of(after, moved) == MONDAY
