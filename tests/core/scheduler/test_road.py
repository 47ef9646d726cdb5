"""The road of one execution, told as a story: from a task that waits, over a death, to what the history says of it."""

from __future__ import annotations

import asyncio
from typing import Any

from nodes import kill

from modules.core.scheduler import ExecutionContext

MINUTE = 60.0


class Mailbox:
    """A module's function: it sends a letter, and sees by the key whether it has been sent already."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.at_work = asyncio.Event()
        self.is_slow = True

    async def send(self, to: str, context: ExecutionContext) -> dict[str, Any]:
        """Send one letter."""
        self.at_work.set()
        if self.is_slow:
            await asyncio.Event().wait()
        if context.idempotency_key not in self.sent:
            self.sent.append(context.idempotency_key)
        return {"to": to, "attempt": context.attempt}


async def test_the_road_of_one_execution(start_node: Any) -> None:
    # Two processes share one database. Both know how to send a letter.
    anna, bert, mailbox = await start_node(), await start_node(), Mailbox()
    anna.register("send", mailbox.send)
    bert.register("send", mailbox.send)

    # A task is a standing order: every hour, a letter. It is stored, and nothing is running.
    task_id = await anna.add_every(60 * MINUTE, "send", parameters={"to": "the reader"})
    first = (await anna.task(task_id))["next_execution"]
    assert (first - anna.clock.now()).total_seconds() == 60 * MINUTE
    assert await bert.history(task_id) == []

    # Its time comes. One turn of Anna's runner fires the occurrence, moves the task on and claims the execution,
    # all in one transaction; then the function begins.
    anna.clock.move_to(first)
    await anna.scheduler.turn()
    await mailbox.at_work.wait()
    (running,) = await bert.history(task_id)
    assert (running["state"], running["scheduled_for"], running["attempt"]) == ("running", first, 1)
    assert (await bert.task(task_id))["status"] == "running"
    assert (await bert.task(task_id))["next_execution"] > first

    # Bert looks as well. The occurrence is fired already and the execution is Anna's: there is nothing for him.
    await bert.scheduler.run_due()
    assert await bert.history(task_id) == [running]

    # Anna's process dies in the middle of the letter. Nobody notices before her lease has run out.
    kill(anna)
    mailbox.is_slow = False
    await bert.pass_time(30)
    assert await bert.states(task_id) == ["running"]

    # Then Bert closes her execution as lost and carries out the next attempt of the same occurrence.
    await bert.pass_time(31)
    lost, succeeded = await bert.history(task_id)
    assert (lost["state"], lost["reason"]) == ("lost", "NODE_LOST")
    assert (succeeded["state"], succeeded["attempt"], succeeded["scheduled_for"]) == ("succeeded", 2, first)
    assert succeeded["result"] == {"to": "the reader", "attempt": 2}
    assert len(mailbox.sent) == 1

    # Anna comes back as a new process and takes the next hour's letter. The order still stands.
    anna.clock.move_to((await anna.task(task_id))["next_execution"])
    await anna.scheduler.run_due()
    assert await anna.states(task_id) == ["lost", "succeeded", "succeeded"]
    assert len(mailbox.sent) == 2
    task = await anna.task(task_id)
    assert (task["status"], task["execution_count"], task["last_error"]) == ("pending", 2, None)

    # The reader has had enough. The order is cancelled; its history stays.
    (await bert.scheduler.cancel_task(task_id)).unwrap()
    await bert.pass_time(10 * 60 * MINUTE)
    assert len(mailbox.sent) == 2
    assert (await bert.task(task_id))["status"] == "cancelled"
    assert len(await bert.history(task_id)) == 3
