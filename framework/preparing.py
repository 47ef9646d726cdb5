"""What an application consists of before anything is opened: its modules in order, and the settings of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from framework.loader import discover
from framework.module import Module
from framework.requirements import load
from framework.settings import FRAMEWORK_ID, FrameworkSettings, ModuleSettings
from framework.settings_loader import SettingsLoader


@dataclass(frozen=True, slots=True)
class Prepared:
    """The modules in requirement order; settings, and where each comes from, by id of module or `framework`."""

    modules: list[Module]
    settings: dict[str, ModuleSettings]
    origins: dict[str, dict[str, str]]

    @property
    def own(self) -> FrameworkSettings:
        """The application's own settings."""
        own = self.settings[FRAMEWORK_ID]
        assert isinstance(own, FrameworkSettings)  # noqa: S101  # what `prepare` has put there
        return own


def prepare(
    listed: Sequence[str | Module] | None = None,
    given: Mapping[str, Mapping[str, Any]] | None = None,
    folders: Sequence[Path | str] | None = None,
) -> Prepared:
    """Find the modules, listed here or else in FRAMEWORK_MODULES, and read the settings of each.

    Warns of names that look like a slip of the pen; raises `SettingsError` and `RequirementError`.
    """
    loader = SettingsLoader(given, folders)
    own = loader.load(FRAMEWORK_ID, FrameworkSettings)
    found = discover()
    modules = load(own.modules if listed is None else listed, found)
    models = {module.id: module.settings_model for module in modules}
    known = {FRAMEWORK_ID, *found, *models}
    settings: dict[str, ModuleSettings] = {FRAMEWORK_ID: own}
    for module_id, model in models.items():
        if model is not None:
            settings[module_id] = loader.load(module_id, model, known)
    loader.check_names({FRAMEWORK_ID: FrameworkSettings, **models}, known)
    origins = {module_id: loader.origins(module_id, type(values), known) for module_id, values in settings.items()}
    return Prepared(modules, settings, origins)
