"""Finding modules and importing them: folders, entry points, the list, and what stands in the way."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest
from example_modules import GREETER, Put

from framework.errors import (
    InvalidModule,
    ModuleImportFailed,
    ModuleMissing,
)
from framework.loader import add_project_folder, discover
from framework.module import Module
from framework.requirements import load

REPOSITORY = Path(__file__).parents[2]


def ids(modules: list[Module]) -> list[str]:
    return [found.id for found in modules]


def test_modules_are_found_in_every_folder_called_modules(put: Put) -> None:
    put("acme.reports")

    found = discover()

    assert found["acme.reports"].import_path == "modules.acme.reports"
    assert found["core.scheduler"].import_path == "modules.core.scheduler"
    assert "modules.acme.reports" not in sys.modules


def test_a_star_takes_all_that_load_by_themselves(put: Put) -> None:
    put("acme.zebra")
    put("acme.apple")
    put("acme.shy", text=GREETER.format(id="acme.shy", requires=()) + "    autoload = False\n")
    found = {name: item for name, item in discover().items() if name.startswith("acme.")}

    assert ids(load(["*"], found)) == ["acme.apple", "acme.zebra"]


def test_a_module_is_listed_by_id_or_by_import_path_and_taken_once(put: Put) -> None:
    put("acme.reports")

    assert ids(load(["acme.reports", "modules.acme.reports"], discover())) == ["acme.reports"]


def test_a_listed_module_that_does_not_exist_is_named_with_the_nearest_id() -> None:
    with pytest.raises(ModuleMissing, match=r"no module 'core.schedular'; did you mean 'core\.scheduler'"):
        load(["core.schedular"], discover())
    with pytest.raises(ModuleMissing, match=r"no module '\.\./etc'"):
        load(["../etc"], {})


def test_a_module_that_cannot_be_imported_is_named_with_the_reason(put: Put) -> None:
    put("acme.broken", text="import not_installed_anywhere\n")
    put("acme.fine")
    found = {name: item for name, item in discover().items() if name.startswith("acme.")}

    with pytest.raises(
        ModuleImportFailed, match=r"'modules.acme.broken' cannot be imported: ModuleNotFoundError: No mod"
    ):
        load(["*"], found)


def test_a_disabled_file_switches_a_module_off_and_the_log_says_so(put: Put, caplog: pytest.LogCaptureFixture) -> None:
    (put("acme.off") / ".disabled").touch()
    put("acme.on")
    found = {name: item for name, item in discover().items() if name.startswith("acme.")}

    with caplog.at_level(logging.INFO):
        chosen = [ids(load(listed, found)) for listed in (["*"], ["acme.off"], ["modules.acme.off"])]

    assert chosen == [["acme.on"], [], []]
    assert len(caplog.records) == 3
    assert all("acme.off" in record.getMessage() for record in caplog.records)


def test_the_class_may_live_in_module_py_and_imported_ones_do_not_count(put: Put) -> None:
    put("acme.other")
    folder = put("acme.inner", text='"""The front door."""\n')
    (folder / "module.py").write_text(
        "from modules.acme.other import Greeter as Other\n" + GREETER.format(id="acme.inner", requires=())
    )

    assert ids(load(["acme.inner"], discover())) == ["acme.inner"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "must define one Module class, there or in its module.py; found: none"),
        (GREETER.format(id="acme.name", requires=()), "has the id 'acme.name'; it must be 'acme.odd'"),
        (
            "from framework import Module\nclass A(Module):\n    pass\n",
            "has the id None; write one like 'acme.reports'",
        ),
        (GREETER.format(id="acme.odd", requires="core.scheduler"), "write a tuple of ids, like ('core.scheduler',)"),
    ],
)
def test_what_is_no_module_is_refused_with_the_cure(put: Put, text: str, sentence: str) -> None:
    put("acme.odd", text=text)

    with pytest.raises(InvalidModule) as raised:
        load(["acme.odd"], discover())

    assert sentence in str(raised.value)


def test_a_class_given_instead_of_an_instance_is_refused() -> None:
    listed: list[object] = [Module]

    with pytest.raises(InvalidModule, match="list an id, an import path, or an instance of a Module class"):
        load(listed, {})  # type: ignore[arg-type]  # what the test is about


def test_the_project_folder_comes_last_so_that_it_shadows_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])

    add_project_folder(tmp_path)
    add_project_folder(tmp_path)

    assert sys.path[-1] == str(tmp_path)
    assert sys.path.count(str(tmp_path)) == 1


def discovered_by_a_new_process(*folders: Path) -> tuple[str, str]:
    """Return what a fresh interpreter finds with these folders before everything else, and what it logs."""
    code = "from framework.loader import discover; print(*discover())"
    path = ":".join(str(folder) for folder in (*folders, REPOSITORY))
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": path}, capture_output=True, text=True, check=False, timeout=60
    )
    return done.stdout, done.stderr


@pytest.mark.parametrize("stray", ["modules/__init__.py", "modules/core/__init__.py"])
def test_a_stray_init_file_does_not_hide_the_other_modules(modules_project: Path, put: Put, stray: str) -> None:
    put("core.extra")
    (modules_project / stray).touch()

    found, logged = discovered_by_a_new_process(modules_project)

    assert {"core.extra", "core.scheduler"} <= set(found.split())
    assert f"{stray} hides other folders of the same name; it should be removed" in logged


def test_a_file_called_modules_is_named_as_the_culprit(tmp_path: Path) -> None:
    (tmp_path / "modules.py").touch()

    _, logged = discovered_by_a_new_process(tmp_path)

    assert (
        f"{tmp_path}/modules.py is imported as 'modules' and hides the modules/ folders; remove or rename it" in logged
    )
