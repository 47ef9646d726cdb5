"""What the framework's commands share."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:  # pydantic takes a while to import
    from framework.settings import FrameworkSettings

REFUSED = 1

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def own_settings() -> FrameworkSettings:
    """Return the application's own settings, as it reads them itself when it starts; that one warns of mistakes."""
    from framework.settings import FRAMEWORK_ID, FrameworkSettings
    from framework.settings_loader import SettingsLoader

    handlers, logging.root.handlers[:] = logging.root.handlers[:], [logging.NullHandler()]
    try:
        return SettingsLoader().load(FRAMEWORK_ID, FrameworkSettings)
    finally:
        logging.root.handlers[:] = handlers
