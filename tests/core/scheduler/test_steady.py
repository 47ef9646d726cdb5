"""A node that could not keep its own lease judges nobody by theirs: what held it up may have held up all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from nodes import until
from sqlalchemy import select

from framework.clock import SystemClock, new_id
from modules.core.scheduler import process, tables
from modules.core.scheduler.heartbeat import Heartbeat
from modules.core.scheduler.recovery import remove_dead_nodes
from modules.core.scheduler.store import nodes
from modules.core.scheduler.tables import executions

LEASE = timedelta(seconds=60)
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


class Moved(SystemClock):
    """The machine's clocks, ahead by as much as a test says."""

    ahead = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.ahead

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead.total_seconds()


async def register(database: Any, lease_until: datetime) -> str:
    """Register a node that is this process; return its id."""
    values = {"id": new_id(), **process.identity(), "started_at": NOW, "lease_until": lease_until}
    await database.write(partial(nodes.register, values={**values, "draining_since": None}))
    return str(values["id"])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # what is tested is a thread and two clocks
async def test_a_node_whose_lease_was_held_up_is_steady_again_once_others_had_time_to_renew_theirs(
    started: Any, database_url: str
) -> None:
    async with started() as app_context:
        clock, database = Moved(), app_context.database
        node_id = await register(database, clock.now() + LEASE)
        heartbeat = Heartbeat(database, clock, node_id, LEASE, lambda: None)
        heartbeat.start()
        at_first = heartbeat.is_steady()

        clock.ahead += LEASE * 0.8
        held_up = heartbeat.is_steady()
        heartbeat._loop.call_soon_threadsafe(heartbeat._wake.set)
        await until(lambda: renewed_late(heartbeat))
        just_renewed = heartbeat.is_steady()
        clock.ahead += LEASE * 0.6
        later = heartbeat.is_steady()
        heartbeat.stop()

    assert [at_first, held_up, just_renewed, later] == [True, False, False, True]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_heartbeat_moves_its_lease_on_and_is_no_row_of_the_history(started: Any, database_url: str) -> None:
    async with started() as app_context:
        clock, database = Moved(), app_context.database
        node_id = await register(database, NOW)
        heartbeat = Heartbeat(database, clock, node_id, LEASE, lambda: None)
        heartbeat.start()

        heartbeat._loop.call_soon_threadsafe(heartbeat._wake.set)
        await until(partial(has_lease_from_now, database, node_id))
        heartbeat.stop()
        history = await database.read(lambda c: c.execute(select(executions)).all())

    assert history == []


async def has_lease_from_now(database: Any, node_id: str) -> bool:
    """Whether the lease, which had run out long ago, has been moved on."""
    query = select(tables.nodes.c.lease_until).where(tables.nodes.c.id == node_id)
    return bool(await database.read(lambda c: c.execute(query).scalar_one() > SystemClock().now()))


async def renewed_late(heartbeat: Heartbeat) -> bool:
    """Whether a renewal that came late has been noted."""
    return heartbeat._late is not None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_lease_that_has_run_out_is_held_against_a_node_only_by_one_that_is_steady(
    started: Any, database_url: str
) -> None:
    async with started() as app_context:
        silent = await register(app_context.database, NOW)

        spared, removed = [
            await app_context.database.write(lambda c, by=by: remove_dead_nodes(c, "me", NOW + LEASE, by_lease=by))
            for by in (False, True)
        ]

    assert spared == []
    assert removed == [silent]
