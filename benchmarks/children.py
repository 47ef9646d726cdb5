"""Measured processes, driven by lines of JSON from outside."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from benchmarks.environments import ROOT, interpreter
from benchmarks.errors import BrokenError
from benchmarks.peers.peer import Order

PATIENCE = 60.0  # seconds that a process may take beyond the time it was given


class Child:
    """One process that runs one peer."""

    def __init__(self, peer: str, order: Order, program: str | None = None) -> None:
        self._peer = peer
        self._complaints = tempfile.TemporaryFile("w+")  # noqa: SIM115  # it lives as long as the process
        self._process = subprocess.Popen(
            [str(interpreter(peer)), "-m", f"benchmarks.peers.{program or peer}", json.dumps(asdict(order))],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            text=True,
        )
        self.hear()

    def tell(self, word: str) -> None:
        """Send one line."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(word + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise BrokenError(self._why()) from None

    def hear(self, seconds: float = 0.0) -> dict[str, Any]:
        """Return the next answer; raise `BrokenError` when none comes in time."""
        assert self._process.stdout is not None
        watchdog = threading.Timer(seconds + PATIENCE, self._process.kill)
        watchdog.start()
        try:
            line = self._process.stdout.readline()
        finally:
            watchdog.cancel()
        if not line:
            raise BrokenError(self._why())
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, word: str) -> dict[str, Any]:
        """Send one line and return the answer."""
        self.tell(word)
        return self.hear()

    def close(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.communicate()
        self._complaints.close()

    def _why(self) -> str:
        self._process.kill()
        self._process.wait()
        self._complaints.seek(0)
        lines = [line.strip() for line in self._complaints.read().splitlines() if line.strip()]
        return f"the process of {self._peer} ended without an answer: {lines[-1] if lines else 'it said nothing'}"


def produce(peer: str, order: Order) -> dict[str, Any]:
    """Let a process of its own add tasks; return what it told."""
    child = Child(peer, order)
    try:
        child.tell("go")
        return child.hear(order.seconds)
    finally:
        child.close()


@contextmanager
def workers(peer: str, order: Order, count: int = 1) -> Iterator[list[Child]]:
    """Start so many workers; they have imported everything and wait for the word."""
    children: list[Child] = []
    try:
        children.extend(Child(peer, order) for _ in range(count))
        yield children
    finally:
        for child in children:
            child.close()


def start(children: list[Child]) -> list[dict[str, Any]]:
    """Give the word to all at once; return what each told once it was up."""
    for child in children:
        child.tell("go")
    return [child.hear() for child in children]


def stop(children: list[Child]) -> list[dict[str, Any]]:
    """Stop all; return what each told last, its starts among it."""
    for child in children:
        child.tell("stop")
    return [child.hear() for child in children]


def wait(seconds: float) -> None:
    """Wait in real time."""
    time.sleep(max(seconds, 0.0))
