"""`forecast` and `lint` of stored tasks: what they read, and what they suppose."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from modules.core.scheduler.foresight import leisure

HOUR = 3600.0
MIDNIGHT = datetime(2026, 1, 6, tzinfo=UTC)


async def forecast(node: Any, hours: float = 24, **more: Any) -> dict[str, Any]:
    told: dict[str, Any] = (await node.scheduler.forecast(hours, **more)).unwrap()
    return told


async def remove_own_tasks(node: Any) -> None:
    """Leave out the scheduler's own retention, which runs at night."""
    for task in (await node.scheduler.list_tasks()).unwrap()["tasks"]:
        await node.scheduler.cancel_task(task["id"])


@pytest.fixture
async def crowded(start_node: Any) -> Any:
    """A node with three slots and five tasks at midnight."""
    node = await start_node(max_concurrent_tasks=3)
    await remove_own_tasks(node)
    for number in range(5):
        await node.add(name=f"night {number}", task_id=f"night-{number}", cron="0 0 * * *")
    return node


async def test_a_forecast_plays_the_stored_tasks_on_this_schedulers_slots(crowded: Any) -> None:
    told = await forecast(crowded)

    assert (told["total"], told["slots"], told["nodes"]) == (5, 3, 0)
    assert [each["late"] for each in told["occurrences"]] == [0, 0, 0, 10, 10]
    assert [(each["seconds"], each["is_measured"]) for each in told["tasks"]] == 5 * [(10.0, False)]
    (pile_up,) = told["pile_ups"]
    assert (pile_up["at"], pile_up["count"], pile_up["waited"]) == (MIDNIGHT, 5, 2)


async def test_the_advice_to_write_an_h_is_what_happens_then(crowded: Any) -> None:
    (pile_up,) = (await forecast(crowded))["pile_ups"]
    advice = next(each for each in pile_up["advice"] if each["change"] == "hash")
    changes = [{"task": task["id"], "cron": "H 0 * * *"} for task in pile_up["tasks"]]

    told = await forecast(crowded, what_if=changes)

    assert told["peak"]["waiting"] == advice["after"]["waiting"] == 0
    assert told["late"]["late"] == advice["after"]["late"]


async def test_the_history_says_how_long_a_task_takes(node: Any) -> None:
    async def slow() -> None:
        node.clock.advance(90)

    await remove_own_tasks(node)
    node.register("slow", slow)
    await node.add_every(HOUR, "slow")
    await node.pass_time(HOUR)
    await node.add("slow", name="alike", delay=HOUR)

    told = await forecast(node, 1)

    assert [(each["name"], each["seconds"], each["is_measured"]) for each in told["tasks"]] == [
        ("slow", 90.0, True),
        ("alike", 90.0, True),
    ]


async def test_a_forecast_changes_nothing_and_leaves_out_what_is_held_back(crowded: Any) -> None:
    await crowded.scheduler.pause_task("night-0")
    await crowded.scheduler.cancel_task("night-1")
    before = (await crowded.scheduler.list_tasks()).unwrap()

    told = await forecast(crowded)

    assert told["total"] == 3
    assert (await crowded.scheduler.list_tasks()).unwrap() == before


async def test_what_is_supposed_is_told_beside_what_is(crowded: Any) -> None:
    changes = [
        {"task": "night-0", "remove": True},
        {"task": "night-1", "cron": "0 5 * * *"},
        {"task": "night-2", "takes": "1 hour"},
        {"name": "new", "cron": "0 0 * * *", "takes": 60},
    ]

    told = await forecast(crowded, what_if=changes)

    before, after = told["what_if"]["before"], told["what_if"]["after"]
    assert (before["total"], before["peak"]["waiting"], before["late"]["late"]) == (5, 2, 10)
    assert (after["total"], after["peak"]["waiting"], after["late"]["late"]) == (5, 1, 10)
    assert {each["name"]: each["seconds"] for each in told["tasks"]} == {
        "night 1": 10.0,
        "night 2": 3600.0,
        "night 3": 10.0,
        "night 4": 10.0,
        "new": 60.0,
    }
    assert (await crowded.scheduler.get_task("night-1")).unwrap()["next_execution"] == MIDNIGHT


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"task": "nobody", "remove": True}, "TASK_NOT_FOUND"),
        ({"task": "night-0", "cron": "70 * * * *"}, "INVALID_CONFIG"),
        ({"task": "night-0", "prioritty": 5}, "INVALID_CONFIG"),
        ({"cron": "0 0 * * *", "takes": "long"}, "INVALID_CONFIG"),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_cannot_be_supposed_is_refused(crowded: Any, change: dict[str, Any], code: str) -> None:
    answer = await crowded.scheduler.forecast(what_if=[change])

    assert answer.error.code == code


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_one_task_is_supposed_to_change_in_one_way(crowded: Any) -> None:
    changes = [{"task": "night-0", "cron": "0 5 * * *"}, {"task": "night-0", "remove": True}]

    answer = await crowded.scheduler.forecast(what_if=changes)

    assert answer.error.code == "INVALID_CONFIG"
    assert answer.error.message == "what_if changes task 'night-0' 2 times: say all of it in one change"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("changes", "total"),
    [
        ([{"task": "night-0", "paused": True}], 4),
        ([{"name": "later", "cron": "0 0 * * *", "paused": True}], 5),
        ([{"name": "asked", "trigger": {"type": "event", "event": "asked"}}], 5),
    ],
)
async def test_what_is_supposed_to_wait_does_not_come(crowded: Any, changes: Any, total: int) -> None:
    told = (await forecast(crowded, what_if=changes))["what_if"]

    assert (told["before"]["total"], told["after"]["total"]) == (5, total)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("hours", [0, -1, 100_000])
