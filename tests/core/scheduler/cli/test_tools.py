"""The commands that look and ask, beside a running application and without one, in real processes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from clerk import CLERK, clerks_project, running
from command_line import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return clerks_project(tmp_path)


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project to look at, where nothing runs: its tasks are in the database, the first of them is done."""
    project = clerks_project(tmp_path_factory.mktemp("settled"))
    assert project.call("tick").returncode == 0
    return project


def test_a_task_is_run_and_waited_for_beside_the_running_application(project: Project) -> None:
    with running(project) as it:
        good, bad = project.call("tasks", "run", "greet", "--wait"), project.call("tasks", "run", "fail", "--wait")
        it.until("✗ fail  failed in ")

    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout.startswith("greet: succeeded in ")
    assert good.stdout.endswith('"hello you"\n')
    assert bad.returncode == 1
    assert bad.stderr == "chamberlain: fail failed: ValueError: no luck \\x1b[31mat all\n"


def test_waiting_ends_when_its_time_is_up(project: Project) -> None:
    with running(project):
        answer = project.call("tasks", "run", "hold", "--wait", "--timeout", "0.2s")

    assert answer.returncode == 1
    assert re.search(r"is still (pending|running) after 0\.2s; it goes on$", answer.stderr)


def test_running_a_task_says_when_no_node_is_alive(settled: Project) -> None:
    waiting, asking = settled.calls(["tasks", "run", "greet", "--wait"], ["tasks", "run", "block", "--json"])

    assert waiting.status == 1
    assert " is pending: no node is alive to run it" in waiting.err
    assert asking.status == 0
    assert json.loads(asking.out)["status"] == "running"
    assert asking.err.startswith("chamberlain: no node is alive to run it, so it waits; start `chamberlain run`")


def test_tools_start_no_module(settled: Project) -> None:
    settled.calls(["tasks", "list"], ["tasks", "show", "hold"], ["executions", "list"], ["db", "check"])

    assert (settled.folder / "starts").read_text() == "started\n"


def test_tasks_are_listed_as_a_table_with_those_that_need_attention(project: Project) -> None:
    with running(project):
        project.call("tasks", "run", "fail", "--wait")
        listed = project.call("tasks", "list").stdout.splitlines()

    assert listed[0].split() == ["NEXT", "LEFT", "LAST", "PASSED", "STATE", "RUNS", "TASK", "TRIGGER"]
    row = next(line for line in listed if " fail " in line)
    assert "!! " in row
    assert row.endswith("every day at 06:00 (UTC)")
    assert " 1 needs attention: chamberlain executions list --task " in listed[-1]
    assert "\x1b" not in "".join(listed)


def test_a_task_without_its_function_is_shown_as_blocked_and_the_banner_tells(project: Project) -> None:
    project.call("tick")
    assert project.call("tasks", "run", "hold").returncode == 0
    (project.folder / "modules" / "acme" / "clerk" / ".disabled").touch()

    with project.start("run") as it:
        tasks = it.until("tasks  ")
        told = it.until("BLOCKED")
        listed = project.call("tasks", "list").stdout.splitlines()
        shown = project.call("tasks", "show", "hold").stdout

    assert re.fullmatch(r"tasks +\d+ pending, 1 running", tasks)
    assert told.endswith("1 task waits for a function that is not registered here: chamberlain tasks list")
    (row,) = (line for line in listed if " hold " in line)
    assert re.search(r" !! +blocked ", row)
    assert " 1 needs attention: chamberlain tasks show " in listed[-1]
    assert "FUNCTION_NOT_REGISTERED" in shown


def test_policies_are_shown_in_words(settled: Project) -> None:
    shown = settled.call("tasks", "show", "fail").stdout.splitlines()

    facts = dict(line.split(maxsplit=1) for line in shown if line and line[0] != " ")
    assert facts["retries"] == "none"
    assert facts["overlap"] == "skip: while 1 of it is open, another is left out"
    assert facts["catch-up"] == "latest: one run for all that were missed"
    assert facts["delivery"] == "at least once: a run that was cut off is repeated"
    assert "{" not in "".join(shown)


