"""Failures that say the same are one, in the time that is asked for, and known ones are told to be known."""

from __future__ import annotations

from typing import Any

import pytest

from modules.core.scheduler.live import failing


async def fail(number: int) -> None:
    raise RuntimeError(f"no connection to port {number}: {'x' * 1_000}")


async def failures(node: Any, window: str = "24h") -> list[dict[str, Any]]:
    return list((await node.scheduler.failures(window)).unwrap()["failures"])


async def test_failures_of_a_task_are_told_together(node: Any) -> None:
    node.register("fail", fail)
    often = await node.add_every(600, "fail", name="often", parameters={"number": 1}, max_retries=0)
    await node.add("fail", name="once", parameters={"number": 2}, max_retries=1, retry_delay=60)
    for _ in range(3):
        await node.pass_time(600)

    first, second = await failures(node)

    assert [(each["task_name"], each["count"], sum(each["series"])) for each in (first, second)] == [
        ("often", 3, 3),
        ("once", 2, 2),
    ]
    assert (first["task_id"], len(first["error"]), first["ignored"]) == (often, 400, False)
    assert (len(first["last_attempts"]), second["last_attempts"]) == (3, [second["newest"]])
    await node.scheduler.pause_task(often)
    node.clock.advance(2 * 3_600)
    assert (await failures(node, "1h"), len(await failures(node, "7d"))) == ([], 2)


async def test_what_is_known_is_known_until_it_happens_again_and_then_forgotten(node: Any) -> None:
    node.register("fail", fail)
    await node.add_every(600, "fail", parameters={"number": 1}, max_retries=0)
    await node.pass_time(600)
    (failure,) = await failures(node)

    ignored = []
    for until in (failure["last"], None, failure["last"]):
        (await node.scheduler.ignore_failures(failure["id"], until)).unwrap()
        ignored.append([each["ignored"] for each in await failures(node)])
    await node.pass_time(600)

    assert ignored == [[True], [False], [True]]
    assert [each["ignored"] for each in await failures(node)] == [False]


async def test_more_than_are_looked_at_are_said_to_be_more(node: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failing, "MOST", 1)
    node.register("fail", fail)
    await node.add_every(600, "fail", parameters={"number": 1}, max_retries=0)
    cut = []
    for _ in range(2):
        await node.pass_time(600)
        cut.append((await node.scheduler.failures()).unwrap()["is_cut"])

    assert cut == [False, True]
