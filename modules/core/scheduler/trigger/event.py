"""The event trigger: fires when an event is emitted whose payload matches."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, ClassVar

from framework.strict_json import JsonError, dumps
from modules.core.scheduler.trigger.protocol import TriggerError

MAX_EVENT_LENGTH = 200


@dataclass(frozen=True, slots=True)
class OnEvent:
    """Fires for each emitted event of this name whose payload has every value of `where` (plain JSON)."""

    event: str
    where: Mapping[str, Any] = field(default_factory=dict, hash=False)
    recurring: ClassVar[bool] = True

    def __post_init__(self) -> None:
        name: object = self.event
        if not isinstance(name, str) or not name.strip() or len(name) > MAX_EVENT_LENGTH:
            raise TriggerError(f"an event's name is text of at most {MAX_EVENT_LENGTH} characters", "event")
        given: object = self.where
        if not isinstance(given, Mapping):
            raise TriggerError(f"where must be a mapping of payload keys to values, not {given!r}", "where")
        where = deepcopy(dict(given))
        try:
            dumps(where)
        except JsonError as error:
            raise TriggerError(f"where is not plain JSON: {error}", "where") from None
        object.__setattr__(self, "where", MappingProxyType(where))

    def matches(self, payload: object) -> bool:
        """Tell whether an event with this payload fires the trigger; every key of `where` must be there and equal."""
        if not self.where:
            return True
        if not isinstance(payload, Mapping):
            return False
        return all(key in payload and _same(payload[key], value) for key, value in self.where.items())

    def next_after(self, moment: datetime) -> datetime | None:  # noqa: ARG002  # never known beforehand
        return None

    def latest_until(self, moment: datetime, after: datetime) -> datetime | None:  # noqa: ARG002  # never known beforehand
        return None

    def count_between(self, after: datetime, until: datetime) -> int:  # noqa: ARG002  # never known beforehand
        return 0

    def to_json(self) -> dict[str, Any]:
        return {"v": 1, "type": "event", "event": self.event, "where": deepcopy(dict(self.where))}

    def describe(self) -> str:
        conditions = " and ".join(f"{key} is {value!r}" for key, value in self.where.items())
        return f"when {self.event!r} is emitted" + (f" where {conditions}" if conditions else "")


def _same(left: object, right: object) -> bool:
    """Compare as JSON does: true is not 1, at any depth."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return len(left) == len(right) and all(map(_same, left, right))
    return left == right
