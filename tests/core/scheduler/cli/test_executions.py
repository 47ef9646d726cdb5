"""Executions on the command line: the history, one of them, and what is asked of them."""

from __future__ import annotations

import json

from commands import Desk


def test_an_execution_is_shown_by_its_id_or_by_its_task(desk: Desk) -> None:
    desk.add("once", "--at", "now", "-p", "limit=1")
    desk.add("never")
    desk.call("tick")

    by_task = desk.call("executions", "show", "once")
    (listed,) = desk.json("tasks", "history", "once")["executions"]
    by_id = desk.json("executions", "show", listed["id"])
    none, unknown = desk.call("executions", "show", "never"), desk.call("executions", "show", "nobody")

    facts = dict(line.split(maxsplit=1) for line in by_task.out.splitlines())
    assert (facts["task"], facts["state"], facts["attempt"]) == ("once", "succeeded", "1, by its schedule")
    assert (by_id["id"], by_id["task_name"], by_id["success"]) == (listed["id"], "once", True)
    assert (none.status, none.err) == (1, "chamberlain: never has no execution yet\n")
    assert unknown.err.startswith(
        "chamberlain: there is no execution and no task 'nobody'; `chamberlain executions list`"
    )


def test_what_failed_is_shown_with_its_error_and_what_to_do(desk: Desk) -> None:
    desk.add("fails", "--at", "now", "-p", "cursor=nonsense")
    desk.call("tick")

    shown = desk.call("executions", "show", "fails").out
    listed = desk.call("tasks", "list").out.splitlines()
    history = desk.call("tasks", "history", "fails", "--failed", "--quiet").out

    assert "error      INVALID_CURSOR: the cursor is not one that a page gave out" in shown
    assert shown.endswith(f"next step  chamberlain executions retry {history}")
    assert " 1 needs attention: chamberlain executions list --task " in listed[-1]
    assert len(history.split()) == 1


def test_a_waiting_execution_is_cancelled_and_waiting_for_it_ends(desk: Desk) -> None:
    desk.add("once")
    started = desk.json("tasks", "run", "once")

    waited = desk.call("executions", "wait", "once", "--timeout", "0")
    cancelled = desk.call("executions", "cancel", "once")
    ended, again = desk.call("executions", "wait", "once", "--json"), desk.call("executions", "cancel", "once")

    assert waited.status == 1
    assert "is still pending after 0s; it goes on" in waited.err
    assert cancelled.out == f"execution {started['execution_id']} is cancelled\n"
    assert (ended.status, json.loads(ended.out)["state"]) == (1, "cancelled")
    assert (again.status, again.err.count("the execution has ended: it is cancelled")) == (1, 1)


def test_many_that_failed_are_retried_together(desk: Desk) -> None:
    for name in ("first", "second"):
        desk.add(name, "--at", "now", "-p", "cursor=nonsense")
    desk.add("well", "--at", "now", "-p", "limit=1")
    desk.call("tick")

    unsure = desk.call("executions", "retry", "first", "second")
    waiting = desk.call("executions", "retry", "first", "second", "--wait")
    retried = desk.call("executions", "retry", "first", "second", "well", "--yes")

    assert (unsure.status, waiting.status, retried.status) == (1, 2, 1)
    assert retried.out.count(" is retried as ") == 2
    assert "only an attempt that failed can be retried; this one is succeeded" in retried.err


def test_without_rules_the_list_of_alerts_says_that_nobody_is_told(desk: Desk) -> None:
    assert desk.call("alerts", "list").out == "nobody is told: the settings have no CORE_SCHEDULER_ALERTS\n"
    assert desk.json("alerts", "list") == {"alerts": []}
