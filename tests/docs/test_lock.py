"""The lock file, from which the gate installs, has everything that the project names, within its ranges."""

from __future__ import annotations

import re
import tomllib

from documents import ROOT
from packaging.requirements import Requirement

LOCKED = dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE))


def test_every_dependency_is_locked_within_its_range() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    named = [Requirement(each) for each in (*project["dependencies"], *(one for extra in extras for one in extra))]

    unlocked = {
        each.name for each in named if LOCKED.get(each.name) is None or not each.specifier.contains(LOCKED[each.name])
    }

    assert unlocked == set(), "run make lock"


def test_every_locked_file_has_its_digest_and_no_place_is_named() -> None:
    text = (ROOT / "requirements.lock").read_text()
    entries = re.split(r"^(?=[a-z0-9.-]+==)", text, flags=re.MULTILINE)[1:]

    assert len(entries) == len(re.findall("==", re.sub(r";.*", "", text)))
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in text
