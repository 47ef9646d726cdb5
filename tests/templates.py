"""Databases that have the tables already: copies of one that was made in the ordinary way, once for all tests."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path

import pytest
from postgres import address, run_sql
from sqlalchemy import URL

from framework import Application


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the tables of all modules and nothing in them."""
    file = tmp_path_factory.mktemp("template") / "template.db"
    _make_tables(f"sqlite+aiosqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgres_template(postgres_server: URL) -> str:
    """The name of a PostgreSQL database with the tables of all modules and nothing in them."""
    name = f"template_{secrets.token_hex(8)}"
    asyncio.run(run_sql(postgres_server, f"CREATE DATABASE {name}"))
    _make_tables(address(postgres_server, name))
    return name


def _make_tables(url: str) -> None:
    settings = {"framework": {"database_url": url}}
    asyncio.run(Application(settings=settings).upgrade())
