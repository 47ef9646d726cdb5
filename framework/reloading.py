"""Settings read again while the application runs: what may change is taken over, what may not is named."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from framework.context import AppContext
from framework.module import Module
from framework.preparing import Prepared
from framework.settings import FRAMEWORK_ID, FrameworkSettings, ModuleSettings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reloaded:
    """Names of settings by module id: those that are in force now, and those that take a restart."""

    taken: dict[str, list[str]] = field(default_factory=dict)
    waiting: dict[str, list[str]] = field(default_factory=dict)


def take_over(app_context: AppContext, modules: Sequence[Module], news: Prepared) -> Reloaded:
    """Hand what has changed to the modules that run; return what became of it. A module that raises takes nothing."""
    reloaded = Reloaded()
    running = {module.id: module for module in modules if module.id in app_context.modules_health.running()}
    for module_id, new in news.settings.items():
        if module_id not in running and module_id != FRAMEWORK_ID:
            continue
        old = app_context.settings_for(module_id)
        changed = [name for name in type(new).model_fields if getattr(old, name) != getattr(new, name)]
        if not changed:
            continue
        taken = set(changed) & _taken(running.get(module_id), new)
        in_force = old.model_copy(update={name: getattr(new, name) for name in taken})
        app_context.renew_settings(module_id, in_force)
        for name in changed:
            where = reloaded.taken if name in taken else reloaded.waiting
            where.setdefault(module_id, []).append(name)
    _tell(reloaded, app_context)
    return reloaded


def _taken(module: Module | None, new: ModuleSettings) -> set[str]:
    if module is None:
        return _taken_by_framework(new)
    try:
        return set(module.reconfigure(new))
    except Exception:
        log.exception("module %s could not take over its settings", module.id)
        return set()


def _taken_by_framework(new: ModuleSettings) -> set[str]:
    assert isinstance(new, FrameworkSettings)  # noqa: S101  # the settings of `framework`
    logging.root.setLevel(new.log_level)
    return {"log_level"}


def _tell(reloaded: Reloaded, app_context: AppContext) -> None:
    for module_id, names in reloaded.taken.items():
        settings = app_context.settings_for(module_id)
        told = ", ".join(f"{name} is {getattr(settings, name)}" for name in names)
        log.info("settings of %s: %s now", module_id, told, extra={"module_id": module_id})
    for module_id, names in reloaded.waiting.items():
        log.warning("settings of %s: %s changed; that takes a restart", module_id, ", ".join(names))
    if not (reloaded.taken or reloaded.waiting):
        log.info("settings were read again; nothing has changed")
