"""The application of a test: on a database of its own, with a clock that the test moves."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from framework.application import Application
from framework.context import AppContext
from framework.duration import parse_duration
from framework.module import Module
from framework.testing import START, Crashed, FakeClock, Faults
from modules.core.scheduler.service import SchedulerService
from modules.core.scheduler.testing import calling, ending, expecting, stepping

T = TypeVar("T")
Function = calling.Function
Executions = list[dict[str, Any]]

SCHEDULER = "core.scheduler"
MOST = 10_000  # executions of one simulation


class TestApplication:
    """`async with TestApplication([MyModule()]) as app:` starts the scheduler and these modules, and stops them.

    Nothing runs by itself: `run_due`, `advance` and `simulate` carry out what is due by the clock of the test, `clock`,
    which stands still at `start` (by default a Monday noon, UTC). The database is a SQLite file that goes with the
    test, unless `settings` or `database_url` say otherwise; settings files are not read, and `settings` win over
    variables. A function is named by itself, by `(module_id, function_name)`, or by `"module_id:function_name"`.

    Raises `AssertionError` where a module does not start.
    """

    __test__ = False  # for pytest: this holds no tests

    def __init__(
        self,
        modules: Sequence[str | Module] = (),
        settings: Mapping[str, Mapping[str, Any]] | None = None,
        *,
        start: datetime = START,
        clock: FakeClock | None = None,
        database_url: str | None = None,
    ) -> None:
        self.clock = clock or FakeClock(start)
        self._modules = [*modules] if SCHEDULER in modules else [SCHEDULER, *modules]
        self._given = dict(settings or {})
        self._database_url = database_url
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._application: Application | None = None
        self._context: AppContext | None = None
        self._stepper: stepping.Stepper | None = None
        self._crashed = False

    async def __aenter__(self) -> TestApplication:
        self._folder = tempfile.TemporaryDirectory(prefix="chamberlain-test-")
        try:
            await self._start(Path(self._folder.name))
        except BaseException:
            await self._leave()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._leave()

    @property
    def context(self) -> AppContext:
        """The `AppContext` of the application."""
        if self._context is None:
            raise RuntimeError("the application is not running; use `async with TestApplication(…) as app:`")
        return self._context

    @property
    def scheduler(self) -> SchedulerService:
        """The scheduler's service."""
        return self.context.get_service(SchedulerService)

    @property
    def data_dir(self) -> Path:
        """A folder that goes with the test; the modules' `data_dir`, unless the settings name another."""
        if self._folder is None:
            raise RuntimeError("the application is not running; use `async with TestApplication(…) as app:`")
        return Path(self._folder.name)

    def get_service(self, wanted: type[T]) -> T:
        """Return the one service of this class; raises as `AppContext.get_service` does."""
        return self.context.get_service(wanted)

    async def run_due(self) -> Executions:
        """Carry out what is due, retries included once their time has come; return what came to an end, in order.

        These are executions as `get_execution` gives them, with `task_name`, `module_id` and `function_name`, and the
        rows of what was missed or skipped. Errors that `database_errors` injects are tried again, as the loop does.
        """
        return await self._steps.run_due()

    async def advance(self, by: timedelta | float | str) -> Executions:
        """Let so much time pass (a timedelta, seconds, or "1 hour") in one stride, then do as `run_due`.

        What became due several times meanwhile is caught up, as after an outage; `simulate` stops at each due time.
        """
        self.clock.advance(parse_duration(by))
        return await self.run_due()

    async def simulate(self, span: timedelta | float | str, *, most: int = MOST) -> Executions:
        """Live through so much time from due time to due time, and return all that came to an end, in order.

        Raises `AssertionError` after more than `most` executions.
        """
        return await self._steps.simulate(parse_duration(span), most)

    async def executions(self, function: Function | None = None) -> Executions:
        """Return every execution of a function, or of all but the scheduler's own, as `run_due` does; oldest first."""
        return await self._steps.executions(None if function is None else self._named(function))

    async def assert_scheduled(
        self,
        function: Function,
        *,
        parameters: Mapping[str, Any] | None = None,
        at: datetime | None = None,
        name: str | None = None,
    ) -> dict[str, Any]:
        """Return the task of this function that has the parameters, the next time and the name, where they are given.

        Raises `AssertionError`, which lists what is scheduled, where none has or several have.
        """
        wanted = expecting.Wanted(self._named(function), parameters, at, name)
        return await expecting.assert_scheduled(self.context, wanted)

    async def assert_not_scheduled(
        self,
        function: Function,
        *,
        parameters: Mapping[str, Any] | None = None,
        at: datetime | None = None,
        name: str | None = None,
    ) -> None:
        """Raise `AssertionError` where a task is scheduled as `assert_scheduled` would find it."""
        wanted = expecting.Wanted(self._named(function), parameters, at, name)
        await expecting.assert_not_scheduled(self.context, wanted)

    async def run_function(self, function: Function, parameters: Mapping[str, Any] | None = None) -> Any:
        """Call a registered function as the scheduler would, without a task, and return what would be stored.

        Parameters and result go through JSON. Raises `AssertionError` where they would not survive that, or where the
        parameters do not fit; else what the function raises, and `ResultError` for a `Result.error`.
        """
        return await calling.run_function(self.context, self._named(function), parameters or {})

    @contextmanager
    def database_errors(self, seed: int, rate: float = 0.1) -> Iterator[Faults]:
        """Let this share of the database's steps fail meanwhile, as if it were locked; the same seed, the same steps.

        Whoever calls the service meanwhile has to expect an `OperationalError`.
        """
        with Faults.at_random(seed, rate).striking(self.context.database) as faults, self._steps.insisting():
            yield faults

    @contextmanager
    def crash_at(self, step: int) -> Iterator[Faults]:
        """Let the process die at the n-th step of its database, a statement or a commit; go on with `restart`.

        What is in the block ends there. Where it takes fewer steps, nothing happens: `faults.struck` is 0.
        """
        faults = Faults.crash(step)
        with faults.striking(self.context.database):
            try:
                yield faults
            except Crashed:
                ending.die(self.scheduler)
                self._crashed = True

    async def restart(self) -> None:
        """Stop and start again on the same database; after a crash, once the lease of what died has run out."""
        lease = self._steps.lease
        await ending.stop(self._running, self.clock)
        if self._crashed:
            self.clock.advance(lease + timedelta(seconds=1))
        self._crashed = False
        await self._start(self.data_dir)

    @property
    def _running(self) -> Application:
        if self._application is None:
            raise RuntimeError("the application is not running; use `async with TestApplication(…) as app:`")
        return self._application

    @property
    def _steps(self) -> stepping.Stepper:
        if self._stepper is None:
            raise RuntimeError("the application is not running; use `async with TestApplication(…) as app:`")
        return self._stepper

    async def _start(self, folder: Path) -> None:
        self._application = Application(self._modules, self._settings(folder), self.clock, [folder])
        self._context = await self._application.start()
        self._stepper = stepping.Stepper(self._context, self.clock)
        failed = (await self._context.health())["modules"]
        reasons = [f"{module_id}: {entry['error']}" for module_id, entry in failed.items() if "error" in entry]
        if reasons:
            raise AssertionError("a module does not run: " + "; ".join(reasons))

    def _settings(self, folder: Path) -> dict[str, Mapping[str, Any]]:
        url = self._database_url or f"sqlite+aiosqlite:///{folder / 'test.db'}"
        framework = {"data_dir": str(folder), "database_url": url, "sqlite_synchronous": "normal"}
        scheduler = {"enabled": False, "timezone": "UTC", "shutdown_grace": 0}
        own: dict[str, dict[str, Any]] = {"framework": framework, SCHEDULER: scheduler}
        return {**self._given, **{name: {**table, **self._given.get(name, {})} for name, table in own.items()}}

    async def _leave(self) -> None:
        application, self._application = self._application, None
        try:
            if application is not None:
                await ending.stop(application, self.clock)
        finally:
            self._context = self._stepper = None
            if self._folder is not None:
                self._folder.cleanup()
                self._folder = None

    def _named(self, function: Function) -> tuple[str, str]:
        return calling.named(self.scheduler, function)
