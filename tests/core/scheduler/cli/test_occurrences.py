"""`tasks skip | shift | until | backfill` in real processes, on a database where nothing runs."""

from __future__ import annotations

import json

import pytest
from clerk import clerks_project
from command_line import Project

LONG_AGO = ["--from", "2026-01-01", "--to", "2026-01-03T12:00"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Its tasks run every day at six."""
    project = clerks_project(tmp_path_factory.mktemp("occurrences"))
    assert project.call("tick").returncode == 0
    return project


def test_the_next_one_is_skipped_and_the_times_after_it_are_shown(project: Project) -> None:
    shown, skipped, again, never = project.calls(
        ["tasks", "show", "hold", "--json"],
        ["tasks", "skip", "hold", "--reason", "holiday", "--json"],
        ["tasks", "skip", "hold"],
        ["tasks", "skip", "hold", "--at", "2020-01-01"],
    )

    told = json.loads(skipped.out)
    assert told["scheduled_for"] == json.loads(shown.out)["next_execution"]
    assert told["next_execution"] == told["upcoming"][0] > told["scheduled_for"]
    assert again.out.startswith("hold: the run of ")
    assert " is skipped; next: " in again.out
    assert (never.status, never.out) == (1, "")
    assert never.err.startswith("chamberlain: the task has no occurrence at Wed 2020-01-01 00:00:00 UTC")


def test_the_next_one_is_moved_and_moved_again_by_its_nominal_time(project: Project) -> None:
    (first,) = project.calls(["tasks", "shift", "block", "--to", "2100-01-01T10:00", "--json"])
    moment = json.loads(first.out)["scheduled_for"]

    again, wrong = project.calls(
        ["tasks", "shift", "block", "--to", "2100-01-01T11:00", "--at", moment],
        ["tasks", "shift", "block"],
    )

    assert json.loads(first.out)["due_at"] == "2100-01-01T10:00:00Z"
    assert " starts at Fri 2100-01-01 " in again.out
    assert wrong.status == 2


def test_a_task_is_given_an_end_and_relieved_of_it(project: Project) -> None:
    ended, never, once = project.calls(
        ["tasks", "until", "fail", "2020-01-01"],
        ["tasks", "until", "fail", "never"],
        ["tasks", "until", "greet at once", "2020-01-01"],
    )

    assert ended.out.endswith("; nothing more is to come\n")
    assert never.out.startswith("fail: its end is taken away; next: ")
    assert (once.status, once.err.count("the task runs once")) == (1, 1)


def test_a_backfill_asks_before_it_places_anything(project: Project) -> None:
    order = ["tasks", "backfill", "block_the_loop", *LONG_AGO]
    asked = project.call_anew(*order, answering="n\n")

    unasked, dry, placed, again = project.calls(
        [*order, "--json"], [*order, "--dry-run"], [*order, "--yes", "--json"], [*order, "--yes"]
    )

    assert asked.returncode == 1
    assert asked.stdout.startswith("block_the_loop: 3 occurrences would run, Thu 2026-01-01 ")
    assert unasked.status == 2
    assert "3 occurrences would run" in dry.out
    assert (json.loads(placed.out)["placed"], json.loads(placed.out)["dry_run"]) == (3, False)
    assert "no node is alive to run it" in placed.err
    assert again.out == "block_the_loop: nothing to run; 3 ran, run or wait already\n"
