"""Somebody hears of what goes wrong: once in a window, over all nodes, whatever becomes of the node that found it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from nodes import Stuck, kill, release_all
from outside import Outside
from sqlalchemy import select

from modules.core.scheduler.tables import alerts

HOUR, LEASE = 3_600.0, 60.0

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def fail() -> None:
    raise ValueError("no luck")


def rule(outside: Outside, **values: Any) -> dict[str, Any]:
    """Return the settings of a scheduler that tells the service outside."""
    return {"alerts": [{"name": "on call", "webhook": f"{outside.url}/hook", **values}], "framework": outside.allowed}


async def fails(node: Any, times: int = 1, **config: Any) -> None:
    """Let a task fail so often, and look each time."""
    for _ in range(times):
        await node.add("fail", **config)
        await node.scheduler.run_due()
        await node.scheduler.lookout.look()


async def test_a_hundred_failures_are_one_alert_in_each_window(start_node: Any, outside: Outside) -> None:
    node, other = await start_node(**rule(outside)), await start_node(**rule(outside))
    for each in (node, other):
        each.register("fail", fail)

    await fails(node)
    for each, name in ((node, "here"), (other, "there")):
        task = {"module_id": "acme.test", "function_name": "fail", "schedule_time": "now"}
        (await each.scheduler.schedule_tasks([{**task, "name": f"{name} {n % 20}"} for n in range(50)])).unwrap()
        await each.scheduler.run_due()
        await each.scheduler.lookout.look()
    at_first = outside.bodies()
    node.clock.advance(HOUR)
    await other.scheduler.lookout.look()
    await node.scheduler.lookout.look()

    first, second = outside.bodies()
    assert at_first == [first]
    assert (first["alert"], first["count"], first["suppressed"]) == ("on call", 1, 0)
    assert first["text"] == "fail failed for good: ValueError: no luck"
    assert (second["count"], second["suppressed"]) == (100, 100)
    assert len(second["tasks"]) == 10
    assert second["text"].startswith("here 0 failed for good: ValueError: no luck; ")
    assert second["text"].endswith("; and 90 of other tasks; 100 of these 100 were held back since " + second["since"])


@only_sqlite
async def test_failures_of_one_task_are_counted_together(start_node: Any, outside: Outside) -> None:
    node = await start_node(**rule(outside))
    node.register("fail", fail)
    await node.add_every(60, "fail", name="import")
    for _ in range(3):
        await node.pass_time(60)

    await node.scheduler.lookout.look()

    (told,) = outside.bodies()
    assert told["text"] == "import failed for good (3 times): ValueError: no luck"
    (task,) = told["tasks"]
    assert (task["name"], task["module_id"], task["kind"], task["count"]) == ("import", "acme.test", "gave_up", 3)


async def test_a_failure_that_is_tried_again_is_told_to_who_wants_to_know(start_node: Any, outside: Outside) -> None:
    rules = [{"name": name, "on": [name], "webhook": f"{outside.url}/{name}"} for name in ("failed", "gave_up")]
    node = await start_node(alerts=rules, framework=outside.allowed)
    node.register("fail", fail)
    await fails(node, max_retries=1, retry_delay=10, retry_jitter=0)
    after_one = [path for _, path, _ in outside.heard]

    await node.pass_time(10)
    await node.scheduler.lookout.look()

    assert after_one == ["/failed"]
    assert [path for _, path, _ in outside.heard] == ["/failed", "/gave_up"]


@only_sqlite
@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("timed_out", {"function_name": "sleep", "schedule_time": "now", "timeout": 1}),
        ("missed", {"schedule_time": "now", "misfire_grace_time": 5}),
        ("overdue", {"delay": HOUR, "expected_by": 1}),
        ("cleanup_failed", None),
    ],
)
async def test_each_kind_is_told(start_node: Any, outside: Outside, kind: str, config: Any) -> None:
    node = await start_node(**rule(outside, on=[kind]))
    stuck = Stuck()
    node.register("sleep", stuck.run)
    node.register("fail", fail)
    if config is None:
        await node.scheduler.register_cleanup_task("acme.test", "own", {"function_name": "fail"})
    else:
        await node.add(**{"name": "it", **config})
    if kind == "timed_out":
        await node.scheduler.turn()
        await stuck.started.wait()

    await node.pass_time(2 * HOUR)
    await node.scheduler.lookout.look()
    release_all()

    (told,) = outside.bodies()
    assert [task["kind"] for task in told["tasks"]] == [kind]


async def test_what_a_dead_node_lost_is_told_by_another(start_node: Any, outside: Outside) -> None:
    dying, peer, stuck = await start_node(), await start_node(**rule(outside)), Stuck()
    dying.register("work", stuck.run)
    await dying.add("work")
    await dying.scheduler.turn()
    await stuck.started.wait()

    kill(dying)
    await peer.pass_time(LEASE + 1)
    await peer.scheduler.lookout.look()
    release_all()

    assert outside.bodies()[0]["text"] == "work was lost with its node: its node died, or knows nothing of it"


@only_sqlite
async def test_a_rule_may_be_for_some_modules_or_tasks_only(start_node: Any, outside: Outside) -> None:
    rules = [
        {"name": "theirs", "modules": ["acme.other"], "webhook": f"{outside.url}/theirs"},
        {"name": "backups", "tasks": ["backup"], "webhook": f"{outside.url}/backups"},
    ]
    node = await start_node(alerts=rules, framework=outside.allowed)
    node.register("fail", fail)

    await fails(node, name="import")
    await fails(node, name="backup")

    assert [(path, body["count"]) for _, path, body in outside.heard] == [("/backups", 1)]


async def test_an_alert_that_does_not_get_through_is_sent_again_until_it_is_given_up(
    start_node: Any, outside: Outside, caplog: Any
) -> None:
    node = await start_node(**rule(outside))
    node.register("fail", fail)
    outside.status = 500
    await fails(node)
    tries = [len(outside.heard)]
    for seconds in (29, 1, 60, 120, 240, HOUR):
        node.clock.advance(seconds)
        await node.scheduler.lookout.look()
        tries.append(len(outside.heard))

    assert tries == [1, 1, 2, 3, 4, 5, 5]
    assert len({body["id"] for body in outside.bodies()}) == 1
    assert "alert on call is given up after 5 tries" in caplog.text


async def test_an_alert_outlives_the_node_that_found_it(start_node: Any, outside: Outside) -> None:
    finder, sender = await start_node(**rule(outside)), await start_node(**rule(outside))
    finder.register("fail", fail)
    await finder.add("fail")
    await finder.scheduler.run_due()
    kill(finder)

    await sender.scheduler.lookout.look()
    await sender.scheduler.lookout.look()

    assert [body["count"] for body in outside.bodies()] == [1]


@pytest.mark.parametrize("text", ["{", "[]", '{"count": 1}'])
@only_sqlite
async def test_what_somebody_has_damaged_holds_up_neither_turns_nor_alerts(
    start_node: Any, outside: Outside, text: str
) -> None:
    node = await start_node(**rule(outside))
    node.register("fail", fail)
    damage = alerts.insert().values(rule="on call", waiting=text, sending=text, tries=0)
    await node.app_context.database.write(lambda c: c.execute(damage))

    await fails(node)
    await fails(node)

    assert await node.states() == ["failed", "failed"]
    assert outside.bodies()[-1]["text"].startswith("fail failed for good")


async def test_nodes_that_look_at_the_same_moment_send_one_alert(start_node: Any, outside: Outside) -> None:
    nodes = [await start_node(**rule(outside)) for _ in range(3)]
    nodes[0].register("fail", fail)
    await nodes[0].add("fail")
    await nodes[0].scheduler.run_due()

    await asyncio.gather(*(each.scheduler.lookout.look() for each in nodes for _ in range(2)))

    assert [body["count"] for body in outside.bodies()] == [1]


async def test_without_rules_nothing_is_stored(node: Any) -> None:
    node.register("fail", fail)
    await fails(node)

    assert await node.app_context.database.read(lambda c: c.execute(select(alerts)).all()) == []
