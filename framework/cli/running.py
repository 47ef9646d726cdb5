"""The commands `chamberlain run` and `chamberlain worker`."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING

import typer

from framework.cli.opening import own_settings

if TYPE_CHECKING:
    from framework.context import AppContext


def run(context: typer.Context) -> None:
    """Start the application of ./settings and the environment; Ctrl-C drains it and stops."""
    _run(context.obj)


def worker(context: typer.Context) -> None:
    """Start it without serving anything: it only carries out tasks; Ctrl-C drains it and stops."""
    _run(context.obj)


def _run(doors: Mapping[str, ModuleType]) -> None:
    from framework.application import Application
    from framework.banner import OWN_LINES, Lines, announce
    from framework.foreground import carry_through, until_asked_to_stop
    from framework.logging import configure

    own = own_settings()
    as_json = own.log_format == "json"
    configure(own.log_level, "json" if as_json else "console")
    wordings = dict(OWN_LINES)
    for door in doors.values():
        wordings.update(getattr(door, "log_lines", {}))
    lines = Lines({} if as_json else wordings)
    announcements = {name: door.announce for name, door in doors.items() if hasattr(door, "announce")}

    async def work(app_context: AppContext) -> None:
        await announce(app_context, announcements, as_json=as_json)
        lines.release()
        await until_asked_to_stop()

    carry_through(Application(), work)
