"""`chamberlain tokens`: made, listed and revoked, whether a server runs or not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import Project

from framework.caller import operator


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project whose tables are there."""
    project = Project(tmp_path)
    project.environment["FRAMEWORK_DATA_DIR"] = str(tmp_path / "data")
    return project


def test_tokens_are_made_listed_and_revoked(project: Project) -> None:
    answers = project.calls(
        ["db", "upgrade"],
        ["tokens", "list"],
        ["tokens", "create", "ci", "--scope", "read", "--scope", "operate", "--expires", "90d"],
        ["tokens", "create", "ci", "--scope", "read"],
        ["tokens", "create", "other", "--scope", "root"],
        ["tokens", "list"],
        ["tokens", "list", "--json"],
        ["tokens", "revoke", "ci"],
        ["tokens", "revoke", "ci"],
        ["audit", "list"],
    )

    _, none, made, twice, wrong, listed, as_json, revoked, gone, audit = answers
    assert none.out == "there are no tokens; chamberlain tokens create NAME --scope read makes one\n"
    assert made.out.startswith("chmb_")
    assert "the only time" in made.err
    assert (twice.status, twice.err) == (
        1,
        "chamberlain: there is a token 'ci'; revoke it first, or take another name\n",
    )
    assert (wrong.status, "'root' is not one of read, operate, schedule, admin" in wrong.err) == (1, True)
    assert listed.out.splitlines()[1].split()[1:5] == ["ci", "active", "operate", "read"]
    (token,) = json.loads(as_json.out)["tokens"]
    assert token["created_by"] == operator().name
    assert made.out.strip().rpartition("_")[2] not in listed.out + as_json.out + made.err
    assert revoked.out.startswith(f"token ci ({token['id']}) is revoked since ")
    assert gone.status == 1
    assert [line.split()[4:7] for line in audit.out.splitlines()[1:3]] == [
        [operator().name, "cli", "revoke"],
        [operator().name, "cli", "create"],
    ]
