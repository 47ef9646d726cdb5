"""What is exported is what happened."""

from __future__ import annotations

from typing import Any

import pytest
from httpx2 import ASGITransport, AsyncClient
from nodes import Stuck, kill, release_all
from prometheus_client.parser import text_string_to_metric_families
from steps import at_most

from framework.caller import Caller, Door, calling
from framework.clock import new_id
from framework.database import Database
from framework.web.assembling import web_application
from modules.core.scheduler.ending import Ending
from modules.core.scheduler.execution import Outcome, State
from modules.core.scheduler.tally import Tally
from modules.core.scheduler.turn import Turned, Work

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
Samples = dict[tuple[Any, ...], float]


async def exported(node: Any) -> Samples:
    """Return every sample by its name and the values of its labels, the last label first."""
    node.clock.advance(6)  # what was read before is not shown again
    text, _ = await node.scheduler.metrics.text()
    families = text_string_to_metric_families(text.decode())
    samples = [each for family in families for each in family.samples]
    return {(each.name, *(value for _, value in sorted(each.labels.items())[::-1])): each.value for each in samples}


def fail() -> None:
    raise ValueError("no luck")


async def test_exported_numbers_match_a_scripted_load(node: Any) -> None:
    node.register("fail", fail)
    await node.add_every(60, name="every minute")
    for _ in range(3):
        await node.add("fail", name="bad luck")
    await node.add(delay=3_600, name="later")
    paused = await node.add(delay=3_600, name="held")
    await node.scheduler.pause_task(paused)
    for _ in range(4):
        await node.pass_time(60)

    await node.pass_time(600)  # ten occurrences are due: one runs for all of them
    await node.add(name="waits")
    found = await exported(node)

    assert found["scheduler_executions_total", "every minute", "succeeded"] == 5
    assert found["scheduler_executions_total", "bad luck", "failed"] == 3
    assert found["scheduler_execution_duration_seconds_count", "every minute"] == 5
    assert found["scheduler_missed_total",] == 9
    assert (found["scheduler_tasks", "paused"], found["scheduler_tasks", "failed"]) == (1, 3)
    assert found["scheduler_queue_depth", "default", "ready"] == 1
    assert found["scheduler_lateness_seconds",] == 6
    assert (found["scheduler_running",], found["scheduler_slots",], found["scheduler_nodes",]) == (0, 10, 1)
    assert (found["scheduler_store_up",], found["scheduler_build_info", *found_version(found)]) == (1, 1)


def found_version(found: Samples) -> tuple[Any, ...]:
    (labels,) = (key[1:] for key in found if key[0] == "scheduler_build_info")
    return labels


@only_sqlite
async def test_how_late_executions_start_is_measured_from_their_nominal_time(node: Any) -> None:
    await node.add_every(60)
    await node.add_every(60, name="some time later", jitter=30)
    await node.scheduler.run_due()

    await node.pass_time(60 + 20)
    found = await exported(node)

    assert found["scheduler_start_delay_seconds_count",] == 1
    assert found["scheduler_start_delay_seconds_sum",] == 20
    assert (
        found["scheduler_start_delay_seconds_bucket", "10.0"],
        found["scheduler_start_delay_seconds_bucket", "30.0"],
    ) == (0, 1)


async def test_what_is_skipped_missed_or_lost_is_counted_too(start_node: Any) -> None:
    dying, peer, stuck = await start_node(), await start_node(), Stuck()
    dying.register("work", stuck.run)
    peer.register("work", stuck.run)
    await dying.add_every(60, "work", name="busy", timeout=3_600)
    await dying.add_every(60, name="strict", misfire_grace_time=5)
    await pass_a_turn(dying, 60)
    await stuck.started.wait()
    await pass_a_turn(dying, 60)
    skipping = await exported(dying)

    kill(dying)
    await pass_a_turn(peer, 61)
    found = await exported(peer)
    release_all()

    assert skipping["scheduler_executions_total", "busy", "skipped"] == 1
    assert found["scheduler_executions_total", "busy", "lost"] == 1
    assert found["scheduler_executions_total", "strict", "missed"] == 1
    assert found["scheduler_missed_total",] == 1


async def pass_a_turn(node: Any, seconds: float) -> None:
    node.clock.advance(seconds)
    await node.scheduler.turn()


@only_sqlite
async def test_the_label_of_tasks_is_bounded_and_can_be_turned_off(start_node: Any) -> None:
    node = await start_node(metrics_tasks=1)
    for name in ("first", "second", "third"):
        await node.add(name=name)
    silent = await start_node(metrics_tasks=0)
    await node.scheduler.run_due()
    await silent.add(name="fourth")
    await silent.scheduler.run_due()

    bounded, unlabelled = await exported(node), await exported(silent)

    assert [key for key in bounded if key[0] == "scheduler_executions_total"] == [
        ("scheduler_executions_total", "first", "succeeded"),
        ("scheduler_executions_total", "other", "succeeded"),
    ]
    assert unlabelled["scheduler_executions_total", "succeeded"] == 1


async def test_without_the_database_a_node_tells_what_it_knows_itself(node: Any, monkeypatch: Any) -> None:
    await node.add()
    await node.scheduler.run_due()

    async def gone(*_: Any) -> None:
        raise ConnectionRefusedError("nobody listens")

    monkeypatch.setattr(Database, "read", gone)
    found = await exported(node)
    health = await node.scheduler.health()

    assert found["scheduler_executions_total", "note", "succeeded"] == 1
    assert found["scheduler_store_up",] == 0
    assert ("scheduler_nodes",) not in found
    assert health.error.code == "STORE_UNREACHABLE"


@only_sqlite
async def test_the_database_is_not_asked_again_within_five_seconds(node: Any) -> None:
    before = await exported(node)
    await node.add(delay=3_600)
    text, _ = await node.scheduler.metrics.text()

    assert f'scheduler_tasks{{state="pending"}} {before["scheduler_tasks", "pending"]}' in text.decode()
    assert (await exported(node))["scheduler_tasks", "pending"] == before["scheduler_tasks", "pending"] + 1


@only_sqlite
async def test_metrics_are_served_to_who_may_read(node: Any) -> None:
    served = ASGITransport(web_application(node.app_context))
    async with AsyncClient(transport=served, base_url="http://localhost") as client:
        plain = await client.get("/metrics")
        with calling(Caller("nobody", Door.API, frozenset())):
            refused = await client.get("/metrics")

    assert plain.headers["content-type"].startswith("text/plain; version=")
    assert "scheduler_build_info" in plain.text
    assert refused.status_code == 401


def test_counting_an_execution_takes_a_few_calls(clock: Any) -> None:
    outcome = Outcome(State.SUCCEEDED)
    told = [Ending(new_id(), "task", f"task {n % 50}", outcome, None, None, 0.2, clock.now()) for n in range(1_000)]
    work = Work("node", "session", None, (), None, endings=told)  # type: ignore[arg-type]
    turned, tally = Turned(clock.now(), (), (), (), 0, False, None), Tally(100)

    with at_most(calls=20 * len(told)):
        tally.turned(turned, work)

    assert sum(task.outcomes[State.SUCCEEDED] for task in tally.tasks.values()) == 1_000
