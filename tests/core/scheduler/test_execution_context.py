"""What a running function may know, tell and ask."""

from __future__ import annotations

import json
import logging
import threading
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from modules.core.scheduler.execution import ExecutionCancelled, ExecutionContext, State, outcome_of_exception

MOMENT = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def context(**changes: Any) -> ExecutionContext:
    fields: dict[str, Any] = {
        "execution_id": "e-1",
        "task_id": "t-1",
        "task_name": "Nightly report",
        "module_id": "acme.reports",
        "function_name": "nightly",
        "attempt": 2,
        "retries_used": 1,
        "scheduled_for": MOMENT,
        "started_at": MOMENT,
        "origin": "schedule",
        "app_context": None,
        "session_id": "s-1",
    }
    return ExecutionContext(**{**fields, **changes})


def test_a_function_that_stopped_when_asked_is_cancelled_and_not_retried() -> None:
    running = context()
    running.raise_if_cancelled()
    running.cancel()

    with pytest.raises(ExecutionCancelled) as caught:
        running.raise_if_cancelled()

    outcome = outcome_of_exception(caught.value)
    assert (outcome.state, outcome.retry) == (State.CANCELLED, False)


def test_another_thread_sees_that_the_function_is_asked_to_stop() -> None:
    running, seen = context(), threading.Event()
    thread = threading.Thread(target=lambda: seen.set() if running.cancelled else None)

    running.cancel()
    thread.start()
    thread.join()

    assert seen.is_set()


def test_every_attempt_of_an_occurrence_has_the_same_idempotency_key() -> None:
    elsewhere = MOMENT.astimezone(timezone(timedelta(hours=5)))

    keys = {context(attempt=1).idempotency_key, context(attempt=3, scheduled_for=elsewhere).idempotency_key}

    assert keys == {"t-1:2026-01-05T12:00:00.000000Z"}


def test_another_occurrence_has_another_idempotency_key() -> None:
    later = context(scheduled_for=MOMENT + timedelta(microseconds=1))

    assert later.idempotency_key != context().idempotency_key


def test_progress_is_a_fraction_or_a_count_and_the_newest_is_kept() -> None:
    running = context()
    assert running.latest_progress is None

    running.progress(0.25)
    running.progress(3, 4, "files")

    assert running.latest_progress is not None
    assert json.loads(running.latest_progress.to_json()) == {
        "fraction": 0.75,
        "done": 3,
        "total": 4,
        "message": "files",
    }


@pytest.mark.parametrize(("done", "total", "fraction"), [(-1, None, 0), (7, None, 1), (0, 0, 1), (5, 4, 1), (1, -3, 1)])
def test_progress_stays_between_nothing_and_all(done: float, total: float | None, fraction: float) -> None:
    running = context()

    running.progress(done, total)

    assert running.latest_progress is not None
    assert running.latest_progress.fraction == fraction


def test_a_message_of_progress_is_short_and_storable() -> None:
    running = context()

    running.progress(0.5, message="\0" + "x" * 1_000)

    assert running.latest_progress is not None
    assert len(running.latest_progress.message) == 200
    assert "\0" not in running.latest_progress.message


def test_progress_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="progress is a fraction"):
        context().progress(float("nan"))


def test_the_logger_of_an_execution_adds_its_ids_to_what_the_function_logs(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        context().logger.info("wrote %d rows", 3, extra={"rows": 3})

    record = caplog.records[0]
    assert record.getMessage() == "wrote 3 rows"
    assert {name: getattr(record, name) for name in ("execution_id", "task_id", "attempt", "rows")} == {
        "execution_id": "e-1",
        "task_id": "t-1",
        "attempt": 2,
        "rows": 3,
    }
