"""What the protections of one server go by."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request

from framework.caller import Caller
from framework.context import AppContext
from framework.settings import FrameworkSettings

Authorize = Callable[[Request], Awaitable[Caller | None]]


@dataclass(frozen=True)
class Rules:
    """`open_paths` need no caller. `mounted`: inside an application of somebody else's, whose users are not ours.

    `authorize` is the user's own authentication; it stands in for tokens.
    """

    app_context: AppContext
    open_paths: frozenset[str] = frozenset()
    mounted: bool = False
    authorize: Authorize | None = None

    @property
    def settings(self) -> FrameworkSettings:
        """The application's own settings."""
        return self.app_context.settings(FrameworkSettings)
