"""Chaining: the end of an execution sets off the tasks that wait for it, once, and in the same transaction."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from chained import after, with_functions


@pytest.fixture
async def chained(start_node: Any) -> Any:
    """A node with functions that work, fail, and remember what they are told."""
    return with_functions(await start_node())


@pytest.mark.parametrize(
    ("function", "told_of"), [("work", {"succeeded", "ended"}), ("fail", {"failed", "ended"})], ids=["well", "badly"]
)
async def test_a_task_follows_another_that_has_ended_as_it_waits_for(chained: Any, function: str, told_of: Any) -> None:
    first = await chained.add(function, delay=1)
    followers = {when: await chained.add(name=when, **after(first, when)) for when in ("succeeded", "failed", "ended")}

    await chained.pass_time(1)

    ran = {when for when, task_id in followers.items() if await chained.states(task_id) == ["succeeded"]}
    assert ran == told_of
    assert [row["origin"] for row in await chained.history(followers["ended"])] == ["event"]


async def test_what_follows_is_told_what_it_follows(chained: Any) -> None:
    first = await chained.add("fail", delay=1, name="nightly", key="night")
    await chained.add("tell", **after("night", "failed"))

    await chained.pass_time(1)

    (row,) = await chained.history(first)
    assert chained.told == [
        {
            "task_id": first,
            "execution_id": row["id"],
            "name": "nightly",
            "module_id": "acme.test",
            "key": "night",
            "state": "failed",
            "scheduled_for": row["scheduled_for"].isoformat().replace("+00:00", "Z"),
            "error": "LookupError: no luck",
        }
    ]


async def test_only_the_last_attempt_counts(chained: Any) -> None:
    first = await chained.add("fail", delay=1, max_retries=2, retry_delay=10, retry_jitter=0)
    follower = await chained.add(**after(first, "failed"))

    await chained.pass_time(1)
    await chained.pass_time(10)
    before = await chained.states(follower)
    await chained.pass_time(20)

    assert before == []
    assert await chained.states(first) == ["failed"] * 3
    assert await chained.states(follower) == ["succeeded"]


async def test_one_for_all_that_fail_is_found_by_the_payload_and_never_by_its_own_end(chained: Any) -> None:
    alarm = await chained.add("fail", trigger={"type": "event", "event": "task.failed"})
    tell = {"type": "event", "event": "task.failed", "where": {"name": "second"}}
    await chained.add("tell", trigger=tell)
    for name in ("first", "second", "third"):
        await chained.add("fail", name=name, delay=1, key=name)
    await chained.add("work", delay=1)

    await chained.pass_time(1)

    told = [row["payload"]["name"] for row in await chained.history(alarm)]
    assert "fail" not in told
    assert [payload["name"] for payload in chained.told] == ["second"]


async def test_a_hundred_endings_of_one_turn_set_off_each_its_own(start_node: Any) -> None:
    node = await start_node(max_concurrent_tasks=100)
    firsts = [await node.add(delay=1, task_id=f"first-{n}") for n in range(40)]
    followers = [await node.add(task_id=f"follower-{n}", **after(first)) for n, first in enumerate(firsts)]
    one = await node.add(trigger={"type": "event", "event": "task.ended"}, overlap="queue")

    await node.pass_time(1)

    for first, follower in zip(firsts, followers, strict=True):
        (row,) = await node.history(follower)
        assert (row["state"], row["payload"]["task_id"]) == ("succeeded", first)
    assert await node.states(one) == ["succeeded"] * 80


async def test_a_circle_of_tasks_goes_round_turn_by_turn(chained: Any) -> None:
    first, second = (
        await chained.scheduler.schedule_tasks(
            [
                {"name": "a", "key": "a", "module_id": "acme.test", "function_name": "work", **after("b")},
                {"name": "b", "key": "b", "module_id": "acme.test", "function_name": "work", **after("a")},
            ]
        )
    ).unwrap()
    await chained.scheduler.execute_task(first["task_id"])

    for _ in range(5):
        await chained.scheduler.turn()
        while chained.scheduler._runner.running:
            await chained.clock.sleep(0)

    assert await chained.states(first["task_id"]) == ["succeeded", "succeeded", "running"]
    assert await chained.states(second["task_id"]) == ["succeeded", "succeeded"]
    await chained.scheduler.cancel_task(first["task_id"])


async def test_what_can_never_be_followed_is_refused(chained: Any) -> None:
    named = {"name": "x", "module_id": "acme.test", "function_name": "work"}
    await chained.add("work", delay=1, key="mine")

    itself = [
        await chained.scheduler.schedule_task({**named, "key": "me", **after("me")}),
        await chained.scheduler.schedule_task({**named, "task_id": "me", **after("me")}),
    ]
    nobody = await chained.scheduler.schedule_task({**named, **after("nobody")})
    chained.scheduler.register_function("acme.other", "work", lambda parameters: None)
    not_its_own = await chained.scheduler.schedule_task({**named, **after("mine"), "module_id": "acme.other"})
    moved = await chained.scheduler.update_task(await chained.add("work", delay=1), after("nobody"))

    assert ["itself" in refused.error.message for refused in itself] == [True, True]
    assert "no task with the id 'nobody'" in nobody.error.message
    assert {each.error.code for each in [*itself, nobody, not_its_own, moved]} == {"INVALID_CONFIG"}
    assert len((await chained.scheduler.list_tasks(module_id="acme.test")).unwrap()["tasks"]) == 2


async def test_code_may_declare_what_follows_before_what_it_follows(
    chained: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        follower = await chained.add("tell", owner="code", **after("later"))
    first = await chained.add("work", delay=1, key="later")

    await chained.pass_time(1)

    assert "waits for another" in caplog.text
    assert await chained.states(follower) == ["succeeded"]
    assert chained.told[0]["task_id"] == first


async def test_names_of_the_schedulers_own_events_cannot_be_emitted_or_invented(chained: Any) -> None:
    follower = await chained.add("tell", trigger={"type": "event", "event": "task.ended"})

    emitted = await chained.scheduler.emit("task.ended", {"task_id": "x"})
    invented = await chained.scheduler.preview({"type": "event", "event": "task.begun"})

    assert (emitted.error.code, invented.error.code) == ("INVALID_EVENT", "INVALID_TRIGGER")
    assert await chained.states(follower) == []


async def test_a_paused_follower_waits_for_nothing(chained: Any) -> None:
    first = await chained.add("work", delay=1)
    follower = await chained.add(paused=True, **after(first))

    await chained.pass_time(1)

    assert await chained.states(follower) == []
