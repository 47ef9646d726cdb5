"""The process executor: what a function finds there, and what comes back."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import far_functions
import pytest
from far_functions import Reports
from logged import lines_of
from pydantic import BaseModel

MEGABYTE = 1_000_000


async def test_a_plain_function_runs_in_another_process_and_its_value_comes_back(far: Any) -> None:
    row = await far.run(far_functions.place)

    assert row["state"] == "succeeded"
    assert row["result"]["pid"] != os.getpid()
    assert (row["result"]["is_main_thread"], row["result"]["folder"]) == (True, str(Path.cwd()))


async def test_a_coroutine_runs_there_on_a_loop_of_its_own(far: Any) -> None:
    row = await far.run(far_functions.add_async, parameters={"one": 4})

    assert (row["state"], row["result"]) == ("succeeded", 6)


async def test_a_class_method_is_found_there(far: Any) -> None:
    row = await far.run(Reports.of_class)

    assert row["result"] == "Reports"


async def test_no_file_socket_or_connection_is_inherited(far: Any) -> None:
    row = await far.run(far_functions.place)

    here, there = set(far_functions.place()["open"]), set(row["result"]["open"])
    assert {kind for kind in ("socket:", ".db") if any(kind in name for name in here)} == {"socket:", ".db"}
    assert [name for name in here & there if not name.startswith(("/dev/", "pipe:"))] == []


async def test_the_context_says_there_what_it_says_here(far: Any) -> None:
    row = await far.run(far_functions.about)

    assert row["result"]["execution_id"] == row["id"]
    assert (row["result"]["attempt"], row["result"]["payload"], row["result"]["cancelled"]) == (1, None, False)
    assert row["result"]["scheduled_for"] == row["scheduled_for"].isoformat()
    assert row["result"]["key"].startswith(f"{row['task_id']}:")


async def test_an_event_carries_its_payload_there(far: Any) -> None:
    far.node.register("about", far_functions.about)
    task_id = await far.node.add("about", executor="process", trigger={"type": "event", "event": "seen"})

    await far.node.scheduler.emit("seen", {"bird": "owl"})
    await far.node.scheduler.run_due()

    assert (await far.row(task_id))["result"]["payload"] == {"bird": "owl"}


async def test_the_app_context_is_not_there_and_says_so(far: Any) -> None:
    row = await far.run(far_functions.uses_app_context, max_retries=3)

    assert row["state"] == "failed"
    assert "app_context.get_service is not available" in row["error"]
    assert "executor='thread'" in row["error"]
    assert len(await far.node.history()) == 1


async def test_progress_and_log_arrive_in_the_application(
    far: Any, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    row = await far.run(far_functions.tells)

    (record,) = [each for each in caplog.records if each.message == "half way"]
    assert row["progress"] == {"fraction": 1.0, "done": 4, "total": 4, "message": "all"}
    assert (record.levelno, record.name) == (logging.WARNING, "modules.acme.test")
    assert (record.__dict__["rows"], record.__dict__["execution_id"]) == (7, row["id"])
    assert "too quiet to be heard" not in caplog.text
    assert [line["message"] for line in await lines_of(far.node, row["task_id"])] == ["half way"]
    assert capfd.readouterr() == ("", "on standard output\n")


@pytest.mark.parametrize(
    ("what", "error", "attempts"),
    [("final", "DoNotRetry: never", 1), ("later", "RetryAfter: busy", 2), ("plain", "LookupError: gone", 2)],
)
async def test_what_a_function_raises_there_means_what_it_means_here(
    far: Any, what: str, error: str, attempts: int
) -> None:
    row = await far.run(far_functions.raises, parameters={"what": what}, max_retries=1)

    rows = await far.node.history(row["task_id"])
    assert (row["state"], row["error"], len(rows)) == ("failed", error, attempts)
    assert "far_functions.py" in row["traceback"]
    if what == "later":
        assert (rows[1]["due_at"] - row["end_time"]).total_seconds() == 60


async def test_a_value_that_is_not_json_becomes_a_note(far: Any) -> None:
    row = await far.run(far_functions.returns_a_set)

    assert (row["state"], row["result"]["type"]) == ("succeeded", "set")


async def test_large_parameters_go_there_and_large_results_come_back(far: Any) -> None:
    given = {"text": '"\\' * 240_000}

    row = await far.run(far_functions.checked, parameters=given)

    assert row["result"] == given


async def test_parameters_that_only_a_model_describes_are_checked_before_a_process_is_asked(far: Any) -> None:
    class Wanted(BaseModel):
        rows: int

    far.node.register("checked", far_functions.checked, parameters=Wanted)
    task_id = await far.node.add("checked", executor="process", delay=1, parameters={"rows": 1})
    await far.node.damage(task_id, parameters='{"rows": "many"}')

    await far.node.pass_time(1)

    row = await far.row(task_id)
    assert (row["state"], "rows" in row["error"]) == ("failed", True)
    assert far.executor("process")._workers == set()


async def test_a_secret_parameter_is_masked_in_what_comes_back(far: Any) -> None:
    far.node.register("secret", far_functions.secret, secret=["password"])
    task_id = await far.node.add("secret", executor="process", delay=1, parameters={"password": "hunter2"})

    await far.node.pass_time(1)

    row = await far.row(task_id)
    assert row["error"] == "ValueError: cannot log in with ***"
    assert "hunter2" not in row["traceback"]


@pytest.mark.parametrize(
    ("function", "how"),
    [
        (far_functions.crashes, "was killed by SIGSEGV (signal 11)"),
        (far_functions.kills_itself, "was killed by SIGKILL (signal 9)"),
        (far_functions.exits, "ended with exit code 3"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_a_process_that_dies_is_a_failed_attempt_and_the_node_lives_on(far: Any, function: Any, how: str) -> None:
    row = await far.run(function, max_retries=1)

    first, second = await far.node.history(row["task_id"])
    assert (first["state"], first["error"].startswith(f"the process {how}")) == ("failed", True)
    assert (second["state"], second["retries_used"], second["crashes"]) == ("pending", 1, 0)


async def test_what_a_run_used_is_told_and_not_what_the_one_before_used(far: Any) -> None:
    burnt = await far.outcome(far_functions.burns, {"seconds": 0.4})
    large = await far.outcome(far_functions.allocates, {"megabytes": 150})
    small = await far.outcome(far_functions.pid, {})

    assert burnt.cpu_seconds > 0.3
    assert burnt.cpu_seconds > large.cpu_seconds > small.cpu_seconds >= 0
    assert large.memory_bytes > small.memory_bytes + 100 * MEGABYTE
    assert large.memory_bytes > 150 * MEGABYTE