async def test_a_window_that_is_none_is_refused(node: Any, hours: float) -> None:
    assert (await node.scheduler.forecast(hours)).error.code == "INVALID_CONFIG"


async def test_the_slots_are_those_of_the_nodes_that_live_and_claim(start_node: Any) -> None:
    one = await start_node(max_concurrent_tasks=4)
    two = await start_node(max_concurrent_tasks=6, queues={"mail": 2})
    for each in (one, two):
        await each.scheduler.turn()

    both = await forecast(one)
    await one.scheduler.drain_node(two.scheduler._runner.node_id)
    alone = await forecast(one)

    assert (both["slots"], both["nodes"]) == (10, 2)
    assert (alone["slots"], alone["nodes"]) == (4, 2)


async def test_what_waits_in_a_paused_queue_never_starts(crowded: Any) -> None:
    await crowded.scheduler.pause_queue("default")

    told = await forecast(crowded)

    assert {each["start"] for each in told["occurrences"]} == {None}
    assert told["pile_ups"] == []


async def test_what_is_open_now_is_part_of_the_forecast(start_node: Any) -> None:
    node = await start_node(max_concurrent_tasks=1)
    await remove_own_tasks(node)
    task_id = await node.add(delay=timedelta(hours=30))
    await node.scheduler.execute_task(task_id)

    told = await forecast(node, 1)

    assert [(each["name"], each["late"]) for each in told["occurrences"]] == [("note", 0)]


async def test_lint_names_what_will_surprise(crowded: Any) -> None:
    await crowded.add(name="spring", cron="30 2 * * *", timezone="Europe/Berlin")
    damaged = await crowded.add_every(HOUR)
    await crowded.damage(damaged, trigger="{}")

    told = (await crowded.scheduler.lint()).unwrap()

    assert [(each["code"], each["severity"], each["task"]) for each in told["findings"]] == [
        ("CORRUPT_DEFINITION", "error", "note"),
        ("FIXED_TIME_IN_GAP", "warning", "spring"),
        ("MANY_AT_ONCE", "warning", None),
    ]
    assert (told["looked_at"], told["is_cut"]) == (7, False)


async def test_lint_finds_nothing_where_nothing_is_odd(node: Any) -> None:
    await node.add_every(HOUR)
    await node.scheduler.turn()

    assert (await node.scheduler.lint()).unwrap()["findings"] == []


async def test_lint_finds_a_task_whose_function_no_living_node_has(node: Any) -> None:
    task_id = await node.add_every(HOUR)
    await node.scheduler.turn()
    await node.damage(task_id, function_name="gone")

    (finding,) = (await node.scheduler.lint()).unwrap()["findings"]

    assert (finding["code"], finding["task_id"]) == ("FUNCTION_MISSING", task_id)


async def test_who_has_little_time_looks_at_less_and_is_told_so(crowded: Any) -> None:
    less = (await crowded.scheduler.forecast(24, most=3)).unwrap()
    linted = (await crowded.scheduler.lint(2)).unwrap()
    refused = [await crowded.scheduler.lint(0), await crowded.scheduler.forecast(24, most=0)]

    assert (less["is_cut"], less["total"]) == (True, 3)
    assert (linted["looked_at"], linted["is_cut"]) == (2, True)
    assert [each.error.code for each in refused] == ["INVALID_CONFIG"] * 2


def test_a_long_calculation_rests_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    rests: list[int] = []
    monkeypatch.setattr(leisure, "rest", lambda: rests.append(1))

    assert list(leisure.at_leisure(range(100))) == list(range(100))
    assert len(rests) == 5


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_hours_that_are_no_number_are_refused(node: Any) -> None:
    told = await node.scheduler.forecast(hours="24")

    assert told.error.code == "INVALID_CONFIG"
