"""What runs on a Dask worker: a call is carried out there once, and can be told to stop."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict
from functools import partial
from typing import Any

from framework import strict_json
from modules.core.scheduler.execution import Outcome, Progress, State
from modules.core.scheduler.executors.call import MAX_BYTES, Call, outcome_to_dict
from modules.core.scheduler.executors.remote import RemoteContext, carry_out, stopped

TOPIC = "chamberlain"

_begun: deque[str] = deque(maxlen=1_000)  # the newest executions of this worker
_refused: deque[str] = deque(maxlen=1_000)  # told to stop before they had begun
_running: dict[str, RemoteContext] = {}


def mark_of(execution_id: str) -> str:
    """Return the name of the Dask event that says that an execution has begun somewhere."""
    return f"chamberlain-{execution_id}"


def run_call(text: str) -> str:
    """Carry out a call, as JSON, and return `{"outcome", "progress"}` as JSON.

    One that has begun before is not begun again: its worker was lost, and Dask has handed it to this one by itself.
    """
    call = Call.from_dict(strict_json.loads(text, max_bytes=MAX_BYTES))
    context = RemoteContext(call, partial(_tell, call.execution_id))
    _running[call.execution_id] = context
    _begun.append(call.execution_id)
    try:
        outcome = _carried_out(call, context)
    finally:
        del _running[call.execution_id]
    latest = context.latest_progress
    reply = {"outcome": outcome_to_dict(outcome), "progress": None if latest is None else asdict(latest)}
    return strict_json.dumps(reply, max_bytes=MAX_BYTES)


def _carried_out(call: Call, context: RemoteContext) -> Outcome:
    from distributed import Event

    if call.execution_id in _refused:
        return stopped()
    mark = Event(mark_of(call.execution_id))
    if mark.is_set():
        return lost()
    mark.set()
    return carry_out(call, context)


def stop_call(execution_id: str) -> bool:
    """Tell a call of this worker to stop; False when it has not begun here, and then it will not."""
    if execution_id not in _begun:
        _refused.append(execution_id)
    if (context := _running.get(execution_id)) is not None:
        context.cancel()
    return execution_id in _begun


def lost() -> Outcome:
    """Return the outcome of an execution whose worker is gone."""
    return Outcome(State.FAILED, error="the Dask worker that ran it was lost", error_type="WorkerLost")


def _tell(execution_id: str, progress: Progress) -> None:
    from distributed import get_worker

    message: dict[str, Any] = {"execution_id": execution_id, "progress": asdict(progress)}
    get_worker().log_event(TOPIC, message)
