"""Databases that are listened to, directly and by way of a proxy."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
from database_proxy import DatabaseProxy
from listening import Ear, EarOn

from framework.database import Database


@pytest.fixture
async def here(postgres_url: str) -> AsyncIterator[Database]:
    """A PostgreSQL database."""
    database = Database(postgres_url)
    yield database
    await database.close()


@pytest.fixture
async def proxy(postgres_url: str) -> AsyncIterator[DatabaseProxy]:
    """An open way to that database."""
    proxy = DatabaseProxy(postgres_url)
    await proxy.open()
    yield proxy
    await proxy.close()


@pytest.fixture
async def there(proxy: DatabaseProxy) -> AsyncIterator[Database]:
    """That database by way of the proxy."""
    database = Database(proxy.url)
    yield database
    await database.close()


@pytest.fixture
async def ear_on() -> AsyncIterator[EarOn]:
    """Listen to a database, until the test ends."""
    ears: list[Ear] = []

    def listen(database: Database) -> Ear:
        ears.append(Ear(database))
        return ears[-1]

    yield listen
    for ear in ears:
        await ear.listener.close()
        await asyncio.gather(ear.running, return_exceptions=True)


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """What is said about notices."""
    caplog.set_level(logging.INFO, "framework.database.notices")
    return caplog
