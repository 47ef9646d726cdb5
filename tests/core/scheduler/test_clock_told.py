"""How the clock of a node goes beside the database's, as the other nodes tell it."""

from __future__ import annotations

from typing import Any

from modules.core.scheduler.store import nodes


async def test_how_a_clock_goes_is_written_down_when_it_goes_otherwise(node: Any) -> None:
    await node.scheduler.turn()
    (first,) = (await node.scheduler.list_nodes()).unwrap()
    seen = []
    for offset in (0.4, 2.0, 1.7, -3.0):
        told = {"version": "1", "queues": "{}", "slots": 1, "clock_offset": offset}
        await node.app_context.database.write(lambda c, told=told: nodes.describe(c, first["id"], functions=(), **told))
        seen.append((await node.scheduler.list_nodes()).unwrap()[0]["clock_offset"])

    assert (first["clock_offset"], seen) == (0, [0, 2.0, 2.0, -3.0])
