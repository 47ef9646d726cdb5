"""`chamberlain tasks export` and `tasks import …`, in a project where nothing runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from clerk import clerks_project
from command_line import Project

STORE = Path(__file__).parent.parent / "transfer" / "apscheduler" / "jobs.db"
CRONTAB = """# the clerk's own
MAILTO=clerk
CRON_TZ=Europe/Berlin
30 2 * * 1-5 /usr/bin/fail --now
@reboot /usr/bin/fail
*/5 * * * * /usr/bin/greet
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = clerks_project(tmp_path_factory.mktemp("transfer"))
    (project.folder / "crontab.txt").write_text(CRONTAB)
    assert [each.status for each in project.calls(["db", "upgrade"], ["apply", "--yes"])] == [0, 0]
    return project


def test_what_is_exported_to_a_file_is_imported_from_it(project: Project) -> None:
    exported, listed, imported, dry = project.calls(
        ["tasks", "export", "tasks.toml", "--module", "acme.clerk"],
        ["tasks", "export", "--owner", "code"],
        ["tasks", "import", "tasks.toml"],
        ["tasks", "import", "tasks.toml", "--dry-run", "--json"],
    )

    assert (exported.status, exported.out) == (0, "6 tasks and 0 cleanups written to tasks.toml\n")
    assert len(json.loads(listed.out)["tasks"]) == 6
    assert "hunter2" not in (project.folder / "tasks.toml").read_text() + listed.out
    assert (project.folder / "tasks.toml").stat().st_mode & 0o777 == 0o600
    assert imported.status == dry.status == 1
    assert "parameters.token: it was masked when it was exported; write the value in" in imported.err
    assert imported.err.endswith("chamberlain: nothing was imported\n")


def test_a_crontab_is_told_line_by_line_and_taken_where_it_can_be(project: Project) -> None:
    maps = ["--map", "/usr/bin/fail --now=acme.clerk:fail"]

    dry, refused, taken, again = project.calls(
        ["tasks", "import", "crontab", "crontab.txt", "--dry-run", *maps],
        ["tasks", "import", "crontab", "crontab.txt", "--allow-commands", *maps],
        ["tasks", "import", "crontab", "crontab.txt", *maps],
        ["tasks", "import", "crontab", "crontab.txt", "--json", *maps],
    )

    told = [line.removeprefix("chamberlain: crontab.txt: ").split(":")[0] for line in dry.err.splitlines()]
    assert told == ["line 2", "line 5 is refused", "line 6 is refused"]
    assert (dry.status, dry.out.splitlines()[-1]) == (1, "1 would be added, 0 would be changed, 0 the same, 2 refused")
    assert "line 6 is refused: task '/usr/bin/greet': function_name: shell commands" in refused.err
    assert (refused.status, refused.out.splitlines()[-1]) == (1, "1 added, 0 changed, 0 the same, 2 refused")
    assert "CORE_SCHEDULER_ALLOW_COMMANDS=true allows them" in refused.err
    assert (taken.status, taken.out.splitlines()[-1]) == (1, "0 added, 0 changed, 1 the same, 2 refused")
    assert json.loads(again.out)["counts"] == {"add": 0, "change": 0, "same": 1}
    assert [each["line"] for each in json.loads(again.out)["refused"]] == [5, 6]


def test_a_job_store_is_told_job_by_job_and_taken_where_it_can_be(project: Project) -> None:
    maps = ["--map", "os:getcwd=acme.clerk:fail"]
    before = STORE.read_bytes()

    dry, taken, again, absent = project.calls(
        ["tasks", "import", "apscheduler", str(STORE), "--dry-run", *maps],
        ["tasks", "import", "apscheduler", f"sqlite:///{STORE}", *maps],
        ["tasks", "import", "apscheduler", str(STORE), "--json", *maps],
        ["tasks", "import", "apscheduler", "nowhere.db"],
    )

    told = json.loads(again.out)
    assert (dry.status, dry.out.splitlines()[-1]) == (1, "12 would be added, 0 would be changed, 0 the same, 5 refused")
    assert (taken.status, taken.out.splitlines()[-1]) == (1, "12 added, 0 changed, 0 the same, 5 refused")
    assert told["counts"] == {"add": 0, "change": 0, "same": 12}
    assert [each["job"] for each in told["refused"]] == ["args", "fixed offset", "kwargs", "object", "all"]
    assert (absent.status, "nowhere.db cannot be read" in absent.err) == (1, True)
    assert not (project.folder / "nowhere.db").exists()
    assert STORE.read_bytes() == before


def test_what_cannot_be_read_is_said(project: Project) -> None:
    missing, unmapped, zone = project.calls(
        ["tasks", "import", "nowhere.json"],
        ["tasks", "import", "crontab", "crontab.txt", "--map", "fail"],
        ["tasks", "import", "crontab", "crontab.txt", "--timezone", "Europe/Belin"],
    )

    assert (missing.status, "cannot be read" in missing.err) == (1, True)
    assert (unmapped.status, "takes WHAT=module:function" in unmapped.err) == (2, True)
    assert (zone.status, "Europe/Berlin" in zone.err) == (2, True)
