"""The process in which functions run: takes calls from a pipe, one after another, and tells how they come out."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, BinaryIO

from framework import strict_json
from modules.core.scheduler.bounded_text import storable
from modules.core.scheduler.execution import Progress
from modules.core.scheduler.executors.call import MAX_BYTES, Call, outcome_to_dict
from modules.core.scheduler.executors.remote import RemoteContext, carry_out
from modules.core.scheduler.executors.usage import forget_peak, limit_memory, own_usage

MOST_RUNS = 100  # then a fresh process takes over, so that what functions leak does not add up
MAX_LOG_TEXT = 8_000
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class Line:
    """The line to the parent: one JSON object each way at a time, from any thread."""

    def __init__(self, inbox: BinaryIO, outbox: BinaryIO) -> None:
        self._inbox = inbox
        self._outbox = outbox
        self._turn = threading.Lock()

    def tell(self, **message: Any) -> None:
        """Send one message."""
        data = strict_json.dumps(message, max_bytes=MAX_BYTES).encode() + b"\n"
        with self._turn:
            self._outbox.write(data)
            self._outbox.flush()

    def hear(self) -> bytes:
        """Return the next message; empty when the parent is gone."""
        return self._inbox.readline()

    def let_go(self) -> None:
        """Lead both ends nowhere, in a fork: else the parent would not see the end of this process while it lives."""
        nothing = os.open(os.devnull, os.O_RDWR)
        for each in (self._inbox, self._outbox):
            os.dup2(nothing, each.fileno(), inheritable=False)
        os.close(nothing)


class LogToParent(logging.Handler):
    """Sends log records to the parent, so that they stand in the application's log."""

    def __init__(self, line: Line) -> None:
        super().__init__()
        self._line = line

    def emit(self, record: logging.LogRecord) -> None:
        """Send a record: its text with the traceback, and those extra fields that are plain."""
        try:
            extra = {name: value for name, value in vars(record).items() if name not in _STANDARD}
            plain = {name: value for name, value in extra.items() if isinstance(value, (str, int, bool))}
            text = storable(self.format(record), MAX_LOG_TEXT)
            self._line.tell(log={"name": record.name, "level": record.levelno, "text": text, "extra": plain})
        except Exception:  # noqa: BLE001  # logging never harms what logs: the same as every handler does
            self.handleError(record)


class Child:
    """Carries out calls in the main thread, while another one listens for a wish to stop."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._calls: queue.SimpleQueue[Mapping[str, Any]] = queue.SimpleQueue()
        self._turn = threading.Lock()
        self._number = 0
        self._stop_asked = 0
        self._context: RemoteContext | None = None

    def run(self) -> None:
        """Carry out what comes, for as long as the parent lives."""
        threading.Thread(target=self._listen, name="parent", daemon=True).start()
        threads = threading.active_count()
        while True:
            message = self._calls.get()
            reply = self._carried_out(message)
            again = message["number"] < MOST_RUNS and threading.active_count() <= threads
            self._line.tell(**reply, again=again)

    def _listen(self) -> None:
        while data := self._line.hear():
            message = strict_json.loads(data, max_bytes=MAX_BYTES)
            if "stop" in message:
                self._stop(message["stop"])
            else:
                self._calls.put(message)
        # The parent is gone. PR_SET_PDEATHSIG would be surer of this process, and spare what it has started.
        os.killpg(0, signal.SIGKILL)

    def _stop(self, number: int) -> None:
        with self._turn:
            self._stop_asked = number
            context = self._context if number == self._number else None
        if context is not None:
            context.cancel()

    def _carried_out(self, message: Mapping[str, Any]) -> dict[str, Any]:
        sys.path[:] = message["path"]
        with contextlib.suppress(OSError):  # the folder may be gone meanwhile
            os.chdir(message["folder"])
        logging.root.setLevel(message["log_level"])
        limit_memory(message["memory_limit"])
        context = RemoteContext(call := Call.from_dict(message["call"]), self._tell_progress)
        with self._turn:
            self._number, self._context = message["number"], context
            if self._stop_asked == self._number:
                context.cancel()
        before = own_usage().cpu_seconds
        self._line.tell(started=before)
        forget_peak()
        outcome = carry_out(call, context)
        used = own_usage()
        outcome = replace(outcome, cpu_seconds=used.cpu_seconds - before, memory_bytes=used.memory_bytes)
        latest = context.latest_progress
        return {"outcome": outcome_to_dict(outcome), "progress": None if latest is None else asdict(latest)}

    def _tell_progress(self, progress: Progress) -> None:
        self._line.tell(progress=asdict(progress))


def _line_to_parent() -> Line:
    """Take the pipes away from standard input and output, which functions may use as they like."""
    line = Line(os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb"))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    os.register_at_fork(after_in_child=line.let_go)
    return line


def main() -> None:
    """Carry out calls until the parent goes; started only by the process executor."""
    sys.argv = ["function"]
    line = _line_to_parent()
    logging.root.handlers[:] = [LogToParent(line)]
    Child(line).run()
