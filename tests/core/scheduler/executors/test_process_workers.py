"""The process executor: processes are kept for the next run, and replaced when they are not fit for it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import far_functions
import pytest
from far import Far, gone


async def test_a_process_that_is_kept_takes_the_next_run(far: Any) -> None:
    first = await far.outcome(far_functions.pid, {})
    second = await far.outcome(far_functions.pid, {})

    assert first.result_json == second.result_json


async def test_with_none_kept_every_run_has_a_fresh_process(start_node: Any, tmp_path: Any) -> None:
    far = Far(await start_node(processes_kept=0), tmp_path)

    first = await far.outcome(far_functions.pid, {})
    second = await far.outcome(far_functions.pid, {})

    assert first.result_json != second.result_json
    await gone(int(first.result_json), int(second.result_json))


async def test_a_process_in_which_a_thread_was_left_behind_is_not_used_again(far: Any) -> None:
    first = await far.outcome(far_functions.leaves_a_thread, {})
    second = await far.outcome(far_functions.pid, {})

    assert first.result_json != second.result_json
    await gone(int(first.result_json))


async def test_a_kept_process_that_died_meanwhile_costs_nobody_an_attempt(far: Any) -> None:
    first = await far.outcome(far_functions.pid, {})
    os.kill(int(first.result_json), signal.SIGKILL)

    second = await far.outcome(far_functions.pid, {})

    assert second.state == "succeeded"
    assert first.result_json != second.result_json


async def test_no_more_processes_are_kept_than_the_setting_says(start_node: Any, tmp_path: Any) -> None:
    far = Far(await start_node(processes_kept=1), tmp_path)
    executor = far.executor("process")

    await asyncio.gather(*(far.outcome(far_functions.pid, {}) for _ in range(3)))

    assert (len(executor._workers), len(executor._idle)) == (1, 1)


async def test_a_python_that_cannot_be_started_is_a_failed_attempt(far: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")

    row = await far.run(far_functions.pid)

    assert row["state"] == "failed"
    assert row["error"].startswith("no process could be started: ")


async def test_a_module_that_a_fresh_process_cannot_import_is_a_failed_attempt(
    far: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(far_functions.__file__).parent
    monkeypatch.setattr("sys.path", [entry for entry in sys.path if Path(entry) != folder])

    row = await far.run(far_functions.pid)

    assert (row["state"], row["error"]) == ("failed", "ModuleNotFoundError: No module named 'far_functions'")


async def test_more_memory_than_the_limit_is_an_error_of_the_function(start_node: Any, tmp_path: Any) -> None:
    far = Far(await start_node(process_memory_limit=400), tmp_path)

    much = await far.outcome(far_functions.allocates, {"megabytes": 500})
    little = await far.outcome(far_functions.allocates, {"megabytes": 10})

    assert (much.state, much.error) == ("failed", "MemoryError")
    assert little.state == "succeeded"
