"""Explain a moment that has passed: the pauses, the nodes and the limits that held a task then, and are over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from explaining import answer, explained, gate, stuck

HOUR = 3600.0

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def node(start_node: Any) -> Any:
    """A scheduler that has been alive since noon."""
    node = await start_node(max_concurrent_tasks=2)
    await node.scheduler.turn()
    return node


@pytest.mark.parametrize("module_id", [None, "acme.test"])
async def test_what_passed_while_all_was_paused_says_so(node: Any, module_id: str | None) -> None:
    named = {} if module_id is None else {"module_id": module_id}
    task_id = await node.add_every(HOUR)
    await node.scheduler.pause_all("moving house", **named)
    node.clock.advance(2.5 * HOUR)
    await node.scheduler.resume_all(**named)
    await node.scheduler.run_due()

    missed = await explained(node, task_id, at="2026-01-05T13:00")
    late = await explained(node, task_id, at="2026-01-05T14:00")

    what = "everything" if module_id is None else "module 'acme.test'"
    span = "from Mon 2026-01-05 12:00:00 UTC until Mon 2026-01-05 14:30:00 UTC"
    paused = f"{what} was paused {span}: moving house"
    assert [answer(missed), answer(late)] == [("did_not_run", "paused"), ("ran", None)]
    assert missed["verdict"].startswith(f"It did not run at Mon 2026-01-05 13:00:00 UTC: {paused}; 1 occurrence since")
    assert f"Before that, {paused}." in late["verdict"]
    assert [each["gate"] for each in late["gates"]] == ["task", "schedule", "run", "paused", "catch_up"]


@only_sqlite
async def test_what_is_missed_after_a_pause_says_both(node: Any) -> None:
    task_id = await node.add_every(HOUR, catch_up="none")
    await node.scheduler.pause_all()
    await node.scheduler.pause_all("once more")
    node.clock.advance(1.5 * HOUR)
    await node.scheduler.resume_all()
    await node.scheduler.run_due()

    told = await explained(node, task_id, at="2026-01-05T13:00")

    assert answer(told) == ("did_not_run", "paused")
    assert "paused from Mon 2026-01-05 12:00:00 UTC until Mon 2026-01-05 13:30:00 UTC: once more; at" in told["verdict"]
    assert "it was missed then" not in told["verdict"]
    assert "(CATCH_UP_NONE)" in told["verdict"]
    assert "no node came" not in told["verdict"]


async def test_a_time_without_any_node_is_told(start_node: Any, node: Any) -> None:
    task_id = await node.add_every(HOUR)
    node.clock.advance(0.5 * HOUR)
    await node.scheduler._runner.stop()
    node.clock.advance(2 * HOUR)
    await (await start_node()).scheduler.run_due()

    first, last = [await explained(node, task_id, at=f"2026-01-05T{hour}:00") for hour in (13, 14)]

    came = "the next one came at Mon 2026-01-05 14:30:00 UTC"
    assert [answer(first), answer(last)] == [("did_not_run", "node"), ("ran", None)]
    assert f": no node was alive at Mon 2026-01-05 13:00:00 UTC; {came}; 1 occurrence since" in first["verdict"]
    assert f"Before that, no node was alive at Mon 2026-01-05 14:00:00 UTC; {came}." in last["verdict"]


async def test_before_its_schedule_was_changed_only_what_is_recorded_is_told(node: Any) -> None:
    task_id = await node.add_every(HOUR)
    await node.pass_time(HOUR)
    node.clock.advance(2.5 * HOUR)
    timing = {"recurring": True, "interval_type": "minutes", "interval_value": 20}
    (await node.scheduler.update_task(task_id, timing)).unwrap()
    await node.pass_time(HOUR)

    asked = {"ran": "13:00", "missed": "14:00", "not": "13:20", "since": "15:50", "off": "15:55"}
    told = {name: await explained(node, task_id, at=f"2026-01-05T{at}") for name, at in asked.items()}

    assert {name: answer(each) for name, each in told.items()} == {
        "ran": ("ran", None),
        "missed": ("did_not_run", "catch_up"),
        "not": ("not_recorded", None),
        "since": ("did_not_run", "catch_up"),
        "off": ("did_not_run", "schedule"),
    }
    changed = "its schedule was changed at Mon 2026-01-05 15:30:00 UTC"
    assert changed in told["not"]["verdict"]
    assert gate(told["missed"], "schedule")["text"].startswith(changed)
    (await node.scheduler.update_task(task_id, {"priority": 3})).unwrap()
    assert answer(await explained(node, task_id, at="2026-01-05T15:55")) == ("did_not_run", "schedule")


async def held_by_its_key(node: Any) -> str:
    _, holder = await stuck(node, concurrency_key="printer", overlap="queue")
    task_id = str(await node.add(concurrency_key="printer", overlap="queue"))
    await let_go_after(node, 90, holder.release)
    return task_id


async def held_by_its_slots(node: Any) -> str:
    holders = [await stuck(node, f"stuck{number}") for number in range(2)]
    task_id = str(await node.add())
    await let_go_after(node, 90, *(holder.release for _, holder in holders))
    return task_id


async def held_by_its_rate(node: Any) -> str:
    limited = {"concurrency_key": "mail", "overlap": "allow", "rate_limit": {"count": 1, "per": 90}}
    await node.add(**limited)
    await node.scheduler.run_due()
    task_id = str(await node.add(**limited))
    await let_go_after(node, 90)
    return task_id


async def held_by_a_drain(node: Any) -> str:
    await node.scheduler.drain_node(node.scheduler._runner.node_id)
    task_id = str(await node.add())
    await node.scheduler.turn()
    node.clock.advance(90)
    await node.scheduler.drain_node(node.scheduler._runner.node_id, undo=True)
    await node.scheduler.run_due()
    return task_id


async def held_by_its_queue(node: Any) -> str:
    await node.scheduler.pause_queue("default", "paper jam")
    task_id = str(await node.add())
    await node.scheduler.turn()
    node.clock.advance(90)
    await node.scheduler.resume_queue("default")
    await node.scheduler.run_due()
    return task_id


async def held_by_its_task(node: Any) -> str:
    task_id = str(await node.add(delay=30))
    await node.scheduler.pause_task(task_id, "too loud")
    node.clock.advance(120)
    await node.scheduler.resume_task(task_id)
    await node.scheduler.run_due()
    return task_id


async def let_go_after(node: Any, seconds: float, *releases: Any) -> None:
    await node.scheduler.turn()
    node.clock.advance(seconds)
    for release in releases:
        release.set()
    await node.scheduler.run_due()


HOLDS = {
    "each place of its task or its concurrency key was taken (LIMIT)": ("limit", held_by_its_key),
    "the slots of the node that took it in the end were taken (slots)": ("slots", held_by_its_slots),
    "the node that took it in the end began nothing more (draining)": ("draining", held_by_a_drain),
    "as many had started as its rate allows (RATE_LIMIT)": ("rate", held_by_its_rate),
    "queue 'default' was paused from Mon 2026-01-05 12:00:00 UTC until Mon 2026-01-05 12:01:30 UTC: paper jam": (
        "paused",
        held_by_its_queue,
    ),
    "the task was paused from Mon 2026-01-05 12:00:00 UTC until Mon 2026-01-05 12:02:00 UTC: too loud": (
        "paused",
        held_by_its_task,
    ),
}


@pytest.mark.parametrize("text", HOLDS)
async def test_a_late_run_says_what_it_had_waited_for(node: Any, text: str) -> None:
    name, hold = HOLDS[text]
    task_id = await hold(node)
    (row,) = await node.history(task_id)

    told = (await node.scheduler.explain_execution(row["id"])).unwrap()

    assert row["start_time"] - row["scheduled_for"] == timedelta(seconds=90)
    assert (answer(told), gate(told, name)["text"]) == (("ran", None), text)
    assert told["verdict"].endswith(f" Before that, {text}.")


@only_sqlite
async def test_what_ran_in_time_waited_for_nothing(node: Any) -> None:
    task_id = await node.add_every(HOUR)
    await node.pass_time(HOUR)

    told = await explained(node, task_id, at="2026-01-05T13:00")

    assert [each["gate"] for each in told["gates"]] == ["task", "schedule", "run"]


@only_sqlite
async def test_what_is_over_goes_with_the_history(node: Any) -> None:
    await node.scheduler.pause_all()
    await node.scheduler.resume_all()
    count = "SELECT count(*) FROM scheduler_spans"
    before = await node.app_context.database.read(lambda c: c.exec_driver_sql(count).scalar())
    node.clock.advance(40 * 24 * HOUR)

    (await node.scheduler.run_cleanup("history", module_id="core.scheduler")).unwrap()

    assert (before, await node.app_context.database.read(lambda c: c.exec_driver_sql(count).scalar())) == (1, 0)
