"""Pages that keep themselves up to date: each is made anew once for all who look at it, as often as a budget allows."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from hashlib import sha256

from framework.context import AppContext
from framework.database import is_transient, metering
from framework.repeat import repeat

A_SECOND, AT_ONCE = 2.0, 30.0  # statements that all these pages together may cost the database
EVERY = 1.0  # seconds between two turns
BEAT = 3.0  # seconds after which a browser is told that nothing has changed
LONGEST = 300.0  # seconds of one stream; then the browser comes again, and is asked who it is
UNLOOKED = 30.0  # seconds after which a page is made anew though nobody has committed: some of it is about time itself
HELLO = b"retry: 3000\n\n"

_MOMENT = re.compile(r"(<time [^>]*>)[^<]*")

Make = Callable[[], Awaitable[str]]


@dataclass(eq=False)
class _Page:
    make: Make
    readers: set[asyncio.Event] = field(default_factory=set)
    text: str = ""
    mark: str = ""
    version: int | None = None
    made_at: float = float("-inf")
    known_at: float = float("-inf")


class Refreshing:
    """The pages that are being looked at on this node; it belongs to the event loop that serves them.

    Nothing is read for a page while nobody commits to a SQLite file. On PostgreSQL, which does not say, each page is
    made anew as often as the budget allows, those that have waited longest first.
    """

    def __init__(self, app_context: AppContext) -> None:
        self._database, self._clock = app_context.database, app_context.clock
        self._pages: dict[Hashable, _Page] = {}
        self._level, self._counted_at = AT_ONCE, self._clock.monotonic()
        self._wake = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None

    async def follow(self, address: Hashable, make: Make, finish: Callable[[str], str]) -> AsyncIterator[bytes]:
        """Yield server-sent events: `page` with the page as it now is, `beat` with its age in seconds, both as JSON.

        `make` returns the page as all who look at this address may see it, and `finish` makes it one reader's own.
        """
        page = self._pages.setdefault(address, _Page(make))
        turned, sent, until = asyncio.Event(), "", self._clock.monotonic() + LONGEST
        page.readers.add(turned)
        self._begin()
        try:
            yield HELLO
            while self._clock.monotonic() < until:
                await self._clock.wait(turned, BEAT)
                turned.clear()
                if page.mark == sent:
                    yield _event("beat", round(self._clock.monotonic() - page.known_at, 1) if sent else None)
                else:
                    sent = page.mark
                    yield _event("page", finish(page.text))
        finally:
            page.readers.discard(turned)
            if not page.readers and self._pages.get(address) is page:
                del self._pages[address]
                self._wake.set()

    def anew(self) -> None:
        """Make every page anew in the next turn: something that it shows, and nobody has committed, is another."""
        for page in self._pages.values():
            page.version = None

    async def turn(self) -> float | None:
        """Make anew what may have changed, as far as the budget goes; return when to do so again, None when never."""
        if not self._pages:
            return None
        version = await self._database.version()
        for page in sorted(self._pages.values(), key=lambda page: page.made_at):
            if not self._may_have_changed(page, version):
                page.known_at = self._clock.monotonic()
            elif self._may_spend():
                await self._make(page, version)
        return EVERY

    def _begin(self) -> None:
        self._wake.set()
        if self._loop is None or self._loop.done():
            step = repeat(self.turn, name="live pages", clock=self._clock, wake=self._wake, passes=is_transient)
            self._loop = asyncio.create_task(step, name="live pages")

    def _may_have_changed(self, page: _Page, version: int | None) -> bool:
        return version is None or page.version != version or self._clock.monotonic() - page.made_at >= UNLOOKED

    def _may_spend(self) -> bool:
        now = self._clock.monotonic()
        self._level = min(AT_ONCE, self._level + (now - self._counted_at) * A_SECOND)
        self._counted_at = now
        return self._level > 0

    async def _make(self, page: _Page, version: int | None) -> None:
        page.made_at = self._clock.monotonic()  # also where it fails, so that the others get their turn
        with metering() as meter:
            try:
                text = await page.make()
            finally:
                self._level -= meter.statements
        page.text, page.version, page.known_at = text, version, self._clock.monotonic()
        mark = sha256(_MOMENT.sub(r"\1", text).encode()).hexdigest()  # how far away a moment is, the browser tells
        if mark != page.mark:
            page.mark = mark
            for turned in page.readers:
                turned.set()


def _event(kind: str, data: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n".encode()
