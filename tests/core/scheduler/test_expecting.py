"""A task is changed only as it was seen, where somebody says how that was."""

from __future__ import annotations

from typing import Any

from modules.core.scheduler.expecting import expecting


async def test_every_change_by_hand_is_a_revision_and_a_run_is_none(node: Any) -> None:
    task_id = await node.add_every(60)
    seen = [(await node.task(task_id))["revision"]]
    await node.pass_time(120)
    seen.append((await node.task(task_id))["revision"])
    for change in (
        node.scheduler.update_task(task_id, {"priority": 3}),
        node.scheduler.pause_task(task_id),
        node.scheduler.resume_task(task_id),
        node.scheduler.skip_next(task_id),
        node.scheduler.cancel_task(task_id),
    ):
        (await change).unwrap()
        seen.append((await node.task(task_id))["revision"])

    assert seen == [1, 1, 2, 3, 4, 5, 6]


async def test_what_was_changed_meanwhile_is_left_as_it_is(node: Any) -> None:
    task_id = await node.add_every(60)
    (await node.scheduler.update_task(task_id, {"priority": 3})).unwrap()

    with expecting(task_id, {1}):
        refused = [
            await node.scheduler.update_task(task_id, {"priority": 4}),
            await node.scheduler.pause_task(task_id),
            await node.scheduler.execute_task(task_id),
            await node.scheduler.cancel_task(task_id),
        ]
    with expecting("nobody", {1}):
        missing = await node.scheduler.pause_task("nobody")
    with expecting(task_id, {1, 2}):
        changed = await node.scheduler.update_task(task_id, {"priority": 5})

    assert [(each.error.code, each.error.details) for each in refused] == [("PRECONDITION_FAILED", {"revision": 2})] * 4
    assert missing.error.code == "TASK_NOT_FOUND"
    assert (changed.unwrap()["priority"], changed.data["status"], await node.history(task_id)) == (5, "pending", [])
