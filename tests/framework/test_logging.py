"""The log: JSON lines with ids, readable lines on a terminal, and no way to forge either."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from framework.logging import Format, configure, log_ids, set_ids

log = logging.getLogger("acme.reports")


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.root
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    set_ids(session_id=None)


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def fail(text: str) -> None:
    raise ValueError(text)


def test_a_json_line_has_time_level_logger_event_and_fields(out: io.StringIO) -> None:
    configure("INFO", "json", out)
    before = datetime.now(UTC)  # noqa: TID251  # compared with the log's own time

    log.info("execution %s started", "e1", extra={"execution": "e1", "attempt": 2})

    (line,) = lines(out)
    moment = line.pop("timestamp")
    assert line == {
        "level": "info",
        "logger": "acme.reports",
        "event": "execution e1 started",
        "execution": "e1",
        "attempt": 2,
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", moment)
    assert abs((datetime.fromisoformat(moment) - before).total_seconds()) < 5


async def test_ids_of_an_execution_are_on_every_line_of_its_own_task_only(out: io.StringIO) -> None:
    configure("INFO", "json", out)
    set_ids(session_id="s1")

    async def execution(name: str) -> None:
        with log_ids(execution=name):
            await asyncio.to_thread(log.info, "working")
        log.info("done")

    await asyncio.gather(execution("e1"), execution("e2"))

    seen = {(line["event"], line.get("execution"), line["session_id"]) for line in lines(out)}
    assert seen == {("working", "e1", "s1"), ("working", "e2", "s1"), ("done", None, "s1")}


def test_a_field_never_replaces_what_the_line_says(out: io.StringIO) -> None:
    configure("INFO", "json", out)

    log.warning("order paid", extra={"event": "order.paid", "level": "gold"})

    (line,) = lines(out)
    assert (line["event"], line["level"]) == ("order paid", "warning")
    assert (line["event_"], line["level_"]) == ("order.paid", "gold")


@pytest.mark.parametrize("form", ["json", "console"])
def test_user_text_cannot_forge_a_line_or_move_the_cursor(out: io.StringIO, form: Format) -> None:
    configure("INFO", form, out)
    nasty = "x\n2026-01-01 [info] all is well\r\x1b[2J\x07\u202e\x9b"

    log.info("named %s", nasty, extra={"user_name": nasty})
    try:
        fail(nasty)
    except ValueError:
        log.exception("failed")

    assert not set(out.getvalue()) & set("\r\x1b\x07\u202e\x9b")
    assert not any(line.startswith("2026-01-01") and "all is well" in line for line in out.getvalue().splitlines())


def test_a_traceback_is_a_field(out: io.StringIO) -> None:
    configure("INFO", "json", out)

    try:
        fail("no")
    except ValueError:
        log.exception("execution %s failed", "e1")

    (line,) = lines(out)
    assert line["event"] == "execution e1 failed"
    assert line["exception"].startswith("Traceback (most recent call last):")
    assert line["exception"].endswith("ValueError: no")


def test_a_field_that_is_not_json_is_written_as_its_repr(out: io.StringIO) -> None:
    configure("INFO", "json", out)
    circle: list[object] = []
    circle.append(circle)

    log.info("odd", extra={"moment": {1}, "number": 1})
    log.info("odder", extra={"number": float("nan")})
    log.info("oddest", extra={"circle": circle})

    assert "NaN" not in out.getvalue()
    first, second, third = lines(out)
    assert (first["moment"], first["number"]) == ("{1}", 1)
    assert (second["number"], third["circle"]) == ("nan", "[[...]]")


def test_auto_is_console_on_a_terminal_and_json_elsewhere(out: io.StringIO) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    for stream in (out, terminal):
        configure("INFO", "auto", stream)
        log.info("hello")

    assert lines(out)[0]["event"] == "hello"
    assert "hello" in terminal.getvalue()
    assert not terminal.getvalue().startswith("{")


def test_the_level_holds_and_drivers_do_not_chatter(out: io.StringIO) -> None:
    configure("debug", "json", out)

    log.debug("mine")
    logging.getLogger("sqlalchemy.engine").info("SELECT secrets")
    logging.getLogger("aiosqlite").debug("executing")

    assert [line["event"] for line in lines(out)] == ["mine"]


def test_warnings_of_python_are_logged(out: io.StringIO) -> None:
    configure("INFO", "json", out)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old thing", UserWarning, stacklevel=1)

    assert "old thing" in lines(out)[0]["event"]
    assert lines(out)[0]["logger"] == "py.warnings"
