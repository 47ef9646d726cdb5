"""The framework: modules, services, settings, database and clock of one application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from framework.application import Application
    from framework.clock import Clock, SystemClock, new_id
    from framework.context import AppContext, Phase
    from framework.database import Database
    from framework.duration import Days, Seconds
    from framework.errors import FrameworkError, RequirementError, ServiceMissing, SettingsError
    from framework.module import Module
    from framework.result import Error, Result, ResultError
    from framework.settings import FrameworkSettings, ModuleSettings

_HOMES = {
    "AppContext": "context",
    "Application": "application",
    "Clock": "clock",
    "Database": "database",
    "Days": "duration",
    "Error": "result",
    "FrameworkError": "errors",
    "FrameworkSettings": "settings",
    "Module": "module",
    "ModuleSettings": "settings",
    "Phase": "context",
    "RequirementError": "errors",
    "Result": "result",
    "ResultError": "result",
    "Seconds": "duration",
    "ServiceMissing": "errors",
    "SettingsError": "errors",
    "SystemClock": "clock",
    "new_id": "clock",
}

__all__ = [
    "AppContext",
    "Application",
    "Clock",
    "Database",
    "Days",
    "Error",
    "FrameworkError",
    "FrameworkSettings",
    "Module",
    "ModuleSettings",
    "Phase",
    "RequirementError",
    "Result",
    "ResultError",
    "Seconds",
    "ServiceMissing",
    "SettingsError",
    "SystemClock",
    "new_id",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for: the database and the settings take long to import."""
    if name not in _HOMES:
        raise AttributeError(f"module 'framework' has no attribute {name!r}")
    value = getattr(__import__(f"framework.{_HOMES[name]}", fromlist=[name]), name)
    globals()[name] = value
    return value
