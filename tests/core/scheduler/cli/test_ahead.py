"""`cron`, `tasks next`, `forecast` and `lint` on the command line, in real processes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from clerk import clerks_project
from command_line import Project


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project where nothing runs: five tasks at six in the morning are in the database."""
    project = clerks_project(tmp_path_factory.mktemp("settled"))
    project.environment["CORE_SCHEDULER_TIMEZONE"] = "UTC"
    assert project.call("tick").returncode == 0
    return project


def test_an_expression_is_explained_without_a_database(tmp_path: Path) -> None:
    people, programs = Project(tmp_path).calls(
        ["cron", "explain", "30 2 * * *", "--timezone", "Europe/Berlin"],
        ["cron", "explain", "30 2 * * *", "--timezone", "Europe/Berlin", "-n", "366", "--json"],
    )

    told = json.loads(programs.out)
    assert (people.status, people.err) == (0, "")
    assert ["hour", "2", "2"] in [line.split() for line in people.out.splitlines()]
    assert "FIXED_TIME_IN_GAP  02:30 does not exist on " in people.out
    assert told["fields"]["minute"] == {"text": "30", "values": [30]}
    assert [finding["code"] for finding in told["findings"]] == ["FIXED_TIME_IN_GAP"]
    assert {note["code"] for each in told["next"] for note in each["notes"]} == {"DST_GAP_SHIFTED", "DST_FOLD"}
    assert list(tmp_path.iterdir()) == []


def test_the_next_times_of_an_expression_may_be_those_after_a_moment_of_its_zone(tmp_path: Path) -> None:
    asked = ["cron", "next", "30 2 * * *", "--timezone", "Europe/Berlin", "-n", "1", "--json", "--after"]
    told, wrong = Project(tmp_path).calls([*asked, "2030-07-01T02:30"], [*asked, "soon"])

    assert json.loads(told.out)["next"][0]["local"] == "2030-07-02T02:30:00+02:00"
    assert wrong.status == 1
    assert "after 'soon' is no ISO 8601 time" in wrong.err


def test_the_next_times_of_an_expression_are_as_many_as_asked_for(tmp_path: Path) -> None:
    people, programs, wrong = Project(tmp_path).calls(
        ["cron", "next", "0 0 1 1 *", "--timezone", "UTC", "-n", "2"],
        ["cron", "next", "H H * * *", "--task", "acme.reports/nightly", "--json"],
        ["cron", "next", "H H * * *"],
    )

    assert [line.split()[2] for line in people.out.splitlines()[1:]] == ["00:00:00", "00:00:00"]
    assert len({each["local"][11:] for each in json.loads(programs.out)["next"]}) == 1
    assert (wrong.status, wrong.out) == (1, "")
    assert "has an H" in wrong.err


def test_expressions_are_checked_with_a_line_for_each_refusal(tmp_path: Path) -> None:
    (tmp_path / "crons").write_text("# of the night\n0 3 * * *\n\n0 0 30 2 *\n  H 4 * * *\n")

    good, bad, programs = Project(tmp_path).calls(
        ["cron", "check", "0 3 * * *", "@daily"],
        ["cron", "check", "70 * * * *", "crons"],
        ["cron", "check", "crons", "--json"],
    )

    assert (good.status, good.out, good.err) == (0, "2 checked, 0 refused\n", "")
    assert (bad.status, bad.out) == (1, "4 checked, 2 refused\n")
    first, second = bad.err.splitlines()
    assert first.startswith("chamberlain: the minute field of cron '70 * * * *' does not allow '70'")
    assert second == "chamberlain: crons:4: cron '0 0 30 2 *' names a day that no year has"
    assert [each["where"] for each in json.loads(programs.out)["refused"]] == ["crons:4"]


def test_a_stored_task_shows_its_next_times(settled: Project) -> None:
    people, programs, done = settled.calls(
        ["tasks", "next", "hold", "-n", "3"], ["tasks", "next", "hold", "--json"], ["tasks", "next", "greet at once"]
    )

    assert [line.split()[2:4] for line in people.out.splitlines()[2:]] == 3 * [["06:00:00", "UTC"]]
    assert len(json.loads(programs.out)["times"]) == 5
    assert done.out.splitlines()[-1] == "the task is completed: it does not run again"


def test_a_forecast_shows_the_load_and_what_piles_up(settled: Project) -> None:
    settled.environment["CORE_SCHEDULER_MAX_CONCURRENT_TASKS"] = "2"

    people, programs = settled.calls(["forecast"], ["forecast", "--json"])

    told = json.loads(programs.out)
    assert (told["total"], told["slots"], len(told["load"])) == (6, 2, 24)
    assert [(each["count"], each["waited"]) for each in told["pile_ups"]] == [(5, 3)]
    assert "██░░░" in people.out
    assert "on 2 slots (a node of these settings, for none lives)" in people.out
    assert "3 have to wait" in people.out
    assert "`H` for the minute in their crons: now 3 wait, up to 20s; then " in people.out


def test_a_forecast_supposes_changes_of_tasks_by_their_names(settled: Project) -> None:
    supposed = ["--what-if", '{"task": "hold", "remove": true}']

    people, programs, no_task, no_json = settled.calls(
        ["forecast", *supposed],
        ["forecast", *supposed, "--json"],
        ["forecast", "--what-if", '{"task": "nothing", "remove": true}'],
        ["forecast", "--what-if", "hold"],
    )

    figures = json.loads(programs.out)["what_if"]
    assert (figures["before"]["total"], figures["after"]["total"]) == (6, 5)
    assert "after what is supposed: 5 occurrences, at most " in people.out
    assert (no_task.status, no_json.status) == (1, 2)
    assert "there is no task 'nothing'" in no_task.err


def test_lint_ends_with_one_where_something_will_not_work(settled: Project) -> None:
    settled.environment["CORE_SCHEDULER_MAX_CONCURRENT_TASKS"] = "10"

    fine, paused, bad, programs, resumed = settled.calls(
        ["lint"], ["queues", "pause", "default"], ["lint"], ["lint", "--json"], ["queues", "resume", "default"]
    )

    assert (fine.status, fine.out) == (0, "6 pending tasks looked at: nothing found\n")
    assert (paused.status, resumed.status) == (0, 0)
    assert (bad.status, programs.status) == (1, 1)
    assert bad.out.splitlines()[-1] == "6 pending tasks looked at: 1 error"
    assert [each["code"] for each in json.loads(programs.out)["findings"]] == ["QUEUE_NOT_SERVED"]
