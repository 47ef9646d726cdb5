"""Tasks are added, changed, paused, resumed and cancelled on the command line, with no server running."""

from __future__ import annotations

import json

import pytest
from commands import LISTS, Desk


def test_a_task_is_added_shown_changed_and_listed(desk: Desk) -> None:
    order = ["--cron", "0 2 * * *", "--timezone", "Europe/Berlin", "-p", "limit=5", "-p", "search=x", "--tag", "night"]
    added = desk.call("tasks", "add", "nightly", "--function", LISTS, *order, "--set", "max_retries=3")
    edited = desk.call("tasks", "edit", "nightly", "--every", "2 months", "-p", "limit=7", "--name", "monthly")
    (task,) = desk.json("tasks", "list", "--tag", "night")["tasks"]

    assert added.out.startswith("nightly: scheduled, next ")
    assert added.out.endswith(f"; its id is {task['id']}\n")
    assert edited.out.startswith("monthly: changed, every 2 months ")
    assert (task["name"], task["interval_type"], task["interval_value"]) == ("monthly", "months", 2)
    assert (task["parameters"], task["policies"]["max_retries"]) == ({"limit": 7, "search": "x"}, 3)


def test_a_task_is_paused_and_resumed_by_name_and_cancelled_for_good(desk: Desk) -> None:
    task_id = desk.add("nightly")

    paused, resumed = (
        desk.call("tasks", "pause", "nightly", "--reason", "the moon"),
        desk.call("tasks", "resume", task_id),
    )
    unasked, cancelled = desk.call("tasks", "cancel", "nightly"), desk.call("tasks", "cancel", "nightly", "--yes")
    again = desk.call("tasks", "pause", "nightly", "--json")

    assert (paused.out, resumed.out) == ("nightly: paused\n", "nightly: resumed\n")
    assert (unasked.status, unasked.err) == (1, "chamberlain: nobody is there to be asked; add --yes\n")
    assert (cancelled.status, cancelled.out) == (0, "nightly: cancelled\n")
    assert again.status == 1
    assert json.loads(again.out)["refused"][0]["code"] == "INVALID_STATE"
    assert again.err == "chamberlain: nightly: the task is cancelled; only a pending one can be paused\n"


def test_many_tasks_are_changed_at_once_after_asking(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = {desk.add("one", "--tag", "night"), desk.add("two", "--tag", "night")}
    desk.add("three")

    unasked = desk.call("tasks", "pause", "--tag", "night")
    done = desk.call("tasks", "pause", "--tag", "night", "--yes", "--quiet")
    again = desk.call("tasks", "pause", "--tag", "night", "--module", "core.scheduler", "--yes")
    paused = desk.json("tasks", "list", "--status", "paused")["tasks"]

    assert (unasked.status, unasked.out) == (1, "")
    assert set(done.out.split()) == ids == {task["id"] for task in paused}
    assert again.out == "no tasks of core.scheduler with the tag night paused\n"


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        (
            "tasks pause",
            "say which tasks: by TASK, or all of a --tag or a --module; see chamberlain tasks pause --help",
        ),
        ("tasks pause x --tag y", "say which tasks: by TASK, or all of a --tag or a --module; see"),
        ("tasks add x --function nothing", "'nothing' is not MODULE:FUNCTION, such as acme.reports:nightly; see"),
        (f"tasks add x --function {LISTS} --in 5m --cron *", "--in and --cron are ways to say when; take one; see"),
        (f"tasks add x --function {LISTS} --every soon", "'soon' is not a duration"),
        (f"tasks add x --function {LISTS} -p limit", "'limit' is not NAME=VALUE; see"),
        ("tasks edit x", "say what is to change, such as --cron or --param; see"),
    ],
)
def test_wrong_usage_is_said_in_one_line(desk: Desk, command: str, complaint: str) -> None:
    answer = desk.call(*command.split())

    assert (answer.status, answer.out) == (2, "")
    assert answer.err.startswith(f"chamberlain: {complaint}")
    assert answer.err.count("\n") == 1


def test_what_cannot_be_scheduled_is_refused_with_the_cure(desk: Desk) -> None:
    answer = desk.call("tasks", "add", "x", "--function", "core.scheduler:scheduler.lst_tasks", "--at", "now")

    assert answer.status == 1
    assert "did you mean 'core.scheduler:scheduler.list_tasks'?" in answer.err


def test_everything_is_held_back_and_let_go_again_and_the_status_tells(desk: Desk) -> None:
    desk.add("nightly")

    unasked = desk.call("pause")
    held = desk.call("pause", "--reason", "the move", "--yes")
    status = desk.call("status").out.splitlines()
    let_go, after = desk.call("resume"), desk.call("status").out.splitlines()

    assert unasked.status == 1
    assert held.out == "all tasks are held back, 0 still running\n"
    assert status[:2] == ["Nothing runs: no node is alive.", "nodes      none: start `chamberlain run`"]
    assert status[3].startswith("held back  all tasks, since ")
    assert status[3].endswith(": the move")
    assert status[-1] == "next       nothing: chamberlain tasks list"
    assert let_go.out == "tasks go on\n"
    assert after[-1].startswith("next      nightly, once at ")


def test_a_cleanup_is_changed_and_removed_after_asking(desk: Desk) -> None:
    assert desk.call("tick").status == 0

    changed = desk.json("cleanups", "update", "history", "--set", "cron=0 4 * * *")
    nothing, unasked = desk.call("cleanups", "update", "history"), desk.call("cleanups", "remove", "history")
    removed, left = desk.call("cleanups", "remove", "history", "--yes"), desk.json("cleanups", "list")
    unknown = desk.call("cleanups", "confirm", "no-plan")

    assert changed["config"]["cron"] == "0 4 * * *"
    assert (nothing.status, unasked.status, unknown.status) == (2, 1, 1)
    assert (removed.out, left) == ("core.scheduler/history is removed\n", {"cleanups": []})


def test_functions_are_listed_with_what_they_take(desk: Desk) -> None:
    names = desk.call("functions", "list", "--module", "core.scheduler", "--quiet").out.split()
    shown = desk.call("functions", "show", "scheduler.cancel_task").out
    unknown = desk.call("functions", "show", "core.scheduler:nothing")

    assert LISTS in names
    assert "parameter  task_id, string, must be given\n" in shown
    assert "           cancel_running, boolean, by default false\n" in shown
    assert shown.endswith("tasks add NAME --function core.scheduler:scheduler.cancel_task --at now -p task_id=…\n")
    assert (
        unknown.err
        == "chamberlain: no function 'core.scheduler:nothing' is known; `chamberlain functions list` shows them all\n"
    )
