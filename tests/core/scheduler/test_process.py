"""A process of this host that is gone is noticed without waiting for its lease; another host's ids mean nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from typing import Any

from nodes import kill
from processes import ROOT
from sqlalchemy import select

from modules.core.scheduler import process
from modules.core.scheduler.store import nodes as node_rows
from modules.core.scheduler.tables import nodes as nodes_table

CHILD = """
import json, sys
from modules.core.scheduler import process
print(json.dumps(process.identity()), flush=True)
sys.stdin.readline()
"""


async def running_on(node: Any, identity: dict[str, Any]) -> str:
    """Return the id of a task that runs on a node of this identity, whose lease holds for long."""
    now = node.clock.now()
    values = {"id": "elsewhere", "started_at": now, "lease_until": now + timedelta(days=1), **identity}
    await node.app_context.database.write(lambda c: node_rows.register(c, values))
    task_id: str = await node.add()
    await node.scheduler.run_due()
    (row,) = await node.history(task_id)
    await node.damage_execution(row["id"], state="running", node_id="elsewhere", end_time=None)
    return task_id


async def test_a_process_of_this_host_that_is_gone_is_noticed_at_once(node: Any) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(  # noqa: ASYNC220  # nothing else runs in this loop meanwhile
        [sys.executable, "-c", CHILD], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with child:
        assert child.stdout is not None
        task_id = await running_on(node, json.loads(child.stdout.readline()))
        await node.scheduler.run_due()
        assert await node.states(task_id) == ["running"]
        child.kill()

    await node.scheduler.run_due()

    assert await node.states(task_id) == ["lost", "succeeded"]


async def test_a_reused_process_id_does_not_hide_a_death(node: Any) -> None:
    task_id = await running_on(node, {**process.identity(), "process_started": "1"})

    await node.scheduler.run_due()

    assert await node.states(task_id) == ["lost", "succeeded"]


async def test_another_hosts_process_ids_mean_nothing_here(node: Any) -> None:
    task_id = await running_on(node, {"host": "another", "pid": 2**22 + 1, "process_started": "1"})

    await node.scheduler.run_due()

    assert await node.states(task_id) == ["running"]


async def test_the_id_of_a_node_is_new_for_every_start(start_node: Any) -> None:
    node, peer = await start_node(), await start_node()
    for each in (node, peer):
        await each.scheduler.run_due()
    kill(node)
    await node.scheduler.run_due()

    rows = await node.app_context.database.read(lambda c: c.execute(select(nodes_table)).all())

    assert len({row.id for row in rows}) == 3
    assert len({(row.host, row.pid, row.process_started) for row in rows}) == 1
