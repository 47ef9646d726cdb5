"""Which modules there are, and why each does or does not take part in the application."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from framework.errors import FrameworkError, RequirementError
from framework.loader import OFF, Found, import_found
from framework.module import Module
from framework.requirements import load


@dataclass(frozen=True, slots=True)
class Entry:
    """One module: `state` is `on`, `off` (a file `.disabled`), `not listed`, `broken`, or `held up` by another."""

    id: str
    state: str
    requires: tuple[str, ...] = ()
    why: str = ""


def inventory(listed: Sequence[str], found: Mapping[str, Found]) -> tuple[list[Entry], RequirementError | None]:
    """Return an entry for every module found or listed, by id, and what keeps the application from starting, if so."""
    try:
        taking_part = {module.id: module for module in load(listed, found)}
        failure = None
    except RequirementError as error:
        taking_part, failure = {}, error
    entries = {module_id: _on(module) for module_id, module in taking_part.items()}
    for module_id, item in found.items():
        entries.setdefault(module_id, _other(item, failure))
    return [entries[module_id] for module_id in sorted(entries)], failure


def _on(module: Module) -> Entry:
    return Entry(module.id, "on", tuple(module.requires))


def _other(item: Found, failure: RequirementError | None) -> Entry:
    if item.disabled:
        return Entry(item.module_id, "off", why=f"{item.folder}/{OFF}")
    try:
        module = import_found(item)
    except FrameworkError as error:
        return Entry(item.module_id, "broken", why=str(error))
    state = "not listed" if failure is None else "held up"
    why = "it starts when FRAMEWORK_MODULES lists it" if failure is None else "see the message below"
    return Entry(item.module_id, state, tuple(module.requires), why)
