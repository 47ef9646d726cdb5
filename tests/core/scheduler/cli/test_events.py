"""`events` on the command line: beside no running application, on its database."""

from __future__ import annotations

import json
import re

import pytest
from command_line import Project

WAITER = """
from framework import Module
from modules.core.scheduler import declare_function, declare_task


async def ship(parameters):
    return "shipped"


class Waiter(Module):
    id = "acme.waiter"
    requires = ("core.scheduler",)

    def register(self, app_context):
        declare_function(app_context, "ship", ship)
        paid = {"type": "event", "event": "order.paid", "where": {"country": "NL"}}
        declare_task(app_context, {"name": "ship", "function_name": "ship", "trigger": paid})
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose task waits for an event."""
    project = Project(tmp_path_factory.mktemp("waiting"))
    project.put_module("acme.waiter", WAITER)
    assert project.call("tick").returncode == 0
    return project


def test_an_event_sets_off_what_waits_for_it_and_the_next_run_does_it(project: Project) -> None:
    emit = ["events", "emit", "order.paid", "--payload", '{"country": "NL"}']
    told, counted, nobody = project.calls(emit, [*emit, "--json"], ["events", "emit", "order.paid"])

    assert (told.status, told.out) == (0, "1 task set off\n")
    assert json.loads(counted.out) == {"event": "order.paid", "tasks": 0}  # it has not run yet
    assert (nobody.status, nobody.out) == (0, "nothing was set off\n")
    (skipped, pending) = project.json("executions", "list", "--task", "ship")["executions"]
    assert {skipped["reason"], pending["reason"]} == {"OVERLAP", None}
    assert project.json("tick") == {"executions": 1}


REFUSED = [
    (["events", "emit", "x", "--payload", "{"], 2, "this is not JSON"),
    (["events", "emit", "x", "--payload", "[1]"], 2, "a payload is a JSON object"),
    (["events", "emit", "task.failed"], 1, "names that begin with 'task.'"),
]


def test_refusals_are_one_line_with_the_status_that_tells_their_kind(project: Project) -> None:
    answers = project.calls(*(command for command, _, _ in REFUSED))

    for answer, (_, status, complaint) in zip(answers, REFUSED, strict=True):
        assert (answer.status, answer.out) == (status, "")
        assert re.search(re.escape(complaint), answer.err)
