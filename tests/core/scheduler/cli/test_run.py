"""`run` and `tick` in real processes: signals, restarts, and a process that is killed in the middle of its work."""

from __future__ import annotations

from pathlib import Path

import pytest
from clerk import clerks_project, let_go, outcomes, running
from command_line import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return clerks_project(tmp_path)


def schedule(project: Project) -> dict[str, tuple[str, str]]:
    tasks = project.json("tasks", "list")["tasks"]
    return {task["name"]: (task["id"], task["next_execution"]) for task in tasks if task["status"] == "pending"}


def test_run_executes_and_a_restart_has_the_same_schedule(project: Project) -> None:
    with running(project) as first:
        first.interrupt()
        assert first.status() == 0
    before = schedule(project)

    with project.start("run") as second:
        second.until("Ctrl-C")
        second.terminate()
        assert second.status() == 0

    assert schedule(project) == before
    assert {"greet", "hold"} <= before.keys()
    assert outcomes(project, "greet at once") == [(1, "succeeded", None)]


def test_ctrl_c_lets_what_runs_finish(project: Project) -> None:
    with running(project) as it:
        project.call("tasks", "run", "hold")
        it.until("holds")
        it.interrupt()
        it.until("stopping")
        let_go(project)
        it.until("✓ hold  succeeded in ")

        assert it.status() == 0
    assert outcomes(project, "hold") == [(1, "succeeded", None)]


def test_ctrl_c_cancels_what_does_not_finish_in_time_and_hands_it_on(project: Project) -> None:
    with running(project, CORE_SCHEDULER_SHUTDOWN_GRACE="0") as it:
        project.call("tasks", "run", "hold")
        it.until("holds")
        it.interrupt()

        assert it.status() == 0
    assert outcomes(project, "hold") == [(1, "cancelled", "SHUTDOWN"), (2, "pending", None)]


@pytest.mark.parametrize("task", ["hold", "block", "block_the_loop"])
def test_a_second_signal_stops_at_once_and_hands_on_what_runs(project: Project, task: str) -> None:
    with running(project) as it:
        project.call("tasks", "run", task)
        it.until("hold" if task == "hold" else "blocks")
        it.interrupt()
        it.terminate()

        assert it.status() == 130
    assert outcomes(project, task) == [(1, "cancelled", "SHUTDOWN"), (2, "pending", None)]


def test_a_run_that_died_with_its_process_is_repeated_and_both_rows_tell_why(project: Project) -> None:
    with running(project) as first:
        project.call("tasks", "run", "hold")
        first.until("holds")
        first.kill()
    let_go(project)

    with project.start("run") as second:
        second.until("✓ hold  succeeded in ")
        second.interrupt()
        assert second.status() == 0

    assert outcomes(project, "hold") == [(1, "lost", "NODE_LOST"), (2, "succeeded", None)]


def test_tick_does_what_is_due_and_exits(project: Project) -> None:
    first, second = project.call("tick"), project.json("tick")

    assert (first.returncode, first.stdout) == (0, "1 execution ran\n")
    assert second == {"executions": 0}


def test_tick_waits_for_what_it_runs_and_a_signal_ends_that(project: Project) -> None:
    project.call("tick")
    project.call("tasks", "run", "hold")

    with project.start("tick", CORE_SCHEDULER_SHUTDOWN_GRACE="0") as tick:
        tick.until("holds")
        tick.interrupt()

        assert tick.status() == 130
    assert outcomes(project, "hold") == [(1, "cancelled", "SHUTDOWN"), (2, "pending", None)]
