"""`nodes` and `queues` on the command line: beside a running application, and where none runs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from clerk import clerks_project, let_go, outcomes, running
from command_line import Project

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # on PostgreSQL: test_operating.py


@pytest.fixture
def project(tmp_path: Path, database_url: str) -> Iterator[Project]:
    """A project on SQLite and on PostgreSQL; what holds in it is let go in the end."""
    project = clerks_project(tmp_path)
    project.environment["FRAMEWORK_DATABASE_URL"] = database_url
    yield project
    let_go(project)


@pytest.fixture
def settled(project: Project) -> Project:
    """A project in which nothing runs any more."""
    assert project.call("tick").returncode == 0
    return project


@ON_SQLITE
def test_where_nothing_runs_the_list_says_how_to_start_a_node(settled: Project) -> None:
    people, programs = settled.calls(["nodes", "list"], ["nodes", "list", "--json"])

    assert (people.status, people.out) == (0, "no nodes: start `chamberlain run`\n")
    assert json.loads(programs.out) == {"nodes": []}


def test_a_running_node_is_listed_with_what_it_is_and_does(project: Project) -> None:
    with running(project):
        people, programs = project.calls(["nodes", "list"], ["nodes", "list", "--json"])

    heads, row, verdict = people.out.splitlines()
    (node,) = json.loads(programs.out)["nodes"]
    columns = ["ID", "HOST", "PID", "VERSION", "ALIVE", "DRAINING", "RUNNING", "SLOTS", "QUEUES", "FUNCTIONS", "LEASE"]
    assert heads.split() == columns
    told = dict(zip(columns, row.split(), strict=False))
    assert (told["ID"], told["PID"], told["VERSION"]) == (node["id"], str(node["pid"]), node["version"])
    assert (told["ALIVE"], told["DRAINING"], told["RUNNING"], told["QUEUES"]) == ("yes", "-", "0", "all")
    assert (told["SLOTS"], told["FUNCTIONS"]) == ("10", str(len(node["functions"])))
    assert "acme.clerk:greet" in node["functions"]
    assert verdict == "1 node, 1 alive"


@ON_SQLITE
def test_a_drained_node_lets_its_work_end_and_the_wait_ends_with_it(project: Project) -> None:
    with running(project) as it:
        project.call("tasks", "run", "hold")
        it.until("holds")
        (node,) = project.json("nodes", "list")["nodes"]
        with project.start("nodes", "drain", node["id"], "--wait") as drain:
            drain.until(f"waiting until node {node['id']} runs nothing: 1 to go")
            shown = project.call("nodes", "list").stdout
            assert project.call("tasks", "run", "greet").returncode == 0
            let_go(project)
            drain.until(f"node {node['id']} is drained: it runs nothing and begins nothing")
            assert drain.status() == 0
        held, left = outcomes(project, "hold"), outcomes(project, "greet")
        undone = project.call("nodes", "drain", node["id"], "--undo")
        it.until("✓ greet  succeeded in ")

    assert re.search(r" yes +for \d+s +1 ", shown)
    assert shown.endswith("1 node, 1 alive, 1 draining\n")
    assert held == [(1, "succeeded", None)]
    assert left == [(1, "pending", None)]
    assert undone.stdout == f"node {node['id']} claims again\n"


@ON_SQLITE
def test_a_paused_queue_is_listed_and_starts_nothing_until_it_is_resumed(project: Project) -> None:
    with running(project) as it:
        paused = project.call("queues", "pause", "default", "--reason", "the disk is full")
        project.call("tasks", "run", "greet")
        listed = project.call("queues", "list").stdout.splitlines()
        before = outcomes(project, "greet")
        resumed = project.call("queues", "resume", "default")
        it.until("✓ greet  succeeded in ")

    assert (paused.returncode, paused.stdout) == (0, "queue default is paused: 0 waiting, 0 running\n")
    assert listed[0].split() == ["QUEUE", "READY", "LATER", "HELD", "RUNNING", "NODES", "PAUSED", "REASON"]
    assert re.fullmatch(r"default +1 +0 +0 +0 +1 +for \d+s !! +the disk is full", listed[1])
    assert listed[2] == "1 queue, 1 paused: chamberlain queues resume default"
    assert before == [(1, "pending", None)]
    assert resumed.stdout == "queue default goes on: 1 waiting, 0 running\n"


@ON_SQLITE
def test_a_queue_is_paused_where_nothing_runs_and_stays_so_for_who_comes(settled: Project) -> None:
    paused, asked = settled.calls(["queues", "pause", "default", "--json"], ["tasks", "run", "greet"])
    ticked = settled.json("tick")
    (queue,) = settled.json("queues", "list")["queues"]
    settled.calls(["queues", "resume", "default"])

    assert (paused.status, asked.status, ticked) == (0, 0, {"executions": 0})
    assert (queue["name"], queue["ready"], queue["nodes"]) == ("default", 1, 0)
    assert queue["paused_since"] == json.loads(paused.out)["paused_since"]
    assert settled.json("tick") == {"executions": 1}


REFUSED = [
    ("nodes drain nobody", 1, "there is no node 'nobody'; `chamberlain nodes list` shows them all"),
    ("nodes drain nobody --undo --wait", 2, "--wait is for a node that drains; leave it out with --undo"),
    ("queues pause no/queue", 1, "no queue is called 'no/queue': letters, digits, "),
    ("queues limit default 0", 1, "limit: 0 is no number from 1 to 100,000; "),
    ("queues limit default all", 2, "'all' is neither a number nor `none`"),
    ("queues resume no/queue", 1, "no queue is called 'no/queue': letters, digits, "),
]


def test_refusals_are_one_line_with_the_status_that_tells_their_kind(settled: Project) -> None:
    answers = settled.calls(*(command.split() for command, _, _ in REFUSED))

    for answer, (_, status, complaint) in zip(answers, REFUSED, strict=True):
        assert (answer.status, answer.out) == (status, "")
        assert re.fullmatch(f"chamberlain: .*{re.escape(complaint)}.*\n", answer.err)
