"""An empty project folder to stand in, and modules put into it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from example_modules import GREETER, Put, Write

from framework.loader import add_project_folder


@pytest.fixture
def events() -> list[str]:
    """What the modules of a test wrote down."""
    return []


@pytest.fixture
def empty_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with an empty settings folder and no FRAMEWORK_ENV."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FRAMEWORK_ENV", raising=False)
    (tmp_path / "settings").mkdir()
    return tmp_path


@pytest.fixture
def write(empty_project: Path) -> Write:
    """Write a file of the project."""

    def write_file(name: str, text: str) -> None:
        (empty_project / name).write_text(text)

    return write_file


@pytest.fixture
def modules_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project folder on the import path, with an empty modules folder."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "modules").mkdir()
    add_project_folder(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("modules."):
            del sys.modules[name]


@pytest.fixture
def put(modules_project: Path) -> Put:
    """Write a module into the project's modules folder; returns its folder."""

    def put_module(module_id: str, requires: tuple[str, ...] = (), text: str | None = None) -> Path:
        folder = modules_project / "modules" / module_id.replace(".", "/")
        folder.mkdir(parents=True)
        source = GREETER.format(id=module_id, requires=requires) if text is None else text
        (folder / "__init__.py").write_text(source)
        return folder

    return put_module
