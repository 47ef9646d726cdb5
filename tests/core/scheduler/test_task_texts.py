"""A page put together as text says what the same page says as data, of every task."""

from __future__ import annotations

import json
from typing import Any

from page_texts import HOURLY, both, by_hand, schedule

ODD = 'é "%s" %(x)s {} <b>&\\ \u2028 \U0001f600'


async def test_a_page_as_text_says_what_it_says_as_data(node: Any) -> None:
    node.register("call", lambda *, url="", token="": None, secret=["token"])
    secret = {"url": ODD, "token": "hunter2"}
    await schedule(node, HOURLY, {"tags": ["é", "b"], "parameters": secret, "description": ODD, "name": ODD[:90]})
    await schedule(node, {"schedule_time": "2031-01-01T00:00:00.5Z", "priority": -3, "max_executions": 1})
    await schedule(node, {"recurring": True, "interval_type": "months", "interval_value": 2, "timezone": "Asia/Tokyo"})
    paused = await schedule(node, HOURLY, {"parameters": secret})
    await node.scheduler.pause_task(paused, ODD)
    await node.scheduler.execute_task(await schedule(node, HOURLY), force=True)
    for column in ("parameters", "trigger", "policies", "tags"):
        await by_hand(node, await schedule(node, HOURLY), **{column: '{"a":NaN}'})
    await by_hand(node, await schedule(node, HOURLY), parameters="[1]", module_id="gone.away")

    first, rest = await both(node, limit=5, cursor=None), await both(node, limit=50, cursor=None)
    behind = await both(node, limit=50, cursor=first[1]["next_cursor"])

    assert [first[0], rest[0], behind[0]] == [first[1], rest[1], behind[1]]
    assert "hunter2" not in json.dumps(rest[0])
    assert len(rest[0]["tasks"]) == 5 + len(behind[0]["tasks"])
    assert {"running", "paused"} <= {task["status"] for task in rest[0]["tasks"]}
