"""How tasks and executions read on a terminal."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import pytest

from modules.core.scheduler.policies import Policies
from modules.core.scheduler.showing.tasks import EXECUTION_COLUMNS, execution_rows, policies, state, task_facts


def task(**policies: Any) -> dict[str, Any]:
    stored = asdict(Policies(**policies))
    return {"policies": stored, "overlap": "queue", "max_instances": 2, "delivery": "at_most_once"}


def test_every_policy_is_said_in_words() -> None:
    told = dict(policies(task(timeout=600.0, max_retries=3, retry_delay=60.0, grace=300.0, jitter=5.0, catch_up="all")))

    assert told == {
        "time limit": "10m",
        "retries": "3, the first after 1m, each wait 2 times as long, at most 1h",
        "overlap": "queue: 2 of it at a time, and up to 1000 wait",
        "catch-up": "all: one run for each that was missed, at most the newest 100",
        "grace": "missed where it is later than 5m",
        "jitter": "starts up to 5s later",
        "delivery": "at most once: no run is ever repeated",
    }


def test_policies_that_cannot_be_read_are_said_to_be_so() -> None:
    assert policies(task() | {"policies": {"corrupt": True}}) == [("policies", "unreadable")]


@pytest.mark.parametrize("schedule", ["every hour", "every hour (Etc/UTC)"])
def test_the_zone_of_a_task_is_said_once(schedule: str) -> None:
    empty = dict.fromkeys(("id", "description", "status_reason", "blocked_reason", "next_execution", "last_execution"))
    told = {**empty, "name": "n", "module_id": "m", "function_name": "f", "status": "completed", "last_error": None}
    told |= {"execution_count": 0, "max_executions": None, "recurring": True, "parameters": {}, "priority": 0}
    told |= {"tags": [], "key": None, "schedule": schedule, "timezone": "Etc/UTC", **task()}

    assert dict(task_facts(told, datetime(2026, 1, 5, tzinfo=UTC)))["trigger"] == "every hour (Etc/UTC)"


def test_a_task_that_is_held_is_not_called_blocked() -> None:
    waiting = {"blocked_reason": "FUNCTION_NOT_REGISTERED"}

    assert state({"status": "running", **waiting}) == "blocked"
    assert state({"status": "paused", **waiting}) == "paused"


def test_an_error_stands_before_the_id_and_pushes_it_not_away() -> None:
    execution: dict[str, Any] = {"scheduled_for": datetime(2026, 1, 5, tzinfo=UTC), "reason": None, "duration": None}
    execution |= {"task_name": "scan", "attempt": 1, "state": "failed", "id": "x", "error": "no\n" + "luck " * 40}

    row = dict(zip(EXECUTION_COLUMNS, execution_rows([execution])[0], strict=True))

    assert EXECUTION_COLUMNS[-2:] == ("ERROR", "ID")
    assert row["ERROR"].startswith("no luck luck")
    assert len(row["ERROR"]) == 60
