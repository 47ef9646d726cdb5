"""What an execution does while it is waited for: how far it has come, shown on stderr where that is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from framework.invocation import invocation
from framework.terminal import console, printable

if TYPE_CHECKING:  # rich takes a while to import
    from rich.progress import Progress, TaskID

Look = Callable[[Mapping[str, Any]], Awaitable[None]]


@contextmanager
def followed(name: str) -> Iterator[Look]:
    """Show what the execution does that the returned function is given, as often as it is given."""
    if invocation().quiet or not sys.stderr.isatty():
        yield _nowhere
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(pulse_style="cyan"), TimeElapsedColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as progress:
        shown = progress.add_task(printable(name), total=None)

        async def look(execution: Mapping[str, Any]) -> None:
            _show(progress, shown, name, execution)

        yield look


async def _nowhere(_execution: Mapping[str, Any]) -> None:
    """Show nothing."""


def _show(progress: Progress, shown: TaskID, name: str, execution: Mapping[str, Any]) -> None:
    told = execution["progress"] or {}
    fraction, message = told.get("fraction"), told.get("message")
    text = printable(" ".join(filter(None, (name, execution["state"], message))))
    progress.update(shown, description=text, total=None if fraction is None else 1.0, completed=fraction or 0.0)
