"""The only file that reads the time, waits, or makes ids; everything else takes a Clock."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

_SINCE_BOOT: int | None = getattr(time, "CLOCK_BOOTTIME", None)  # Linux; elsewhere monotonic() is what there is


class Clock(Protocol):
    """What time it is, and how to wait. Wall time is aware UTC; waiting is measured on a monotonic clock."""

    def now(self) -> datetime:
        """Return the current moment, aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds that never run backwards; only differences mean anything."""

    async def sleep(self, seconds: float) -> None:
        """Wait so many seconds."""

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        """Wait until the event is set, at most so many seconds; True when it was set."""


def _steady() -> float:
    return time.clock_gettime(_SINCE_BOOT) if _SINCE_BOOT is not None else time.monotonic()


class SystemClock:
    """The machine's clock; once it was `corrected`, a steady one, so that all nodes of one database agree on the time.

    From then on it moves at nobody's setting of the machine's clock, only at the next correction.
    """

    def __init__(self) -> None:
        self._anchor: tuple[datetime, float] | None = None  # a moment, and what the steady clock showed at it

    def now(self) -> datetime:
        if self._anchor is None:
            return self.machine_now()
        moment, then = self._anchor
        return moment + timedelta(seconds=_steady() - then)

    def machine_now(self) -> datetime:
        """Return what the machine's clock shows, right or wrong."""
        return datetime.now(UTC)

    @property
    def offset(self) -> timedelta:
        """How far this clock is ahead of the machine's; zero until it is corrected."""
        return timedelta(0) if self._anchor is None else self.now() - self.machine_now()

    def correct(self, by: timedelta) -> None:
        """Go on from so much later (or earlier), on a clock that nobody sets and that counts while a machine sleeps."""
        self._anchor = self.now() + by, _steady()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        try:
            async with asyncio.timeout(max(seconds, 0)):
                await event.wait()
        except TimeoutError:
            return event.is_set()
        return True


_id_lock = threading.Lock()
_last_id = 0
_head = 0, ""  # of the last id: all but its last 48 bits, and the text of that


def new_id() -> str:
    """Return a new id as text, sorting after all earlier ones of this process: a UUID version 7.

    Monotonic by RFC 9562, section 6.2, method 2: within one millisecond the random part is counted up.
    """
    global _last_id, _head  # noqa: PLW0603  # the one piece of state that makes ids sort
    stamp = time.time_ns() // 1_000_000
    with _id_lock:
        if stamp > _last_id >> 74:
            _last_id = stamp << 74 | int.from_bytes(os.urandom(9), "big") & (1 << 73) - 1
        else:
            _last_id += 1
        bits = _last_id
        if bits >> 48 != _head[0]:
            _head = bits >> 48, _head_text(bits >> 48)
        return f"{_head[1]}{bits & (1 << 48) - 1:012x}"


def _head_text(bits: int) -> str:
    low, middle, stamp = bits & (1 << 14) - 1, bits >> 14 & 0xFFF, bits >> 26
    return f"{stamp >> 16:08x}-{stamp & 0xFFFF:04x}-{0x7000 | middle:04x}-{0x8000 | low:04x}-"


def id_at(moment: datetime) -> str:
    """Return a text that sorts before every id made at this moment or later, and behind every earlier one."""
    stamp = f"{int(moment.timestamp() * 1000):012x}"
    return f"{stamp[:8]}-{stamp[8:]}"


def rest() -> None:
    """Let the other threads of this process have the interpreter for a millisecond; never on an event loop."""
    time.sleep(0.001)