def test_filters_choose_what_is_listed(settled: Project) -> None:
    filters = [["--tag", "polite"], ["--status", "completed"], ["--search", "ree"], ["--function", "hold"]]

    answers = settled.calls(*(["tasks", "list", "--json", *each] for each in filters))

    names = [[task["name"] for task in json.loads(answer.out)["tasks"]] for answer in answers]
    assert names == [["greet"], ["greet at once"], ["greet at once", "greet"], ["hold"]]


def test_a_page_tells_where_the_next_one_begins(settled: Project) -> None:
    first = settled.call("tasks", "list", "--limit", "1").stdout.splitlines()
    cursor = first[-1].removeprefix("there are more: add ").split()

    second = settled.call("tasks", "list", "--limit", "1", *cursor).stdout.splitlines()

    assert cursor[0] == "--cursor"
    assert second[1] != first[1]


def test_a_task_is_shown_by_name_or_id_without_its_secrets(settled: Project) -> None:
    task = settled.json("tasks", "show", "greet")

    shown = settled.call("tasks", "show", task["id"]).stdout

    assert "acme.clerk:greet" in shown
    assert "every day at 06:00 (UTC)" in shown
    assert "hunter2" not in json.dumps(task) + shown


def test_a_name_that_two_tasks_have_is_refused_with_their_ids(project: Project) -> None:
    project.put_module("acme.twin", CLERK.replace("acme.clerk", "acme.twin").replace("class Clerk", "class Twin"))
    project.call("tick")

    answer = project.call("tasks", "run", "greet")

    assert answer.returncode == 1
    assert answer.stderr.startswith("chamberlain: 2 tasks are called 'greet'; give an id: ")


def test_failed_executions_are_listed_apart(project: Project) -> None:
    project.call("tick")
    project.call("tasks", "run", "fail")
    project.call("tick")

    failed, succeeded = project.calls(
        ["executions", "list", "--failed", "--json"], ["executions", "list", "--state", "succeeded"]
    )

    rows = json.loads(failed.out)["executions"]
    assert [(row["task_name"], row["state"], row["success"]) for row in rows] == [("fail", "failed", False)]
    assert rows[0]["end_time"].endswith("Z")
    assert "greet at once" in succeeded.out
    assert " fail " not in succeeded.out


REFUSED = [
    ("tasks show nothing", 1, "there is no task 'nothing'; `chamberlain tasks list` shows them all"),
    ("executions list --task nothing", 1, "there is no task 'nothing'"),
    ("tasks list --cursor x", 1, "the cursor is not one that a page gave out"),
    ("tasks list --status busy", 2, "'busy' is not one of pending, running, paused"),
    ("executions list --state busy", 2, "'busy' is not one of pending, running, succeeded"),
    ("executions list --failed --state lost", 2, "--failed and --state are two ways to choose"),
    ("tasks run greet --timeout 5m", 2, "--timeout is how long to wait; add --wait"),
    ("tasks run greet --wait --timeout soon", 2, "'soon' is not a duration"),
]


def test_refusals_are_one_line_with_the_status_that_tells_their_kind(settled: Project) -> None:
    done = ["tasks", "run", "greet at once"]

    answers = settled.calls(done, *(command.split() for command, _, _ in REFUSED))

    expected = [(1, "the task is completed; it does not run any more"), *(case[1:] for case in REFUSED)]
    for answer, (status, complaint) in zip(answers, expected, strict=True):
        assert (answer.status, answer.out) == (status, "")
        assert re.fullmatch(f"chamberlain: .*{re.escape(complaint)}.*\n", answer.err)


def test_a_database_that_was_never_made_is_refused_kindly(project: Project) -> None:
    answer = project.call("tasks", "list")

    assert answer.returncode == 1
    assert answer.stderr.startswith("chamberlain: there is no database at data/chamberlain.db yet; ")


def test_metrics_of_what_is_stored_are_printed_where_nothing_runs(settled: Project) -> None:
    (printed,) = settled.calls(["metrics"])

    assert printed.status == 0
    assert 'scheduler_tasks{state="completed"} 1.0' in printed.out
    assert "scheduler_store_up 1.0" in printed.out
