"""How nodes and queues read on a terminal."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from framework.testing import START
from modules.core.scheduler.showing.nodes import NODE_COLUMNS, QUEUE_COLUMNS, node_rows, nodes_verdict, queue_rows


def node(**changes: Any) -> dict[str, Any]:
    plain = {"id": "n1", "host": "box/boot/pid:[1]", "pid": 7, "version": "1.0", "version_differs": False}
    plain |= {"alive": True, "draining_since": None, "running": 2, "slots": 10, "queues": {}, "functions": ["a:b"]}
    return {**plain, "lease_until": START + timedelta(seconds=45), **changes}


def as_told(**changes: Any) -> dict[str, str]:
    return dict(zip(NODE_COLUMNS, node_rows([node(**changes)], START)[0], strict=True))


def test_a_node_is_told_in_one_row() -> None:
    assert list(as_told().values()) == ["n1", "box", "7", "1.0", "yes", "-", "2", "10", "all", "1", "45s"]


def test_what_is_odd_about_a_node_is_marked() -> None:
    told = as_told(version_differs=True, alive=False, draining_since=START - timedelta(minutes=3), queues={"mail": 2})

    assert (told["VERSION"], told["ALIVE"], told["DRAINING"], told["QUEUES"]) == ("1.0 !!", "no !!", "for 3m", "mail 2")


def test_a_node_that_has_not_told_anything_yet_is_shown_all_the_same() -> None:
    told = as_told(version=None, slots=None, functions=[], lease_until=None)

    assert (told["VERSION"], told["SLOTS"], told["FUNCTIONS"], told["LEASE"]) == ("-", "-", "0", "-")


def test_the_verdict_counts_the_living_and_says_that_versions_differ() -> None:
    odd = [node(version_differs=True), node(alive=False), node(draining_since=START)]

    assert nodes_verdict(odd) == "3 nodes, 2 alive, their versions differ, 1 draining"


def test_a_queue_that_nobody_serves_is_marked() -> None:
    counts = {"ready": 4, "later": 3, "held": 2, "running": 1, "limit": None, "nodes": 0, "is_cut": False}

    (row,) = queue_rows([{"name": "mail", **counts, "paused_since": None, "reason": None}], START)

    told = ["mail", "4", "3", "2", "1", "0 !!", "-", "-"]
    assert dict(zip(QUEUE_COLUMNS, row, strict=True)) == dict(zip(QUEUE_COLUMNS, told, strict=True))
