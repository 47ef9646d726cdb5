"""`chamberlain plan` and `apply`: before the first start, and with nobody there to be asked."""

from __future__ import annotations

import json
from pathlib import Path

from clerk import clerks_project


def test_a_plan_is_shown_and_applied_before_anything_has_started(tmp_path: Path) -> None:
    project = clerks_project(tmp_path)
    folder = project.folder / "settings"
    folder.mkdir(exist_ok=True)
    (folder / "local.toml").write_text('["core.scheduler".calendars.holidays]\nweekdays = "sat-sun"\n')

    _, checked, unasked, applied, again, data, calendars = project.calls(
        ["db", "upgrade"],
        ["plan", "--check"],
        ["apply"],
        ["apply", "--yes"],
        ["plan", "--check"],
        ["plan", "--json"],
        ["calendars", "list", "--json"],
    )

    assert checked.status == 1
    assert "+ task hold of acme.clerk\n    schedule: every day at 06:00 " in checked.out
    assert (unasked.status, unasked.err) == (
        1,
        "chamberlain: nobody is there to be asked; add --yes\n",
    )
    shown, done = applied.out.rstrip().rsplit("\n", 1)
    assert applied.status == 0
    assert "+ task hold of acme.clerk\n    schedule: every day at 06:00 " in shown
    assert done.split(",")[1:] == [" 0 changed", " 0 disabled", " 0 the same"]
    assert (again.status, again.out.split(",")[:3]) == (0, ["0 to add", " 0 to change", " 0 to disable"])
    assert {each["action"] for each in json.loads(data.out)["differences"]} == {"same"}
    assert [each["name"] for each in json.loads(calendars.out)["calendars"]] == ["holidays"]
    assert not (project.folder / "starts").exists()
