"""What the protections of one server go by."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Iterable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.routing import compile_path

from framework.caller import Caller
from framework.context import AppContext
from framework.settings import FrameworkSettings

Authorize = Callable[[Request], Awaitable[Caller | None]]


class Paths:
    """Paths, some with parameters in braces; `path in paths` tells whether one of them is meant."""

    def __init__(self, paths: Iterable[str] = ()) -> None:
        paths = set(paths)
        self._plain = {path for path in paths if "{" not in path}
        self._patterns = [compile_path(path)[0] for path in paths - self._plain]

    def __contains__(self, path: object) -> bool:
        return path in self._plain or any(pattern.match(str(path)) for pattern in self._patterns)


@dataclass(frozen=True)
class Rules:
    """`open_paths` need no caller; `pages` take one who has signed in in a browser.

    `mounted`: inside an application of somebody else's, whose users are not ours. `authorize` is the user's own
    authentication; it stands in for tokens.
    """

    app_context: AppContext
    open_paths: Container[str] = frozenset()
    pages: Container[str] = frozenset()
    mounted: bool = False
    authorize: Authorize | None = None

    @property
    def settings(self) -> FrameworkSettings:
        """The application's own settings."""
        return self.app_context.settings(FrameworkSettings)
