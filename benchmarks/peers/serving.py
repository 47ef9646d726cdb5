"""The measured process: it says that it is ready, waits for the word, works, and answers questions in lines of JSON."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from benchmarks.peers import recorder, roles
from benchmarks.peers.peer import Order, Peer

TICK = 0.001  # seconds between two looks at how long the loop was blocked


def serve(kind: type[Peer]) -> None:
    """Do what the order on the command line says, with this peer."""
    order, voice = _listen()
    if order.role == "work":
        asyncio.run(Worker(kind(order), voice).run())
    else:
        voice.write(json.dumps(asyncio.run(roles.produce(kind(order)))) + "\n")


def answer_once(work: Callable[[Order], dict[str, Any]]) -> None:
    """Do some work that needs no peer, and tell what it returns."""
    order, voice = _listen()
    voice.write(json.dumps(work(order)) + "\n")


def _listen() -> tuple[Order, TextIO]:
    """Take the order, say that this process is ready, and wait for the word."""
    voice = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a library prints must not come between
    order = Order(**json.loads(sys.argv[1]))
    threading.excepthook = _end  # rather than leave whoever measures without an answer
    voice.write(json.dumps({"ready": True}) + "\n")
    sys.stdin.readline()
    return order, voice


def _end(failure: threading.ExceptHookArgs) -> None:
    print(repr(failure.exc_value), file=sys.stderr, flush=True)
    os._exit(1)


def sample() -> dict[str, Any]:
    """Return what this process has used so far: CPU seconds, MiB, voluntary context switches."""
    status = Path("/proc/self/status").read_text()
    switches = 0
    for thread in Path("/proc/self/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            lines = (thread / "status").read_text().splitlines()
            switches += next(int(line.split()[1]) for line in lines if line.startswith("voluntary"))
    resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    return {
        "cpu": time.process_time(),
        "mib": resident / 1024,
        "switches": switches,
        "ran": len(recorder.starts),
    }


class Worker:
    """A running peer and the thread that answers for it."""

    def __init__(self, peer: Peer, voice: TextIO) -> None:
        self.peer = peer
        self.voice = voice
        self.stop = asyncio.Event()
        self.longest_block = 0.0
        self.watcher: Future[None] | None = None

    async def run(self) -> None:
        """Work until told to stop, then tell every start."""
        self.loop = asyncio.get_running_loop()
        began = time.perf_counter()
        cpu = time.process_time()

        def up() -> None:
            self.say(
                {"at": time.time(), "up": time.perf_counter() - began, "up_cpu": time.process_time() - cpu, **sample()}
            )
            threading.Thread(target=self.answer, daemon=True).start()

        await self.peer.work(self.stop, up)
        if self.watcher is not None:
            self.watcher.cancel()
        self.say({"starts": recorder.starts, "longest_block": self.longest_block})

    def say(self, answer: dict[str, Any]) -> None:
        """Tell whoever measures."""
        self.voice.write(json.dumps(answer) + "\n")

    def answer(self) -> None:
        """Answer one question a line; an end of the questions is an end of the work."""
        for line in sys.stdin:
            match line.strip():
                case "sample":
                    self.say(sample())
                case "look":
                    self.say(self.timed(self.peer.look()))
                case "add":
                    self.say(self.timed(self.peer.add(10_000_000 + int(time.time()), time.time() + 8_000_000)))
                case "claim":
                    self.say(self.timed(self.claim()))
                case "watch":
                    self.watcher = asyncio.run_coroutine_threadsafe(self.watch(), self.loop)
                    self.say({})
                case "stop":
                    break
        self.loop.call_soon_threadsafe(self.stop.set)

    async def claim(self) -> None:
        """Add a task that is due now, and wait until it has been started."""
        wanted = len(recorder.starts) + 1
        await self.peer.add(20_000_000 + wanted, time.time())
        while len(recorder.starts) < wanted:  # noqa: ASYNC110  # a peer's thread cannot set an event of this loop
            await asyncio.sleep(TICK)

    def timed(self, call: Any) -> dict[str, Any]:
        """Make the call on the loop; return how long that took."""
        began, cpu = time.perf_counter(), time.process_time()
        asyncio.run_coroutine_threadsafe(call, self.loop).result()
        return {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}

    async def watch(self) -> None:
        """Note the longest time that the loop did not come round."""
        while True:
            began = time.perf_counter()
            await asyncio.sleep(TICK)
            self.longest_block = max(self.longest_block, time.perf_counter() - began - TICK)
