"""AppContext: what modules share, from the first phase to the last."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar, overload

from framework.caller import CODE, become
from framework.clock import Clock, new_id
from framework.errors import AmbiguousService, DuplicateService, ServiceMissing, SettingsError, WrongPhase
from framework.health import Check, Health

if TYPE_CHECKING:
    from framework.database import Database
    from framework.settings import ModuleSettings

T = TypeVar("T")
S = TypeVar("S", bound="ModuleSettings")
Callback = Callable[[], Awaitable[object] | object]
Routes = Callable[["AppContext"], Any]
RefusalPage = Callable[[Any, Any], Any]

FRAMEWORK = "framework"
APPLICATION = "the application"

_acting: ContextVar[str] = ContextVar("acting_module", default=APPLICATION)


class Phase(StrEnum):
    """Where in its life an application is."""

    REGISTERING = "registering"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"


def acting_module() -> str:
    """Return the id of the module that acts here; outside any, `APPLICATION`."""
    return _acting.get()


@contextmanager
def acting(module_id: str) -> Iterator[None]:
    """What happens inside is done by this module; so the context knows whose a service or a callback is."""
    token = _acting.set(module_id)
    try:
        yield
    finally:
        _acting.reset(token)


def context_of(module_id: str) -> Context:
    """Return a copy of the current context, for a task in which this module acts, whoever has started it."""
    context = copy_context()
    context.run(become, CODE)
    context.run(_acting.set, module_id)
    return context


class AppContext:
    """Services, settings and callbacks of one running application."""

    def __init__(
        self,
        clock: Clock,
        database: Database,
        settings: Mapping[str, ModuleSettings],
        origins: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self.clock = clock
        self.database = database
        self.session_id = new_id()
        self.phase = Phase.REGISTERING
        self.modules_health = Health(clock)
        self._settings, self._origins = dict(settings), dict(origins or {})
        self._services: dict[str, tuple[str, object]] = {}
        self._lost: dict[str, tuple[str, list[str]]] = {}
        self._declarations: list[tuple[str, str, object]] = []
        self._started: list[tuple[str, Callback]] = []
        self._stopping: list[tuple[str, Callback]] = []
        self._routes: list[tuple[str, Routes]] = []
        self.refusal_page: RefusalPage | None = None
        with acting(FRAMEWORK):
            self.add_service("framework.clock", clock)
            self.add_service("framework.database", database)

    def add_service(self, name: str, service: object) -> None:
        """Provide a service under a name, by convention `module_id.word`. Phase one only.

        Raises `WrongPhase`, and `DuplicateService` when the name is taken.
        """
        self._require("a service is added", Phase.REGISTERING)
        if name in self._services:
            raise DuplicateService(name, self._services[name][0], _acting.get())
        self._services[name] = (_acting.get(), service)

    @overload
    def get_service(self, wanted: str) -> Any: ...
    @overload
    def get_service(self, wanted: type[T]) -> T: ...
    def get_service(self, wanted: str | type[Any]) -> Any:
        """Return the service of this name, or the one service of this class.

        Raises `ServiceMissing`, `AmbiguousService`, and in phase one `WrongPhase` for another module's service.
        """
        name = wanted if isinstance(wanted, str) else self._name_of(wanted)
        owner, service = self._services.get(name, (None, None))
        foreign = owner not in (_acting.get(), FRAMEWORK)
        if self.phase is Phase.REGISTERING and foreign:
            raise WrongPhase(
                f"{name!r} cannot be asked for in register(), where not all services exist; ask in lifespan()"
            )
        if owner is None:
            raise ServiceMissing(name, self._services, self._why_lost(name))
        return service

    def settings(self, model: type[S]) -> S:
        """Return the settings of the module that has this settings model; raises `SettingsError` when none has."""
        for settings in self._settings.values():
            if type(settings) is model:
                return settings
        raise SettingsError(f"no module of this application has the settings model {model.__name__}; is it listed?")

    def settings_for(self, module_id: str) -> ModuleSettings:
        """Return the settings of a module, or of `framework`; raises `SettingsError` when there are none."""
        if module_id not in self._settings:
            raise SettingsError(
                f"there are no settings of {module_id!r}; is the module listed, has it a settings_model?"
            )
        return self._settings[module_id]

    def renew_settings(self, module_id: str, settings: ModuleSettings) -> None:
        """Let these be the settings of a module from here on; only a reload calls this."""
        self._settings[module_id] = settings

    def list_settings(self) -> list[dict[str, Any]]:
        """Return every setting, `{"module", "name", "value", "source", "meaning"}`; secrets are `***`."""
        from framework.settings_shown import settings_shown  # pydantic takes a while to import

        return list(settings_shown(self._settings, self._origins))

    def declare(self, kind: str, value: object) -> None:
        """Hand over data of a kind, such as a task, to whoever asks for the kind in phase two. Phase one only."""
        self._require(f"a {kind} is declared", Phase.REGISTERING)
        self._declarations.append((kind, _acting.get(), value))

    def declarations(self, kind: str) -> list[tuple[str, Any]]:
        """Return `(module_id, value)` of everything declared of a kind, in order; not of modules that failed."""
        if self.phase is Phase.REGISTERING:
            raise WrongPhase(f"what is declared as {kind} is complete in phase two only; ask in lifespan()")
        return [(owner, value) for declared, owner, value in self._declarations if declared == kind]

    def on_started(self, callback: Callback) -> None:
        """Call this, async or not, once every module has ended its phase two."""
        self._require("an on_started callback is added", Phase.REGISTERING, Phase.STARTING)
        self._started.append((_acting.get(), callback))

    def on_stopping(self, callback: Callback) -> None:
        """Call this, async or not, before the first module stops."""
        self._require("an on_stopping callback is added", Phase.REGISTERING, Phase.STARTING, Phase.RUNNING)
        self._stopping.append((_acting.get(), callback))

    def add_routes(self, routes: Routes) -> None:
        """Serve what this returns, given the context: a FastAPI router. Called only where there is a server.

        Phase one only. Import FastAPI inside the function, so that who serves nothing does not pay for it.
        """
        self._require("routes are added", Phase.REGISTERING)
        self._routes.append((_acting.get(), routes))

    def show_refusals(self, page: RefusalPage) -> None:
        """Show people this page where a request is refused: given the Starlette request and the `Problem`, an answer.

        Programs, and whatever is asked of the API, get the problem document all the same.
        """
        self.refusal_page = page

    def add_health_check(self, name: str, check: Check) -> None:
        """Measure this whenever health is asked for: an async callable that returns a Result with a dict."""
        self.modules_health.add_check(_acting.get(), name, check)

    async def health(self) -> dict[str, Any]:
        """Return `{"status": "healthy" | "unhealthy", "modules": {…}, "checks": {…}}`, measured now."""
        return await self.modules_health.report()

    def started_callbacks(self) -> list[tuple[str, Callback]]:
        """Return `(module_id, callback)` in the order in which they were added."""
        return list(self._started)

    def routes(self) -> list[tuple[str, Routes]]:
        """Return `(module_id, routes)` in the order in which they were added."""
        return list(self._routes)

    def stopping_callbacks(self) -> list[tuple[str, Callback]]:
        """Return `(module_id, callback)`, the last added first."""
        return self._stopping[::-1]

    def go_on_without(self, module_id: str, reason: str) -> None:
        """Turn health red and take back what a module added: the application goes on as if it were not there."""
        self.modules_health.module_is(module_id, reason)
        self.modules_health.forget_checks(module_id)
        self._lost[module_id] = (reason, [name for name, (owner, _) in self._services.items() if owner == module_id])
        self._services = {name: added for name, added in self._services.items() if added[0] != module_id}
        self._declarations = [declared for declared in self._declarations if declared[1] != module_id]
        self._started = [added for added in self._started if added[0] != module_id]
        self._stopping = [added for added in self._stopping if added[0] != module_id]
        self._routes = [added for added in self._routes if added[0] != module_id]

    def present(self) -> set[str]:
        """Return the modules of this application that have not been left out."""
        return (self.modules_health.running() | self.modules_health.failing()) - set(self._lost)

    def _why_lost(self, name: str) -> str | None:
        for module_id, (reason, names) in self._lost.items():
            if name in names or name.startswith(f"{module_id}."):
                return f"its module {module_id!r} does not run: {reason}"
        return None

    def _name_of(self, wanted: type[Any]) -> str:
        names = [name for name, (_, service) in self._services.items() if wanted in type(service).__mro__]
        exact = [name for name in names if type(self._services[name][1]) is wanted]
        if len(exact or names) > 1:
            raise AmbiguousService(wanted.__name__, exact or names)
        return (exact or names or [wanted.__name__])[0]

    def _require(self, what: str, *phases: Phase) -> None:
        if self.phase not in phases:
            allowed = " or ".join(phase.value for phase in phases)
            raise WrongPhase(
                f"{what} while {allowed}; the application is {self.phase.value} (module {_acting.get()!r})"
            )
