"""Commands that are listed by their name and a line of help, and imported when one is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from framework.loader import find_in_module

Places = Mapping[str, tuple[str, str]]
"""By the name of a command or group: where it is, as `package.module:name`, and the line that `--help` says of it."""


class Deferred(TyperCommand):
    """Stands in for a command or group until it is used."""

    def __init__(self, name: str, line: str, load: Callable[[], Any]) -> None:
        super().__init__(name, help=line)
        self._load = load

    def loaded(self) -> Any:
        """Import what this stands for; return it."""
        command = as_command(self._load())
        command.name = self.name
        return command


class DeferringGroup(TyperGroup):
    """A group that may hold deferred commands."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        return name, command.loaded() if isinstance(command, Deferred) else command, rest


def deferred(places: Places) -> list[Deferred]:
    """Return what stands in for the commands at these places."""
    return [Deferred(name, line, partial(imported, place)) for name, (place, line) in places.items()]


def imported(place: str) -> Any:
    """Return what is at `package.module:name`: a Typer application, or a function."""
    module, _, name = place.partition(":")
    return find_in_module(module, name)


def as_command(found: Any) -> Any:
    """Return a Typer application as the group that it is, a function as a command; with plain help, for it is fast."""
    if isinstance(found, typer.Typer):
        found.rich_markup_mode = None
        return typer.main.get_group(found)
    alone = typer.Typer(rich_markup_mode=None, add_completion=False)
    alone.command()(found)
    return typer.main.get_command(alone)
