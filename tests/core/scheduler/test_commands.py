"""Commands: pause, resume, cancel, run now, emit and correct, each within its rules."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

MINUTE = 60.0


async def test_a_paused_task_never_runs_and_resumes_from_now(node: Any) -> None:
    task_id = await node.add_every(MINUTE)
    await node.scheduler.pause_task(task_id, "holidays")
    await node.pass_time(100 * MINUTE + 1)

    resumed = (await node.scheduler.resume_task(task_id)).unwrap()
    await node.scheduler.run_due()

    (row,) = await node.history(task_id)
    assert (row["state"], row["reason"], row["missed_count"]) == ("skipped", "TASK_PAUSED", 99)
    assert row["scheduled_for"] - row["missed_since"] == timedelta(minutes=99)
    assert timedelta(0) < resumed["next_execution"] - node.clock.now() <= timedelta(minutes=1)


async def test_a_paused_one_time_task_runs_at_once_when_resumed_late(node: Any) -> None:
    task_id = await node.add(delay=MINUTE)
    await node.scheduler.pause_task(task_id)
    await node.pass_time(10 * MINUTE)

    await node.scheduler.resume_task(task_id)
    await node.scheduler.run_due()

    assert await node.states(task_id) == ["succeeded"]


async def test_pausing_holds_pending_executions_and_retries(node: Any) -> None:
    async def fail() -> None:
        raise RuntimeError

    node.register("fail", fail)
    task_id = await node.add("fail", delay=1, max_retries=1, retry_delay=10, retry_jitter=0)
    await node.pass_time(1)

    await node.scheduler.pause_task(task_id)
    await node.pass_time(1000)
    held = await node.states(task_id)
    await node.scheduler.resume_task(task_id)
    await node.scheduler.run_due()

    assert held == ["failed", "pending"]
    assert await node.states(task_id) == ["failed", "failed"]


async def test_cancelling_closes_what_is_pending_and_keeps_the_history(node: Any) -> None:
    task_id = await node.add_every(MINUTE)
    await node.pass_time(MINUTE)

    cancelled = (await node.scheduler.cancel_task(task_id)).unwrap()
    again = await node.scheduler.cancel_task(task_id)
    await node.pass_time(10 * MINUTE)

    assert (cancelled["status"], again.success) == ("cancelled", True)
    assert await node.states(task_id) == ["succeeded"]


async def test_cancelling_closes_a_retry_that_waits_with_the_reason(node: Any) -> None:
    node.register("fail", lambda: 1 / 0)
    task_id = await node.add("fail", max_retries=1, retry_delay=MINUTE)
    await node.pass_time(1)

    (await node.scheduler.cancel_task(task_id)).unwrap()
    await node.pass_time(10 * MINUTE)

    history = (await node.scheduler.get_executions(task_id)).unwrap()["executions"]
    assert [(each["state"], each["reason"]) for each in history] == [("cancelled", "TASK_CANCELLED"), ("failed", None)]


async def test_what_runs_finishes_when_its_task_is_cancelled_unless_asked_otherwise(node: Any) -> None:
    leave = asyncio.Event()
    node.register("wait", leave.wait)
    gentle = await node.add("wait", name="gentle", delay=1)
    strict = await node.add("wait", name="strict", delay=1)
    node.clock.advance(1)
    await node.scheduler.turn()

    await node.scheduler.cancel_task(gentle)
    await node.scheduler.cancel_task(strict, cancel_running=True)
    await node.scheduler.turn()
    leave.set()
    await node.scheduler.run_due()

    assert await node.states(gentle) == ["succeeded"]
    assert await node.states(strict) == ["cancelled"]
    assert (await node.task(gentle))["status"] == "cancelled"


async def test_running_now_does_not_move_the_schedule(node: Any) -> None:
    task_id = await node.add_every(MINUTE)
    before = (await node.task(task_id))["next_execution"]

    answer = (await node.scheduler.execute_task(task_id)).unwrap()
    await node.scheduler.run_due()

    task = await node.task(task_id)
    assert answer["status"] == "running"
    assert (task["next_execution"], task["execution_count"]) == (before, 0)
    (row,) = await node.history(task_id)
    assert (row["id"], row["origin"], row["state"]) == (answer["execution_id"], "manual", "succeeded")


async def test_running_now_is_allowed_on_a_paused_task_and_refused_on_an_ended_one(node: Any) -> None:
    paused = await node.add_every(MINUTE, name="paused")
    ended = await node.add(name="ended", delay=1)
    await node.scheduler.pause_task(paused)
    await node.pass_time(1)

    allowed = await node.scheduler.execute_task(paused)
    refused = await node.scheduler.execute_task(ended)
    await node.scheduler.run_due()

    assert allowed.success
    assert refused.error.code == "INVALID_STATE"
    assert await node.states(paused) == ["succeeded"]


async def test_a_failed_one_time_task_can_be_driven_again(node: Any) -> None:
    ready = False

    async def try_it() -> None:
        if not ready:
            raise RuntimeError

    node.register("try_it", try_it)
    task_id = await node.add("try_it", delay=1)
    await node.pass_time(1)
    ready = True

    await node.scheduler.execute_task(task_id)
    await node.scheduler.run_due()

    assert await node.states(task_id) == ["failed", "succeeded"]
    assert (await node.task(task_id))["status"] == "completed"


async def test_two_runs_now_in_the_same_instant_are_two_occurrences(node: Any) -> None:
    task_id = await node.add_every(MINUTE, overlap="allow")

    for _ in range(3):
        (await node.scheduler.execute_task(task_id)).unwrap()
    await node.scheduler.run_due()

    assert await node.states(task_id) == ["succeeded"] * 3


async def test_an_unknown_id_is_told(node: Any) -> None:
    calls = [node.scheduler.get_task, node.scheduler.pause_task, node.scheduler.resume_task]
    calls += [node.scheduler.cancel_task, node.scheduler.execute_task]

    codes = [(await call("nobody")).error.code for call in calls]
    execution = await node.scheduler.get_execution("nobody")

    assert codes == ["TASK_NOT_FOUND"] * 5
    assert execution.error.code == "EXECUTION_NOT_FOUND"


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
async def test_an_operators_correction_leaves_a_row_of_the_history(node: Any, status: str) -> None:
    manager = node.app_context.get_service("core.scheduler.job_manager")
    task_id = await node.add_every(MINUTE)

    corrected = (await manager.update_job_status(task_id, status, {"by": "hand"}, "checked")).unwrap()

    assert corrected["status"] == status
    (row,) = await node.history(task_id)
    assert (row["origin"], row["reason"], row["result"]) == ("operator", "OPERATOR", {"by": "hand"})


async def test_a_correction_is_refused_while_an_execution_runs(node: Any) -> None:
    leave = asyncio.Event()
    node.register("wait", leave.wait)
    task_id = await node.add("wait", delay=1)
    node.clock.advance(1)
    await node.scheduler.turn()
    manager = node.app_context.get_service("core.scheduler.job_manager")

    refused = await manager.update_job_status(task_id, "completed")
    leave.set()
    await node.scheduler.run_due()

    assert refused.error.code == "INVALID_STATE"


async def test_an_open_execution_shows_its_task_as_running(node: Any) -> None:
    leave = asyncio.Event()
    node.register("wait", leave.wait)
    task_id = await node.add_every(MINUTE, "wait")
    node.clock.advance(MINUTE)
    await node.scheduler.turn()

    during = (await node.task(task_id))["status"]
    leave.set()
    await node.scheduler.run_due()

    assert (during, (await node.task(task_id))["status"]) == ("running", "pending")


async def test_a_task_whose_row_is_corrupt_is_refused_by_name_and_hides_no_other(node: Any) -> None:
    poison = await node.add(name="poison", trigger={"type": "event", "event": "x"})
    await node.add(name="healthy", trigger={"type": "event", "event": "x"})
    await node.damage(poison, policies='{"max_retries": "many"}')

    refused = await node.scheduler.execute_task(poison)
    changed = await node.scheduler.update_task(poison, {"priority": 1})
    count = (await node.scheduler.emit("x")).unwrap()

    assert (refused.error.code, changed.error.code) == ("CORRUPT_DEFINITION", "CORRUPT_DEFINITION")
    assert count == 1
    assert (await node.task(poison))["status_reason"] == "CORRUPT_DEFINITION"


async def test_parameters_as_deep_as_allowed_are_accepted_and_deeper_ones_refused(node: Any) -> None:
    def nested(levels: int) -> dict[str, Any]:
        return {"a": nested(levels - 1)} if levels else {}

    fine = await node.scheduler.schedule_task(config(nested(60)))
    refused = await node.scheduler.schedule_task(config(nested(80)))

    assert fine.success
    assert refused.error.code == "INVALID_CONFIG"


def config(parameters: dict[str, Any]) -> dict[str, Any]:
    return {"name": "n", "module_id": "acme.test", "function_name": "note", "delay": 1, "parameters": parameters}
