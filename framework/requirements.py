"""Decides which modules an application has, and the order in which they start: each after what it requires."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from framework.errors import (
    DuplicateModule,
    FrameworkError,
    RequirementCircular,
    RequirementErrors,
    RequirementMissing,
)
from framework.loader import OFF, Found, check, described, find, import_found
from framework.module import Module

log = logging.getLogger(__name__)

EVERY = "*"


def load(listed: Sequence[str | Module], found: Mapping[str, Found]) -> list[Module]:
    """Return the listed modules and all they require, each after what it requires.

    Raises a `RequirementError`, or all of them as `RequirementErrors`, before any module does anything.
    """
    loading = _Loading(found)
    for item in listed:
        loading.add(item)
    loading.add_requirements()
    ordered, circles = in_requirement_order(list(loading.modules.values()))
    errors = [*loading.errors.values(), *circles]
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise RequirementErrors(errors)
    return ordered


def in_requirement_order(modules: Sequence[Module]) -> tuple[list[Module], list[RequirementCircular]]:
    """Return the modules in order, and one error for every circle; requirements that are not given are passed over.

    A depth-first topological sort, so the order depends on nothing but the order given.
    """
    by_id = {module.id: module for module in modules}
    ordered: dict[str, Module] = {}
    circles: dict[frozenset[str], RequirementCircular] = {}

    def visit(module_id: str, path: tuple[str, ...]) -> None:
        if module_id in path:
            cycle = (*path[path.index(module_id) :], module_id)
            circles.setdefault(frozenset(cycle), RequirementCircular(cycle))
        elif module_id in by_id and module_id not in ordered:
            for requirement in by_id[module_id].requires:
                visit(requirement, (*path, module_id))
            ordered.setdefault(module_id, by_id[module_id])

    for module in modules:
        visit(module.id, ())
    return list(ordered.values()), list(circles.values())


class _Loading:
    def __init__(self, found: Mapping[str, Found]) -> None:
        self.found = found
        self.modules: dict[str, Module] = {}
        self.errors: dict[str, FrameworkError] = {}

    def add(self, item: str | Module) -> None:
        try:
            if isinstance(item, str):
                self._add_named(item)
            else:
                self._add_instance(item)
        except FrameworkError as error:
            self._note(error)

    def add_requirements(self) -> None:
        waiting = list(self.modules.values())
        for module in waiting:
            for requirement in module.requires:
                if requirement in self.modules:
                    continue
                before = set(self.modules)
                self._add_required(module.id, requirement)
                waiting.extend(added for added_id, added in self.modules.items() if added_id not in before)

    def _add_required(self, module_id: str, requirement: str) -> None:
        item = self.found.get(requirement)
        if item is None:
            self._note(RequirementMissing(module_id, requirement, {*self.found, *self.modules}))
        elif item.disabled:
            self._note(
                RequirementMissing(module_id, requirement, reason=f"which is switched off by {item.folder}/{OFF}")
            )
        else:
            self.add(requirement)

    def _add_named(self, name: str) -> None:
        if name == EVERY:
            self._add_every()
            return
        item = self.found.get(name) or find(name, self.found)
        if item.disabled:
            log.warning("module %s is listed, but switched off by %s/%s", item.module_id, item.folder, OFF)
        else:
            self._keep(import_found(item))

    def _add_every(self) -> None:
        for item in self.found.values():
            if item.disabled:
                log.info("module %s is switched off by %s/%s", item.module_id, item.folder, OFF)
                continue
            try:
                module = import_found(item)
            except FrameworkError as error:
                self._note(error)
                continue
            if module.autoload:
                self._keep(module)

    def _note(self, error: FrameworkError) -> None:
        self.errors.setdefault(str(error), error)

    def _add_instance(self, module: Module) -> None:
        check(module)
        if self.modules.get(module.id, module) is not module:
            raise DuplicateModule(module.id, described(self.modules[module.id]), described(module))
        self._keep(module)

    def _keep(self, module: Module) -> None:
        other = self.modules.setdefault(module.id, module)
        if type(other) is not type(module):
            raise DuplicateModule(module.id, described(other), described(module))
