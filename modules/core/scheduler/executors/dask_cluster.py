"""The bridge to Dask: functions run on the workers of a cluster, for work that outgrows the nodes."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
from collections.abc import Mapping
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from framework import strict_json
from modules.core.scheduler.bounded_text import storable
from modules.core.scheduler.execution import MAX_ERROR, ExecutionContext, Outcome, Reason, State
from modules.core.scheduler.executors.address import NotFoundElsewhere, address_of
from modules.core.scheduler.executors.call import MAX_BYTES, Call, outcome_from_dict, tell
from modules.core.scheduler.executors.on_dask import TOPIC, lost, mark_of, run_call, stop_call
from modules.core.scheduler.executors.remote import stopped
from modules.core.scheduler.functions import RegisteredFunction

if TYPE_CHECKING:
    from distributed import Client, Future

log = logging.getLogger(__name__)

CONNECT_TIMEOUT = "10s"


class DaskExecutor:
    """Carries out functions on the cluster at `address`; connects with the first one.

    What has begun there cannot be killed: it is told to stop, and its execution keeps its place until it has ended.
    """

    def __init__(self, address: str | None) -> None:
        self._address = address
        self._client: Client | None = None
        self._connecting = asyncio.Lock()
        self._contexts: dict[str, ExecutionContext] = {}

    def problem(self, function: RegisteredFunction) -> str | None:
        """Return why this function cannot run on the cluster, None when it can."""
        if self._address is None:
            return "there is no Dask cluster: set CORE_SCHEDULER_DASK_ADDRESS, such as tcp://scheduler:8786"
        try:
            version("distributed")
            address_of(function.callable)
        except PackageNotFoundError:
            return "the package distributed is not installed; install chamberlain[dask]"
        except NotFoundElsewhere as error:
            return str(error)
        return None

    async def run(
        self, function: RegisteredFunction, parameters: object, context: ExecutionContext, asked: asyncio.Event
    ) -> Outcome:
        """Carry out the function; once `asked` is set it is taken back, or told to stop where it has begun.

        Cancelling gives it up: it is told to stop, and what comes of it is not heard.
        """
        call = Call.of(function, parameters, context)
        try:
            client = await self._connected()
        except (OSError, TimeoutError, ValueError) as error:
            return _not_begun(f"the Dask scheduler at {self._address} cannot be reached: {error}")
        if asked.is_set():
            return stopped()
        self._contexts[call.execution_id] = context
        try:
            return await self._see_through(client, call, context, asked)
        except Exception as error:  # noqa: BLE001  # the boundary: the cluster passes on whatever was raised there
            return _failed_there(error)
        finally:
            del self._contexts[call.execution_id]

    async def _see_through(
        self, client: Client, call: Call, context: ExecutionContext, asked: asyncio.Event
    ) -> Outcome:
        text = strict_json.dumps(call.to_dict(), max_bytes=MAX_BYTES)
        future = client.submit(run_call, text, key=mark_of(call.execution_id), pure=False, retries=0)
        carrying = asyncio.ensure_future(future.result())
        asking = asyncio.ensure_future(asked.wait())
        try:
            await asyncio.wait({carrying, asking}, return_when=asyncio.FIRST_COMPLETED)
            if not carrying.done() and await self._takes_back(client, future, call.execution_id):
                return stopped()
            return _heard(await carrying, context)
        finally:
            for each in (carrying, asking):
                each.cancel()
            await asyncio.gather(carrying, asking, return_exceptions=True)
            await self._forget(client, future, call.execution_id)

    async def _takes_back(self, client: Client, future: Future[str], execution_id: str) -> bool:
        """Tell the worker that has it to stop it; take it back where it has not begun."""
        try:
            at = [worker for worker, keys in (await client.processing()).items() if future.key in keys]
            told = await client.run(stop_call, execution_id, workers=at, on_error="ignore") if at else {}
            if any(told.values()):
                return False
            await client.cancel([future])
        except (OSError, TimeoutError) as error:  # the scheduler is gone for now; its answer is waited for
            log.warning("Dask could not be told to stop %s: %s", execution_id, error)
            return False
        return True

    async def _forget(self, client: Client, future: Future[str], execution_id: str) -> None:
        """Leave nothing of it in the cluster's memory."""
        from distributed import Event

        future.release()
        if client.status == "running":
            with contextlib.suppress(OSError, TimeoutError):  # what was to be forgotten is gone with the scheduler
                await Event(mark_of(execution_id), client=client).clear()

    async def _connected(self) -> Client:
        """The connection, made when it is first needed, and anew once it is lost."""
        from distributed import Client

        async with self._connecting:
            if self._client is not None and self._client.status == "running":
                return self._client
            await self._disconnect()
            self._client = await Client(
                self._address, asynchronous=True, timeout=CONNECT_TIMEOUT, set_as_default=False, name="chamberlain"
            )
            self._client.subscribe_topic(TOPIC, partial(_pass_on, self._contexts))
            return self._client

    async def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def close(self) -> None:
        """Leave the cluster; what waits there is dropped, what runs goes on unheard."""
        await self._disconnect()

    def stop_now(self) -> None:
        """Without a loop there is nothing to do: the cluster notices that the connection is gone."""


def _heard(text: str, context: ExecutionContext) -> Outcome:
    reply = strict_json.loads(text, max_bytes=MAX_BYTES)
    if reply["progress"] is not None:
        tell(context, reply["progress"])
    return outcome_from_dict(reply["outcome"])


def _pass_on(contexts: Mapping[str, ExecutionContext], event: tuple[Any, Mapping[str, Any]]) -> None:
    """Progress that a worker has told; that of other nodes' executions arrives, too."""
    _, message = event
    if (context := contexts.get(message["execution_id"])) is not None:
        tell(context, message["progress"])


def _failed_there(error: Exception) -> Outcome:
    from distributed import KilledWorker

    if isinstance(error, KilledWorker):
        return lost()
    if isinstance(error, concurrent.futures.CancelledError):
        return _failed(f"the Dask scheduler has lost it: {error}", "WorkerLost")
    return _failed(f"Dask could not run it: {type(error).__qualname__}: {error}", type(error).__qualname__)


def _not_begun(text: str) -> Outcome:
    error = storable(text, MAX_ERROR)
    return Outcome(State.CANCELLED, error=error, retry=False, reason=Reason.EXECUTOR_UNREACHABLE)


def _failed(text: str, kind: str) -> Outcome:
    return Outcome(State.FAILED, error=storable(text, MAX_ERROR), error_type=kind)
