"""Finds modules and imports them: folders under modules/, entry points, and what is listed explicitly."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import logging
import pkgutil
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from framework.errors import (
    DuplicateModule,
    FrameworkError,
    InvalidModule,
    ModuleImportFailed,
    ModuleMissing,
    ModulesShadowed,
    RequirementError,
)
from framework.module import Module

log = logging.getLogger(__name__)

NAMESPACE = "modules"
ENTRY_POINTS = "framework.modules"
OFF = ".disabled"

FRAMEWORK_ID = "framework"

_ID = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")


@dataclass(frozen=True, slots=True)
class Found:
    """A module that could be loaded; it is disabled when a file `.disabled` lies in its folder."""

    module_id: str
    import_path: str
    folder: Path | None
    disabled: bool


def add_project_folder(folder: Path) -> None:
    """Make the modules/ of a project importable, behind everything that is installed, so that it shadows nothing."""
    if str(folder.resolve()) not in {str(Path(entry or ".").resolve()) for entry in sys.path}:
        sys.path.append(str(folder.resolve()))
        importlib.invalidate_caches()


def discover() -> dict[str, Found]:
    """Return every module that can be found, by id, in order of id; nothing of them is imported.

    Raises `ModulesShadowed` when something else is called `modules`, `DuplicateModule` for an id found twice.
    """
    found = {item.module_id: item for item in _in_folders()}
    for entry in entry_points(group=ENTRY_POINTS):
        try:
            item = find(entry.value, module_id=entry.name)
        except RequirementError as error:
            log.warning("the entry point %s is passed over: %s", entry.name, error)
            continue
        other = found.setdefault(entry.name, item)
        if other.import_path != item.import_path:
            raise DuplicateModule(entry.name, other.import_path, item.import_path)
    return dict(sorted(found.items()))


def _in_folders() -> list[Found]:
    names: dict[str, Path] = {}
    for portion in _portions(NAMESPACE):
        for marker in sorted(portion.glob("*/*/__init__.py")):
            module_id = f"{marker.parent.parent.name}.{marker.parent.name}"
            first = names.setdefault(module_id, marker.parent)
            if first.resolve() != marker.parent.resolve():
                log.warning("module %s in %s is hidden by the one in %s", module_id, marker.parent, first)
    for area in sorted({module_id.split(".")[0] for module_id in names}):
        _portions(f"{NAMESPACE}.{area}")
    return [
        Found(module_id, f"{NAMESPACE}.{module_id}", folder, (folder / OFF).exists())
        for module_id, folder in names.items()
        if _ID.fullmatch(module_id)
    ]


def _portions(name: str) -> list[Path]:
    """Return the folders of a namespace package; one that somebody gave an `__init__.py` is mended first."""
    try:
        package = importlib.import_module(name)
    except ModuleNotFoundError:
        return []
    if not hasattr(package, "__path__"):
        raise ModulesShadowed(str(getattr(package, "__file__", name)))
    if getattr(package, "__file__", None) is not None:
        log.warning("%s hides other folders of the same name; it should be removed", package.__file__)
        package.__path__ = pkgutil.extend_path(package.__path__, name)
    return list({Path(entry).resolve(): Path(entry) for entry in package.__path__}.values())


def find(import_path: str, known: Iterable[str] = (), module_id: str | None = None) -> Found:
    """Return the module at an import path without importing it; raises `ModuleMissing`, naming the nearest known id."""
    spec = _spec(import_path)
    if spec is None:
        raise ModuleMissing(import_path, known)
    folder = Path(spec.origin).parent if spec.origin and spec.submodule_search_locations else None
    return Found(module_id or import_path, import_path, folder, folder is not None and (folder / OFF).exists())


def _spec(import_path: str) -> ModuleSpec | None:
    if not all(part.isidentifier() for part in import_path.split(".")):
        return None
    try:
        return importlib.util.find_spec(import_path)
    except ModuleNotFoundError as error:
        if error.name and import_path.startswith(error.name):
            return None
        raise ModuleImportFailed(import_path, error) from error
    except Exception as error:  # finding imports the packages around it: foreign code
        raise ModuleImportFailed(import_path, error) from error


def import_found(item: Found) -> Module:
    """Import a module and return an instance; raises `ModuleImportFailed`, and `InvalidModule` for what is none."""
    try:
        module = _module_class(importlib.import_module(item.import_path))()
    except FrameworkError:
        raise
    except Exception as error:  # importing runs foreign code, which may raise anything
        raise ModuleImportFailed(item.import_path, error) from error
    check(module)
    area, _, expected = item.import_path.partition(".")
    if area == NAMESPACE and module.id != expected:
        raise InvalidModule(f"the module in {item.import_path} has the id {module.id!r}; it must be {expected!r}")
    return module


def import_commands(item: Found) -> ModuleType | None:
    """Import the `cli.py` of a module, or its folder `cli`, and nothing else of it: listing commands stays fast.

    None where the module has none; raises `ModuleImportFailed`.
    """
    if item.folder is None:
        return None
    places = (item.folder / "cli.py", item.folder / "cli" / "__init__.py")
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        return None
    name = f"{item.import_path}.cli"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        return None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # importing runs foreign code, which may raise anything
        del sys.modules[name]
        raise ModuleImportFailed(name, error) from error
    return module


def find_in_module(module: str, qualified_name: str) -> Any:
    """Import a module and return what it defines under a dotted name; raises what the import raises.

    Both names come from an object that a running process holds, never from stored text.
    """
    found: Any = importlib.import_module(module)
    for part in qualified_name.split("."):
        found = getattr(found, part)
    return found


def _module_class(package: ModuleType) -> type[Module]:
    inner = f"{package.__name__}.module"
    classes = _classes_in(package, {package.__name__, inner})
    if not classes and hasattr(package, "__path__") and importlib.util.find_spec(inner):
        classes = _classes_in(importlib.import_module(inner), {inner})
    if len(classes) != 1:
        names = ", ".join(sorted(found.__name__ for found in classes)) or "none"
        raise InvalidModule(
            f"{package.__name__} must define one Module class, there or in its module.py; found: {names}"
        )
    return classes[0]


def _classes_in(package: ModuleType, homes: set[str]) -> list[type[Module]]:
    members = dict.fromkeys(value for value in vars(package).values() if inspect.isclass(value))
    return [found for found in members if issubclass(found, Module) and found.__module__ in homes]


def check(module: object) -> None:
    """Raise `InvalidModule` when this is no instance of a Module, or its id or requirements are malformed."""
    if not isinstance(module, Module):
        raise InvalidModule(f"{module!r} is no module; list an id, an import path, or an instance of a Module class")
    module_id: object = getattr(module, "id", None)
    if not isinstance(module_id, str) or not _ID.fullmatch(module_id) or module_id == FRAMEWORK_ID:
        raise InvalidModule(f"{described(module)} has the id {module_id!r}; write one like 'acme.reports'")
    requires: object = module.requires
    if not isinstance(requires, (tuple, list)) or not all(isinstance(required, str) for required in requires):
        raise InvalidModule(
            f"requires of module {module_id!r} is {requires!r}; write a tuple of ids, like ('core.scheduler',)"
        )


def described(module: Module) -> str:
    """Return where the class of a module is defined."""
    return f"{type(module).__module__}.{type(module).__qualname__}"
