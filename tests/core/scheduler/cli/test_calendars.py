"""`chamberlain calendars`, and calendars where no module starts."""

from __future__ import annotations

import json
from pathlib import Path

from command_line import Project

CLOSING = """
from framework import Module
from modules.core.scheduler import declare_calendar, declare_function, declare_task

async def greet():
    pass

class Closing(Module):
    id = "acme.closing"
    requires = ("core.scheduler",)

    def register(self, app_context):
        declare_calendar(app_context, "weekend", {"weekdays": "sat-sun"})
        declare_function(app_context, "greet", greet)
        named = {"name": "greet", "function_name": "greet", "cron": "0 9 * * *"}
        declare_task(app_context, {**named, "calendars": ["weekend", "night"]})
"""
SETTINGS = """
[framework]
modules = ["core.scheduler", "acme.closing"]

["core.scheduler"]
timezone = "Europe/Berlin"

["core.scheduler".calendars.night]
windows = ["22:00-06:00", { from = "12:00", to = "13:00", weekdays = "fri" }]
dates = [2026-12-25, "01-01"]
"""


def closing_project(folder: Path) -> Project:
    project = Project(folder)
    project.put_module("acme.closing", CLOSING)
    (folder / "settings").mkdir()
    (folder / "settings" / "default.toml").write_text(SETTINGS)
    return project


def test_calendars_are_listed_and_shown_after_a_start(tmp_path: Path) -> None:
    project = closing_project(tmp_path)

    _, plan, before, _, people, shown, data, unknown, wrong = project.calls(
        ["db", "upgrade"],
        ["plan", "--json"],
        ["calendars", "list"],
        ["tick"],
        ["calendars", "list"],
        ["calendars", "show", "night", "--from", "2026-12-25T12:00", "--days", "1"],
        ["calendars", "show", "weekend", "--from", "2026-01-02", "--days", "4", "--json"],
        ["calendars", "show", "nigt"],
        ["calendars", "show", "night", "--from", "tomorrow"],
    )

    assert [each["action"] for each in json.loads(plan.out)["differences"] if each["name"] == "greet"] == ["add"]
    assert before.out.splitlines()[-1] == "0 calendars"
    assert [line.split() for line in people.out.splitlines()] == [
        ["CALENDAR", "MODULE", "ZONE", "TASKS", "CLOSES"],
        ["night", "core.scheduler", "Europe/Berlin", "1", "2", "dates", "and", "2", "windows"],
        ["weekend", "acme.closing", "Europe/Berlin", "1", "sat,sun"],
        ["2", "calendars"],
    ]
    closed = [line for line in shown.out.splitlines() if "2026-12-26" in line]
    assert [line.split("  ")[-2] for line in closed] == ["Fri 2026-12-25 12:00 to Sat 2026-12-26 06:00"]
    assert json.loads(data.out)["closed"] == [{"from": "2026-01-02T23:00:00Z", "to": "2026-01-04T23:00:00Z"}]
    assert (unknown.status, "did you mean 'night'?" in unknown.err) == (1, True)
    assert (wrong.status, "is no ISO 8601 time" in wrong.err) == (1, True)
