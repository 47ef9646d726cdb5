"""Notices between processes: PostgreSQL's LISTEN/NOTIFY, which only shortens latency and is never relied upon."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

from framework.clock import Clock, new_id
from framework.database.database import Database
from framework.database.engines import driver_options
from framework.database.failures import is_transient
from framework.database.location import POSTGRESQL
from framework.errors import one_line

if TYPE_CHECKING:
    import asyncpg

log = logging.getLogger(__name__)

LONGEST_PAYLOAD = 7999  # bytes, PostgreSQL's own limit
PING = 10.0  # seconds from an answer to the next ping
ANSWER = 5.0  # seconds within which a ping comes back
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0
RARELY = 300.0  # seconds until a server is tried again that takes a LISTEN and delivers nothing
ENQUIRY = "\x05"  # what pings begin with and notices do not: ASCII's "is anybody there?"
APPLICATION_NAME = "chamberlain listener"
OPTIONS = {
    "server_settings": {"application_name": APPLICATION_NAME},
}
LOST, DEAF = "lost", "deaf"
NOTIFY = text("SELECT pg_notify(:channel, :payload)")


def notify(connection: Connection, channel: str, payload: str) -> None:
    """Tell every `Listener` on the channel as soon as this transaction commits; on SQLite do nothing.

    Equal notices of one transaction arrive as one. A payload of more than 7999 bytes raises ValueError, on SQLite too.
    """
    size = len(payload.encode())
    if size > LONGEST_PAYLOAD:
        raise ValueError(f"a notice of {size} bytes is too long; send at most {LONGEST_PAYLOAD}, such as an id")
    if connection.dialect.name == POSTGRESQL:
        connection.execute(NOTIFY, {"channel": channel, "payload": payload})


class Listener:
    """A connection of its own that hears what is notified on one channel, and finds out when it hears nothing.

    `on_notice` is called in the event loop with the payload of each notice, and with "" whenever listening has begun or
    begun again, for what came before was missed. A notice is a hint: it may come twice, or never.
    """

    def __init__(self, database: Database, channel: str, on_notice: Callable[[str], None], *, clock: Clock) -> None:
        self._database = database
        self._channel = channel
        self._on_notice = on_notice
        self._clock = clock
        self._is_live = False
        self._is_closed = False
        self._failures = 0
        self._trouble = ""  # what was said to be wrong, so that it is said once
        self._token: str | None = None
        self._stirred = asyncio.Event()  # an answer has come, or the connection is lost
        self._listening: asyncio.Task[None] | None = None

    @property
    def is_live(self) -> bool:
        """Whether notices arrive: the last ping came back, and the connection has not been lost since."""
        return self._is_live

    async def run(self) -> None:
        """Listen, through every error, until cancelled or closed; on SQLite, where nobody notifies, return at once."""
        if self._is_closed or self._database.dialect != POSTGRESQL:
            return
        if self._listening is not None:
            raise RuntimeError(f"this listener on {self._channel!r} is running already; make another one")
        self._listening = asyncio.ensure_future(self._listen())
        try:
            await asyncio.wait({self._listening})
        finally:
            await self.close()

    async def close(self) -> None:
        """Stop listening and close the connection; a second call changes nothing."""
        self._is_closed = True
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.wait({self._listening})

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_once()
                pause = self._pause_when_deaf()
            except Exception as error:  # noqa: BLE001  # the boundary: whatever is wrong with notices, polling goes on
                pause = self._pause_when_lost(error)
            await self._clock.sleep(pause)

    async def _listen_once(self) -> None:
        """Connect, listen, and ping for ever; return where nothing ever arrives, raise when it is lost later."""
        connection = await self._connect()
        try:
            connection.add_termination_listener(lambda _: self._stirred.set())
            await connection.add_listener(self._channel, self._hear)
            if not await self._ping(connection):
                return
            self._begin()
            while True:
                await self._rest(connection)
                if not await self._ping(connection):
                    raise ConnectionError(f"a ping did not come back within {ANSWER:g} s")
                self._failures = 0  # not before: what is lost again at once must not be sought without a pause
        finally:
            self._is_live = False
            connection.terminate()  # says goodbye without waiting: nobody may answer any more

    async def _connect(self) -> asyncpg.Connection:
        import asyncpg

        return await asyncpg.connect(**driver_options(self._database.url, pooled=True) | OPTIONS)

    async def _ping(self, connection: asyncpg.Connection) -> bool:
        """Notify itself; whether that was heard in time."""
        # By another connection: behind a pooler a session hears what it notifies itself, and nothing else.
        token = self._token = ENQUIRY + new_id()
        await self._database.write(partial(notify, channel=self._channel, payload=token))
        give_up = self._clock.monotonic() + ANSWER
        while self._token is not None:
            if not await self._stirs(connection, give_up - self._clock.monotonic()):
                return False
        return True

    async def _rest(self, connection: asyncpg.Connection) -> None:
        await self._stirs(connection, PING)
        _refuse_closed(connection)

    async def _stirs(self, connection: asyncpg.Connection, seconds: float) -> bool:
        self._stirred.clear()
        _refuse_closed(connection)
        return await self._clock.wait(self._stirred, seconds)

    def _hear(self, _connection: object, _pid: int, _channel: str, payload: str) -> None:
        if payload == self._token:
            self._token = None
            self._stirred.set()
        elif not payload.startswith(ENQUIRY):
            self._hand_over(payload)

    def _hand_over(self, payload: str) -> None:
        try:
            self._on_notice(payload)
        except Exception:  # foreign code: what it raises must not end the listening
            log.exception("a notice on %r was not taken", self._channel)

    def _begin(self) -> None:
        self._is_live = True
        if self._trouble:
            log.info("notifications on %r arrive again", self._channel)
            self._trouble = ""
        self._hand_over("")

    def _pause_when_deaf(self) -> float:
        if self._trouble != DEAF:
            log.warning(
                "notifications on %r do not arrive (behind a transaction pooler?); polling goes on", self._channel
            )
            self._trouble = DEAF
        return RARELY

    def _pause_when_lost(self, error: Exception) -> float:
        self._failures += 1
        if not self._trouble:
            tell_all = not is_transient(error)
            log.warning(
                "notifications on %r are lost; polling goes on: %s", self._channel, one_line(error), exc_info=tell_all
            )
            self._trouble = LOST
        return min(FIRST_PAUSE * 2.0 ** min(self._failures, 10), LONGEST_PAUSE)


def _refuse_closed(connection: asyncpg.Connection) -> None:
    if connection.is_closed():
        raise ConnectionError("the connection was closed")
