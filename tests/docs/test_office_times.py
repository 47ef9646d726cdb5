"""The office of the how-to is built as it is written: its tasks are told so, and its commands do what they say."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from command_line import Project
from documents import blocks

PAGE = "docs/how-to/office-times.md"
SCHEDULES = {
    "Nightly report": "every day at 03:00 (Europe/Berlin), except on holidays",
    "Look for orders": "every 10 minutes from 09:00 to 17:30 on Monday to Friday (Europe/Berlin)",
    "Close the books": "every month on the last working day at 18:00 (Europe/Berlin)",
    "Send the report": "after task 'report' has succeeded",
    "Index what was saved": "10s after the last time that 'saved' is emitted, at the latest 2m after the first",
    "Weekly digest": "every Monday at 07:00 (Europe/Berlin), moved behind holidays",
}


def test_the_office_runs_as_its_page_says(tmp_path: Path) -> None:
    project, typed = Project(tmp_path), []
    for block in blocks(PAGE):
        if block.file is not None:
            path = tmp_path / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)
        elif block.language == "sh":
            typed += [shlex.split(line)[1:] for line in block.text.splitlines()]

    middle = len(typed) // 2
    answers = [*project.calls(*typed[:middle], ["tick"]), *project.calls(*typed[middle:])]
    listed, calendar = project.calls(["tasks", "list", "--json"], ["calendars", "show", "holidays"])

    assert [(each.status, each.err) for each in (*answers, calendar) if each.status] == []
    told = {task["name"]: task["schedule"] for task in json.loads(listed.out)["tasks"]}
    assert {name: told.get(name) for name in SCHEDULES} == SCHEDULES
