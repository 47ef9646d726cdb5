"""What travels between processes, as JSON: a call with all that its function is told, and how it came out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from framework import strict_json
from modules.core.scheduler.execution import ExecutionContext, Outcome, State
from modules.core.scheduler.executors.address import Address, address_of
from modules.core.scheduler.functions import RegisteredFunction

MAX_BYTES = 6 * strict_json.MAX_BYTES  # parameters and payload, or a result as text within text, with room for quotes

_PLAIN: tuple[str, ...] = ("execution_id", "task_id", "task_name", "module_id", "function_name", "attempt", "origin")
_PLAIN += ("retries_used", "session_id", "missed_count")
_MOMENTS = ("scheduled_for", "started_at", "missed_since")


@dataclass(frozen=True, slots=True)
class Call:
    """A function, where it is found, and what its `ExecutionContext` says; parameters and payload are JSON texts."""

    address: Address
    secret: list[str]
    parameters: str
    payload: str
    context: Mapping[str, Any]

    @classmethod
    def of(cls, function: RegisteredFunction, parameters: object, context: ExecutionContext) -> Call:
        """Describe a call to another process; raises `NotFoundElsewhere`."""
        told = {name: getattr(context, name) for name in _PLAIN}
        moments = {name: getattr(context, name) for name in _MOMENTS}
        told |= {name: None if moment is None else moment.isoformat() for name, moment in moments.items()}
        texts = strict_json.dumps(parameters), strict_json.dumps(context.payload)
        return cls(address_of(function.callable), sorted(function.secret), *texts, told)

    @property
    def execution_id(self) -> str:
        """The id of the execution."""
        return str(self.context["execution_id"])

    def context_fields(self) -> dict[str, Any]:
        """Return the fields of an `ExecutionContext`, all but the app context."""
        moments = {name: self.context[name] for name in _MOMENTS}
        read = {name: None if text is None else datetime.fromisoformat(text) for name, text in moments.items()}
        return {**self.context, **read, "payload": strict_json.loads(self.payload)}

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON fields."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Call:
        """Read what `to_dict` wrote."""
        return cls(**{**fields, "address": Address(**fields["address"])})


def outcome_to_dict(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as plain JSON fields."""
    after = outcome.retry_after
    return asdict(replace(outcome, retry_after=None)) | {"retry_after": after and after.total_seconds()}


def outcome_from_dict(fields: Mapping[str, Any]) -> Outcome:
    """Read what `outcome_to_dict` wrote; raises `ValueError`, `KeyError` or `TypeError` for anything else."""
    after = fields["retry_after"]
    read = {"state": State(fields["state"]), "retry_after": None if after is None else timedelta(seconds=after)}
    return Outcome(**{**fields, **read})


def tell(context: ExecutionContext, progress: Mapping[str, Any]) -> None:
    """Put progress that another process has told, the fields of a `Progress`, into the context of this one."""
    done = progress["fraction"] if progress["done"] is None else progress["done"]
    context.progress(done, progress["total"], progress["message"])
