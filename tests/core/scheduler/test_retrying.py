"""An occurrence that failed is run once more by hand, as a further attempt."""

from __future__ import annotations

from typing import Any


async def test_a_failed_one_time_task_goes_on_and_completes(node: Any) -> None:
    outcomes = [RuntimeError("first"), None]

    def work() -> None:
        if (error := outcomes.pop(0)) is not None:
            raise error

    node.register("work", work)
    task_id = await node.add("work")
    await node.scheduler.run_due()
    (failed,) = await node.history(task_id)
    assert (await node.task(task_id))["status"] == "failed"

    retried = (await node.scheduler.retry_execution(failed["id"])).unwrap()
    again = await node.scheduler.retry_execution(failed["id"])
    await node.scheduler.run_due()

    assert [(row["attempt"], row["state"]) for row in await node.history(task_id)] == [(1, "failed"), (2, "succeeded")]
    assert (await node.scheduler.get_execution(retried["execution_id"])).unwrap()["scheduled_for"] == failed[
        "scheduled_for"
    ]
    assert (again.error.code, (await node.task(task_id))["status"]) == ("INVALID_STATE", "completed")


async def test_it_waits_for_its_place_and_while_the_task_is_paused(node: Any) -> None:
    node.register("fail", lambda: 1 / 0)
    task_id = await node.add_every(60, "fail")
    await node.pass_time(60)
    (failed,) = await node.history(task_id)
    (await node.scheduler.pause_task(task_id)).unwrap()
    (await node.scheduler.retry_execution(failed["id"])).unwrap()
    await node.scheduler.run_due()
    waiting = await node.states(task_id)
    (await node.scheduler.resume_task(task_id)).unwrap()
    await node.scheduler.run_due()
    (await node.scheduler.execute_task(task_id)).unwrap()
    refused = await node.scheduler.retry_execution((await node.history(task_id))[1]["id"])

    assert waiting == ["failed", "pending"]
    assert (await node.states(task_id))[:2] == ["failed", "failed"]
    assert refused.error.code == "OVERLAP"


async def test_of_many_some_are_retried_and_the_others_are_told(node: Any) -> None:
    node.register("fail", lambda: 1 / 0)
    ids = [await node.add("fail"), await node.add()]
    await node.scheduler.run_due()
    failed, succeeded = [(await node.history(task_id))[0]["id"] for task_id in ids]

    answer = (await node.scheduler.retry_executions([failed, succeeded, failed, "none"])).unwrap()
    too_many = await node.scheduler.retry_executions([str(number) for number in range(501)])

    assert [each["id"] for each in answer["retried"]] == [failed]
    assert [(each["id"], each["code"]) for each in answer["refused"]] == [
        (succeeded, "INVALID_STATE"),
        ("none", "EXECUTION_NOT_FOUND"),
    ]
    assert await node.states(ids[0]) == ["failed", "pending"]
    assert too_many.error.code == "INVALID_LIMIT"
