"""What is asked of a database, statement by statement: those of SQLAlchemy, and those that go past it to the driver."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from sqlalchemy import Connection, event

from framework.database import Database, driver, file, inserting, server
from framework.database.engines import BELOW

See = Callable[[str, Any], None]
ENDS = ("COMMIT", "ROLLBACK")


class Seen:
    """The statements of one database, in order, as (text, parameters), with `BEGIN`, `COMMIT` and `ROLLBACK`."""

    def __init__(self) -> None:
        self.all: list[tuple[str, Any]] = []

    def __call__(self, statement: str, parameters: Any) -> None:
        self.all.append((statement, parameters))

    @property
    def statements(self) -> list[tuple[str, Any]]:
        """Those that read or change rows."""
        return [each for each in self.all if not each[0].startswith(("BEGIN", *ENDS))]

    @property
    def commits(self) -> int:
        """How many transactions of writers there were."""
        return sum(statement == "COMMIT" for statement, _ in self.all)


@contextmanager
def seen_by(database: Database) -> Iterator[Seen]:
    """Collect what is asked of the database meanwhile."""
    seen = Seen()
    with watched(database, seen):
        yield seen


@contextmanager
def watched(database: Database, see: See) -> Iterator[None]:
    """Call `see` before each statement of this database; what it raises, the statement raises."""
    with ExitStack() as stack:
        engines = {database._writer.sync_engine, database._reader.sync_engine}
        if database._file is not None:
            threads = (database._file._writer, *database._file._readers, database._file._here)
            engines |= {thread._engine for thread in threads}
            _watch_file(stack, threads, see)
        if database._server is not None:
            engines.add(database._server._engine.sync_engine)
            _watch_server(stack, database._server, see)
        if database._inserter is not None:
            _watch_inserter(stack, database._inserter, see)
        for engine in engines:
            _listen(stack, engine, see)
        if database.is_memory:
            _listen_for_commits(stack, database, see)
        _watch_texts(stack, engines, see)
        yield


def _patch(stack: ExitStack, owner: Any, name: str, value: Any) -> None:
    """Put another value in the place of an attribute, until the stack ends."""
    own, before = name in vars(owner), getattr(owner, name)
    setattr(owner, name, value)
    if own:
        stack.callback(setattr, owner, name, before)
    else:
        stack.callback(delattr, owner, name)


def _listen(stack: ExitStack, engine: Any, see: See) -> None:
    def executing(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        see(statement, parameters)

    event.listen(engine, "before_cursor_execute", executing)
    stack.callback(event.remove, engine, "before_cursor_execute", executing)


def _listen_for_commits(stack: ExitStack, database: Database, see: See) -> None:
    def committing(_c: Any) -> None:
        see("COMMIT", ())

    event.listen(database._writer.sync_engine, "commit", committing)
    stack.callback(event.remove, database._writer.sync_engine, "commit", committing)


def _watch_texts(stack: ExitStack, engines: set[Any], see: See) -> None:
    """The statements of the hot road are text: SQLAlchemy sees them only where it is not passed by."""
    execute = driver.execute

    def text(c: Connection, statement: str, values: tuple[Any, ...]) -> Any:
        is_ours = {c.engine, getattr(c.engine, "_proxied", None)} & engines
        if is_ours and (c.dialect.name == "sqlite" or c.get_execution_options().get(BELOW)):
            see(statement, values)
        return execute(c, statement, values)

    _patch(stack, driver, "execute", text)


def _watch_file(stack: ExitStack, threads: Any, see: See) -> None:
    """On a SQLite file, transactions begin and end in a thread, below SQLAlchemy."""
    execute = file._execute

    def ending(raw: Any, statement: str) -> None:
        connections = [thread._connection for thread in threads if thread._connection is not None]
        if any(connection.connection.driver_connection is raw for connection in connections):
            see(statement, ())
        execute(raw, statement)

    _patch(stack, file, "_execute", ending)


def _watch_server(stack: ExitStack, of: server.Server, see: See) -> None:
    """On PostgreSQL they begin and end below SQLAlchemy, too."""
    execute = server._execute

    async def ending(connection: Any, statement: str) -> None:
        if connection.engine.sync_engine in (of._engine.sync_engine, getattr(of._engine.sync_engine, "_proxied", None)):
            see(statement, ())
        await execute(connection, statement)

    _patch(stack, server, "_execute", ending)


def _watch_inserter(stack: ExitStack, inserter: inserting.Inserter, see: See) -> None:
    """New tasks come in by a transaction of one statement."""
    insert = inserter.insert

    async def one_statement(insertions: Any, notice: Any) -> None:
        see("INSERT", insertions)
        await insert(insertions, notice)
        see("COMMIT", ())

    _patch(stack, inserter, "insert", one_statement)
