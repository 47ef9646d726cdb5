"""A database that goes away and comes back: the node says so while it lasts, and then works on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from database_proxy import DatabaseProxy
from nodes import until
from shopping import Street

from framework.web.assembling import open_paths, web_application
from framework.web.guard import guarded
from framework.web.rules import Rules

pytestmark = pytest.mark.postgres


@pytest.fixture
async def proxy(postgres_url: str) -> AsyncIterator[DatabaseProxy]:
    """The way to the database, which may be closed."""
    proxy = DatabaseProxy(postgres_url)
    await proxy.open()
    yield proxy
    await proxy.close()


@pytest.fixture
def database_url(proxy: DatabaseProxy) -> str:
    """The database, by that way."""
    return proxy.url


async def test_a_node_is_not_ready_while_its_database_is_gone_and_ready_again_after(
    start_node: Any, proxy: DatabaseProxy
) -> None:
    node = await start_node(enabled=True)
    app = web_application(node.app_context)
    street = Street(node.app_context, guarded(app, Rules(node.app_context, open_paths(app))))

    async def answers(status: int) -> bool:
        node.clock.advance(1)  # for loops that pause before they try again
        return (await street.ask("GET", "/health/ready")).status_code == status

    await until(lambda: answers(200))
    await proxy.close()
    await until(lambda: answers(503))
    told = (await street.ask("GET", "/health/ready")).json()
    alive = (await street.ask("GET", "/health/live")).status_code
    await proxy.open()
    await until(lambda: answers(200))
    task_id = await node.add()

    async def has_ended() -> bool:
        node.clock.advance(1)
        return (await node.states(task_id)) == ["succeeded"]

    await until(has_ended)
    assert told["details"]["core.scheduler"]["code"] == "STORE_UNREACHABLE"
    assert alive == 200
