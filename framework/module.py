"""Module: a unit of an application, with an id, requirements and two phases."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from framework.context import AppContext
    from framework.settings import ModuleSettings


class Module:
    """Subclass it, give it an `id`, and override what the module needs; everything but the id has a default."""

    id: ClassVar[str]
    """Lower-case words joined by dots, such as `acme.reports`; in a modules/ folder, the folder's `area.name`."""

    requires: ClassVar[tuple[str, ...]] = ()
    """Ids of the modules that must start before this one and stop after it."""

    autoload: ClassVar[bool] = True
    """Whether `*` takes this module; one that says no is started when it is listed or required."""

    settings_model: ClassVar[type[ModuleSettings] | None] = None
    """The typed settings, filled from the table of the module's id and the variables of its prefix."""

    migrations: ClassVar[str | None] = None
    """Where the Alembic version files are, as `package:folder`."""

    def register(self, app_context: AppContext) -> None:
        """Phase one: add services, declarations and health checks. Synchronous, without I/O."""

    def lifespan(self, app_context: AppContext) -> AbstractAsyncContextManager[None]:  # noqa: ARG002  # for overriders
        """Phase two: start, yield, stop. Every service is there; what it requires runs until it has stopped.

        Override it as an `async def` that yields once, decorated with `contextlib.asynccontextmanager`.
        """
        return _nothing_to_start()

    def reconfigure(self, settings: ModuleSettings) -> Iterable[str]:  # noqa: ARG002  # for overriders
        """Take over settings that were read again while it runs; return the names of those that need no restart."""
        return ()

    def stop_now(self) -> None:
        """Stop without an event loop: the last resort, when a graceful stop did not happen."""


@asynccontextmanager
async def _nothing_to_start() -> AsyncIterator[None]:
    yield
