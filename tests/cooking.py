"""The recipes of the how-tos about cleanups, and the module of which they speak."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from documents import blocks

from framework import Module
from modules.core.scheduler import SchedulerService

PAGES = ("docs/how-to/cleanups.md", "docs/how-to/from-systemd-tmpfiles.md", "docs/how-to/from-logrotate.md")
RECIPES = {block.mark.removeprefix("recipe: "): block.text for page in PAGES for block in blocks(page) if block.mark}

Cook = Callable[[str, str], Awaitable[SchedulerService]]
Put = Callable[..., None]


class Shop(Module):
    """The module of which the page speaks."""

    id = "acme.shop"
    requires = ("core.scheduler",)
