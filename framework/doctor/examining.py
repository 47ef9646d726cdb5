"""The whole examination, in the order in which one thing stands on another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from framework.application import Application
from framework.clock import Clock, SystemClock
from framework.doctor import stored, surroundings
from framework.errors import FrameworkError
from framework.finding import Finding
from framework.preparing import prepare
from framework.settings import FRAMEWORK_ID, FrameworkSettings
from framework.settings_loader import SettingsLoader

CHECKS = ("settings", "modules", "data_dir", "disk", "port", "database", "clock", "locks", "schema", "tokens")


@dataclass(frozen=True, slots=True)
class Examination:
    """What was looked at, and what was found; a check that others stand on may have kept them from being made."""

    findings: list[Finding]
    complete: bool


async def examine(finds: Mapping[str, stored.Find], clock: Clock | None = None) -> Examination:
    """Examine the application of this folder; `finds` by module id look into what that module has stored."""
    try:
        with surroundings.warnings_as("settings"):
            own = SettingsLoader().load(FRAMEWORK_ID, FrameworkSettings)
    except FrameworkError as error:
        return Examination(surroundings.told("settings", error), complete=False)
    found = surroundings.modules(own)
    if found:
        return Examination([*found, *_around(own)], complete=False)
    try:
        with surroundings.warnings_as("settings") as warned:
            prepare()
    except FrameworkError as error:
        return Examination([*surroundings.told("settings", error), *_around(own)], complete=False)
    found = [*warned, *_around(own)]
    with surroundings.warnings_as("database"):  # said already, or said by what it comes to
        found += await stored.database(Application(), finds, clock or SystemClock())
    return Examination(found, complete=True)


def _around(own: FrameworkSettings) -> list[Finding]:
    return [*surroundings.data_dir(own), *surroundings.disk(own), *surroundings.port(own)]
