"""`chamberlain status` and `chamberlain failures`: what is wrong, first of all."""

from __future__ import annotations

from commands import Desk


def test_a_failure_is_told_until_somebody_knows_of_it(desk: Desk) -> None:
    desk.add("once", "--at", "now", "-p", "cursor=nonsense")
    assert desk.call("tick").status == 0

    told = desk.call("status").out.splitlines()
    (failure,) = desk.json("failures", "list")["failures"]
    desk.call("failures", "ignore", failure["id"])
    known = desk.json("failures", "list", "--all")["failures"]

    assert told[:2] == [
        "Nothing runs: no node is alive.",
        "  once failed in the last 24 hours; look at what they say, and try them again",
    ]
    assert (failure["task_name"], failure["count"], failure["ignored"]) == ("once", 1, False)
    assert desk.json("failures", "list")["failures"] == []
    assert [each["ignored"] for each in known] == [True]
