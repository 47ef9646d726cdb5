"""`cleanups` on the command line, where no application runs."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from command_line import Project

from framework.testing import FakeClock
from modules.core.scheduler.asking_cleanups import progress_shown
from modules.core.scheduler.cleanup import Tally

KEEPER = """
from pathlib import Path

from framework import Module
from modules.core.scheduler import declare_cleanup, declare_function

DROPS = {"directory": str(Path("data/drops").absolute()), "max_files": 1, "min_age": 0, "cleanup_interval": "1 day"}


def sweep():
    raise OSError("no broom")


class Keeper(Module):
    id = "acme.keeper"
    requires = ("core.scheduler",)

    def register(self, app_context):
        declare_function(app_context, "sweep", sweep)
        declare_cleanup(app_context, "drops", DROPS)
        declare_cleanup(app_context, "trashed", {**DROPS, "action": "trash", "trash_for": "1 day"})
        declare_cleanup(app_context, "sweeping", {"function_name": "sweep", "cron": "0 4 * * *"})
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a module that has two cleanups, and three files for one of them."""
    project = Project(tmp_path)
    project.put_module("acme.keeper", KEEPER)
    drops = tmp_path / "data" / "drops"
    drops.mkdir(parents=True)
    for name in "abc":
        (drops / name).write_text("x" * 1500)
    assert [answer.status for answer in project.calls(["db", "upgrade"], ["apply", "--yes"])] == [0, 0]
    return project


def left(project: Project) -> int:
    return len(list((project.folder / "data" / "drops").iterdir()))


def test_a_dry_run_deletes_nothing_and_a_run_what_it_said(project: Project) -> None:
    (dry,) = project.calls(["cleanups", "run", "drops", "--dry-run"])
    before = left(project)
    done, again = project.calls(["cleanups", "run", "drops"], ["cleanups", "run", "acme.keeper/drops", "--json"])

    assert (dry.status, before, left(project)) == (0, 3, 1)
    assert "2 would go, 3.0 kB; nothing was deleted" in dry.out.splitlines()[-1]
    assert (done.status, done.out.splitlines()[-1].split(" in ")[0]) == (0, "2 deleted, 3.0 kB")
    assert json.loads(again.out)["total"]["deleted"] == 0
    assert dry.err == done.err == ""


def test_what_failed_is_shown_and_ends_with_1(project: Project) -> None:
    all_of_them, as_json = project.calls(["cleanups", "run"], ["cleanups", "run", "sweeping", "--json"])

    assert (all_of_them.status, as_json.status) == (1, 1)
    assert "these cleanups failed, at least partly: sweeping" in all_of_them.err
    assert "OSError: no broom" in all_of_them.out
    assert left(project) == 1
    assert json.loads(as_json.out)["total"]["error_count"] == 1


def test_cleanups_are_listed_and_shown_with_their_reports_and_trend(project: Project) -> None:
    project.calls(["cleanups", "run", "drops"])

    listed, shown, report, trend = project.calls(
        ["cleanups", "list"],
        ["cleanups", "show", "drops", "--json"],
        ["cleanups", "report"],
        ["cleanups", "trend", "drops", "--days", "2", "--json"],
    )

    assert listed.out.splitlines()[-1] == "4 cleanups"
    assert "acme.keeper/drops" in listed.out
    told = json.loads(shown.out)
    assert (told["cleanup_type"], [each["deleted"] for each in told["reports"]]) == ("drops", [2])
    assert report.out.splitlines()[1].split()[4:8] == ["drops", "ok", "2", "2"]
    assert [day["deleted"] for day in json.loads(trend.out)["days"]] == [0, 2]


def test_a_plan_is_seen_and_then_carried_out_once(project: Project) -> None:
    plan = project.json("cleanups", "preview", "drops")
    seen, asked, done, again = project.calls(
        ["cleanups", "preview", "drops"],
        ["cleanups", "apply", plan["plan_id"]],
        ["cleanups", "apply", plan["plan_id"], "--yes"],
        ["cleanups", "apply", plan["plan_id"], "--yes"],
    )

    assert seen.out.splitlines()[0] == "would go: 2 files, 3.0 kB, of 3 in all"
    assert (asked.status, asked.err) == (1, "chamberlain: nobody is there to be asked; add --yes\n")
    assert (done.status, done.out.split(" in ")[0].strip()) == (0, "2 deleted, 3.0 kB")
    assert again.status == 1
    assert "the plan was applied at" in again.err


def test_what_lies_in_the_trash_is_listed_and_brought_back(project: Project) -> None:
    empty, _ = project.calls(["cleanups", "archives", "trashed"], ["cleanups", "run", "trashed"])
    gone = left(project)
    listed, dry, back, again = project.calls(
        ["cleanups", "archives", "trashed", "--json"],
        ["cleanups", "restore", "trashed", "--dry-run"],
        ["cleanups", "restore", "trashed"],
        ["cleanups", "restore", "trashed"],
    )

    assert (empty.out, gone, left(project)) == ("nothing is kept\n", 1, 3)
    (archive,) = json.loads(listed.out)["archives"]
    assert dry.out == f"2 would come back from {archive['archive']}\n"
    assert back.out == f"2 came back from {archive['archive']}\n"
    assert again.status == 1


def test_one_file_alone_is_brought_back_by_its_path(project: Project) -> None:
    before = {each.name for each in (project.folder / "data" / "drops").iterdir()}
    (run,) = project.calls(["cleanups", "run", "trashed"])
    gone = before - {each.name for each in (project.folder / "data" / "drops").iterdir()}
    one = project.folder / "data" / "drops" / min(gone)
    (back,) = project.calls(["cleanups", "restore", "trashed", "--path", str(one)])

    assert run.out.splitlines()[-1].startswith("2 deleted, 2 trashed, 3.0 kB")
    assert back.out == "1 came back from the latest that had it\n"
    assert (left(project), one.exists()) == (2, True)


def test_frozen_cleanups_delete_nothing_until_they_are_unfrozen(project: Project) -> None:
    frozen, listed, refused, undone = project.calls(
        ["cleanups", "freeze", "--reason", "an audit"],
        ["cleanups", "list"],
        ["cleanups", "run", "drops"],
        ["cleanups", "unfreeze"],
    )

    assert frozen.out.startswith("cleanups are frozen since ")
    assert "frozen since" in listed.out.splitlines()[-1]
    assert (refused.status, left(project)) == (1, 3)
    assert "an audit" in refused.err
    assert undone.out == "cleanups go on\n"


def test_what_is_not_there_is_refused(project: Project) -> None:
    cleanup, plan = project.calls(["cleanups", "show", "nothing"], ["cleanups", "apply", "no-plan", "--yes"])

    assert (cleanup.status, plan.status) == (1, 1)
    assert cleanup.err == "chamberlain: there is no cleanup 'nothing'; `chamberlain cleanups list` shows them all\n"
    assert plan.err == "chamberlain: there is no plan 'no-plan'\n"


async def test_a_terminal_is_shown_how_far_a_run_has_come(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = FakeClock()
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")

    async with progress_shown(clock, "drops"):
        tally = await asyncio.to_thread(Tally)
        tally.examined, tally.deleted, tally.bytes = 12_000, 3_400, 5_600_000
        for _ in range(5):
            clock.advance(1)
            await clock.sleep(0)

    shown: Any = capsys.readouterr()
    assert "drops: 12,000 looked at, 3,400 deleted, 5.6 MB" in shown.err
    assert shown.out == ""
