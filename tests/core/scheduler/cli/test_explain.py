"""`tasks explain` and `executions explain` on the command line, where no application runs."""

from __future__ import annotations

import json
from pathlib import Path

from clerk import clerks_project

GATES = ["task", "paused", "schedule", "node", "queue", "function", "draining"]


def test_a_task_and_its_executions_are_explained(tmp_path: Path) -> None:
    project = clerks_project(tmp_path)
    assert project.call("tick").returncode == 0
    (row,) = project.json("executions", "list")["executions"]

    waiting, program, ran, past, wrong = project.calls(
        ["tasks", "explain", "greet"],
        ["tasks", "explain", "greet", "--json"],
        ["executions", "explain", row["id"]],
        ["tasks", "explain", "greet", "--at", "2020-01-01T06:00"],
        ["tasks", "explain", "greet", "--at", "some day"],
    )

    verdict, blank, *gates = waiting.out.splitlines()
    told = json.loads(program.out)
    assert verdict.startswith("greet: It waits: its next time is ")
    assert blank == ""
    assert [line.split()[1] for line in gates] == GATES == [gate["gate"] for gate in told["gates"]]
    assert [line[0] for line in gates] == [*"✓✓✗✗", *["\N{EN DASH}"] * 3]
    assert [line.endswith(" <- this decides") for line in gates] == [name == "schedule" for name in GATES]
    assert (told["answer"], told["blocked_by"]) == ("waits", "schedule")
    assert ran.out.startswith("greet at once: It ran at ")
    assert f"execution {row['id']} started at" in ran.out
    assert past.out.startswith("greet: It did not run at Wed 2020-01-01 06:00:00 UTC: the task was created only at")
    assert (wrong.status, wrong.out) == (1, "")
    assert "is no ISO 8601 time" in wrong.err
